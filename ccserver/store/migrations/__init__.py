"""Alembic, run from inside: `upgrade(connection)` at the start, no ini file, no command line.

A change of `schema.py` gets a file in `versions/`; the tests compare models and migrations on both databases,
and go from empty to newest on each.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from ccserver.store.database import StoreUnavailable

_LOCK = 0x63637365_72766572  # any number of our own: "ccserver"


def config_for(connection: Connection) -> Config:
    """Alembic's configuration, with our open connection instead of a URL."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """To the newest version, within the caller's transaction. Raises StoreUnavailable when the database knows
    versions that this release does not."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    try:
        command.upgrade(config_for(connection), "head")
    except CommandError as error:
        raise StoreUnavailable(
            f"the database was made by a later release ({error}): start that release, or restore a backup"
        ) from error
