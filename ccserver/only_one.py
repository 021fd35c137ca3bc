"""One server per data folder: two on one journal would spoil it.

The folder is ours while we hold a lock on the file `server.lock` in it. The lock ends with the process,
however that ends, so nothing is left to clear away after a crash.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO


class CannotStart(Exception):
    """Something on this machine keeps the server from starting; the message says what, and what to do."""


def hold(folder: Path) -> IO[str]:
    """Take the folder (made when it is not there); closing the file lets go of it. Raises CannotStart."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "server.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise CannotStart(
            f"another ccserver works in {folder.absolute()}; "
            "end it, or give this one a server.data_dir of its own"
        ) from None
    return lock
