"""The command `ccserver` (also `python -m ccserver`); the commands are in `ccserver.cli`."""

from __future__ import annotations

from ccserver.cli.commands import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
