"""`ccserver import CSV`: customers from a file, all of them or none; see `ccserver.customers.importing`."""

from __future__ import annotations

from pathlib import Path

from ccserver.cli.faults import OperatorFault
from ccserver.cli.records import with_store
from ccserver.config import Config
from ccserver.customers.importing import BadImport, Rules, read_customers
from ccserver.store.rows import CustomerDraft
from ccserver.store.store import Store

MAX_FAULTS = 20


def imported(config: Config, file: Path) -> str:
    """Raises OperatorFault with the first faults of the file, StoreUnavailable."""
    drafts = read(config, file)

    async def work(store: Store) -> str:
        saved = await store.save_customers(drafts)
        return f"{saved.added} customers added, {saved.changed} changed, {saved.unchanged} as they were."

    return with_store(config, work)


def read(config: Config, file: Path) -> list[CustomerDraft]:
    """Every customer of a file. Raises OperatorFault."""
    try:
        return read_customers(file, Rules(config.site.region, tuple(config.worth)))
    except OSError as error:
        raise OperatorFault(f"cannot read {file}: {error.strerror}") from error
    except BadImport as bad:
        faults = [f"{file}:{mistake.line}: {mistake.words}" for mistake in bad.mistakes]
    more = [f"… and {len(faults) - MAX_FAULTS} more"] if len(faults) > MAX_FAULTS else []
    raise OperatorFault("\n".join([*faults[:MAX_FAULTS], *more, "Nothing was imported."]))
