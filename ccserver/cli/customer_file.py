"""`ccserver import CSV`: customers from a file, all of them or none.

A header line names the columns; `external_id` (the customer's own number) and `name` are needed, the others
may be missing: language, tier, worth_cents, churn_per_mille, since (2019-05-31), remarks, and numbers and
emails with `;` between several. A customer whose `external_id` is known is changed.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ccserver.cli.faults import OperatorFault
from ccserver.cli.records import with_store
from ccserver.config import Config
from ccserver.config_schema import suggestion
from ccserver.store.rows import CustomerDraft
from ccserver.store.store import Store

NEEDED = ("external_id", "name")
COLUMNS = (
    *NEEDED,
    "language",
    "tier",
    "worth_cents",
    "churn_per_mille",
    "since",
    "remarks",
    "numbers",
    "emails",
)
MAX_FILE_BYTES = 500_000_000
MAX_FAULTS = 20


class RowFault(ValueError):
    """A cell that cannot be taken; the message names the column and what to write."""


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
        if file.stat().st_size > MAX_FILE_BYTES:
            raise OperatorFault(f"{file}: larger than {MAX_FILE_BYTES} bytes; split it")
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise OperatorFault(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise OperatorFault(f"{file}: not UTF-8; save it as UTF-8") from error
    drafts: list[CustomerDraft] = []
    faults: list[str] = []
    for line, row in _rows(file, text):
        try:
            drafts.append(_draft(config, row))
        except RowFault as fault:
            faults.append(f"{file}:{line}: {fault}")
    faults += _repeated(file, drafts)
    if faults:
        more = [f"… and {len(faults) - MAX_FAULTS} more"] if len(faults) > MAX_FAULTS else []
        raise OperatorFault("\n".join([*faults[:MAX_FAULTS], *more, "Nothing was imported."]))
    return drafts


def _rows(file: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line, by column."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        _check_header(file, header)
        for row in reader:
            if row:
                yield reader.line_num, dict(itertools.zip_longest(header, row[: len(header)], fillvalue=""))
    except csv.Error as error:
        raise OperatorFault(f"{file}:{reader.line_num}: no CSV: {error}") from error


def _check_header(file: Path, header: list[str]) -> None:
    for column in NEEDED:
        if column not in header:
            raise OperatorFault(f'{file}:1: column "{column}" is missing; known are: {", ".join(COLUMNS)}')
    for column in header:
        if column not in COLUMNS:
            raise OperatorFault(f'{file}:1: unknown column "{column}"; {suggestion(column, COLUMNS)}')


def _draft(config: Config, row: dict[str, str]) -> CustomerDraft:
    cells = {column: value.strip() for column, value in row.items()}
    for column in NEEDED:
        if not cells[column]:
            raise RowFault(f"{column} is empty")
    tier = cells.get("tier", "")
    if tier and tier not in config.worth:
        raise RowFault(f'tier "{tier}": there is no [worth.{tier}]; {suggestion(tier, config.worth)}')
    language = cells.get("language", "")
    if language not in ("", "en", "id"):
        raise RowFault(f'language "{language}": write en, id or nothing')
    return CustomerDraft(
        external_id=cells["external_id"],
        name=cells["name"],
        language=language,
        tier=tier,
        worth_cents=_whole(cells, "worth_cents", 10**15),
        churn_per_mille=_whole(cells, "churn_per_mille", 1_000),
        since=_date(cells.get("since", "")),
        remarks=cells.get("remarks", ""),
        numbers=tuple(_number(config, number) for number in _several(cells.get("numbers", ""))),
        emails=tuple(_several(cells.get("emails", ""))),
    )


def _several(cell: str) -> Iterable[str]:
    return (part.strip() for part in cell.split(";") if part.strip())


def _whole(cells: dict[str, str], column: str, most: int) -> int:
    cell = cells.get(column, "") or "0"
    if not (cell.isascii() and cell.isdigit() and len(cell) < 20 and int(cell) <= most):
        raise RowFault(f'{column} "{cell[:40]}": write a whole number from 0 to {most}')
    return int(cell)


def _date(cell: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(cell) if cell else None
    except ValueError:
        raise RowFault(f'since "{cell[:40]}": write a date like 2019-05-31') from None


def _number(config: Config, number: str) -> str:
    e164 = config.e164(number)
    if not e164.startswith("+") or len(e164) < 6:
        raise RowFault(f'numbers "{number[:40]}": no phone number; write one like +62215550100')
    return e164


def _repeated(file: Path, drafts: list[CustomerDraft]) -> list[str]:
    counts = Counter(draft.external_id for draft in drafts)
    twice = [external_id for external_id, count in counts.items() if count > 1]
    return [f'{file}: external_id "{each}" is there twice; keep one of the lines' for each in twice]
