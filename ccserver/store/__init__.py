"""The database: schema, migrations, queries, and the projection of the journal. The only SQLAlchemy.

    store = Store.open(url); await store.migrate(); await store.customer(id); await store.close()

Everything a caller needs is exported here; what comes out are the frozen dataclasses of `rows`.
"""

from ccserver.store.store import Store, StoreConflict, StoreFault, StoreUnavailable

__all__ = ["Store", "StoreConflict", "StoreFault", "StoreUnavailable"]
