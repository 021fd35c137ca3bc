"""What alembic runs: on the connection it is given, in the transaction that is open."""

from __future__ import annotations

from alembic import context

from ccserver.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
context.run_migrations()
