"""Customers out of a CSV file: all of it or, with any mistake, nothing and every mistake by its line.

    external_id,name,language,tier,worth_cents,churn_per_mille,since,remarks,numbers,emails

The first line names the columns, in any order; `external_id` (the number customers know themselves by) and
`name` must be there, others may be missing, unknown ones are refused (a misspelt column would silently be
empty). `since` is like 2019-05-31; several numbers or addresses are separated by `;`. The file is UTF-8, with
or without a byte order mark. It may be hostile: sizes are bounded, texts are only texts.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from ccserver.config_schema import suggestion
from ccserver.customers.identity import OriginKind, normalise
from ccserver.store.customers import MAX_ADDRESSES
from ccserver.store.rows import CustomerDraft, Saved

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
MAX_BYTES = 50_000_000
MAX_ROWS = 200_000
MAX_CENTS = 10**15
SHOWN = 40
"""Characters of a wrong cell in a message."""
_LIMITS = {"external_id": 64, "name": 200, "remarks": 500}
_ID = re.compile(r"[^\W_][\w.\-/]*", re.ASCII)
_EMAIL = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]{1,190}\.[^@\s<>\"',;.]{2,}")


class CustomerSink(Protocol):
    """Where they go; `Store` is one. Raises StoreUnavailable."""

    async def save_customers(self, drafts: Sequence[CustomerDraft]) -> Saved: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What the site's configuration says of customers."""

    region: str
    """Where a number without country code belongs, two letters."""
    tiers: Collection[str] | None = None
    """Those that exist; None: any."""
    languages: Collection[str] = ("en", "id")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in which line, and what to write."""

    line: int
    words: str


class BadImport(ValueError):
    """The file cannot be imported; `mistakes` says why, all of them."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("\n".join(f"line {mistake.line}: {mistake.words}" for mistake in mistakes))
        self.mistakes = mistakes


class _Wrong(Exception):
    """One cell; the message names the column and what to write."""


async def import_customers(store: CustomerSink, path: Path, rules: Rules) -> Saved:
    """Read, check, save. Raises BadImport (nothing was saved), OSError, StoreUnavailable."""
    return await store.save_customers(read_customers(path, rules))


def read_customers(path: Path, rules: Rules) -> list[CustomerDraft]:
    """Every customer of a file. Raises BadImport, OSError."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise BadImport(Mistake(1, f"{size} bytes, {MAX_BYTES} are the limit; split the file"))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadImport(Mistake(1, f"byte {error.start} is not UTF-8; save the file as UTF-8")) from error
    return parse_customers(text, rules)


def parse_customers(text: str, rules: Rules) -> list[CustomerDraft]:
    """Every row, checked. Raises BadImport with every mistake there is."""
    drafts: dict[str, tuple[int, CustomerDraft]] = {}
    mistakes: list[Mistake] = []
    for line, row in _rows(text):
        try:
            draft = _draft(row, rules)
        except _Wrong as wrong:
            mistakes.append(Mistake(line, str(wrong)))
            continue
        earlier, _ = drafts.setdefault(draft.external_id, (line, draft))
        if earlier != line:
            words = f'external_id "{draft.external_id}" is there twice, in line {earlier} too; keep one'
            mistakes.append(Mistake(line, words))
    if mistakes:
        raise BadImport(*mistakes)
    return [draft for _, draft in drafts.values()]


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line, by column."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        _check_columns(columns)
        for count, cells in enumerate(reader, 1):
            if count > MAX_ROWS:
                raise BadImport(Mistake(reader.line_num, f"more than {MAX_ROWS} customers; split the file"))
            if len(cells) > len(columns):
                words = f"{len(cells)} cells for {len(columns)} columns; put a text with a comma into quotes"
                raise BadImport(Mistake(reader.line_num, words))
            if cells:
                padded = cells + [""] * (len(columns) - len(cells))
                yield reader.line_num, dict(zip(columns, map(str.strip, padded), strict=True))
    except csv.Error as error:
        raise BadImport(Mistake(reader.line_num, f"no CSV: {error}")) from error


def _check_columns(columns: list[str]) -> None:
    for column in NEEDED:
        if column not in columns:
            words = f'column "{column}" is missing; known are: {", ".join(COLUMNS)}'
            raise BadImport(Mistake(1, words))
    for column in columns:
        if column not in COLUMNS:
            words = f'unknown column "{column[:SHOWN]}"; {suggestion(column, COLUMNS)}'
            raise BadImport(Mistake(1, words))
    if len(set(columns)) != len(columns):
        raise BadImport(Mistake(1, "a column is named twice"))


def _draft(row: Mapping[str, str], rules: Rules) -> CustomerDraft:
    for column in NEEDED:
        if not row[column]:
            raise _Wrong(f"{column} is empty")
    for column, limit in _LIMITS.items():
        if len(row.get(column, "")) > limit:
            raise _Wrong(f"{column}: longer than {limit} characters")
    if not _ID.fullmatch(row["external_id"]):
        shown = row["external_id"][:SHOWN]
        raise _Wrong(f'external_id "{shown}": write letters and digits, with . _ - / between them')
    return CustomerDraft(
        external_id=row["external_id"],
        name=row["name"],
        language=_language(row.get("language", ""), rules.languages),
        tier=_tier(row.get("tier", ""), rules.tiers),
        worth_cents=_whole(row, "worth_cents", MAX_CENTS),
        churn_per_mille=_whole(row, "churn_per_mille", 1_000),
        since=_day(row.get("since", "")),
        remarks=row.get("remarks", ""),
        numbers=tuple(_number(text, rules.region) for text in _several(row, "numbers")),
        emails=tuple(_email(text) for text in _several(row, "emails")),
    )


def _language(cell: str, known: Collection[str]) -> str:
    if cell and cell not in known:
        raise _Wrong(f'language "{cell[:SHOWN]}": write {", ".join(known)} or nothing')
    return cell


def _tier(cell: str, known: Collection[str] | None) -> str:
    if cell and known is not None and cell not in known:
        shown = cell[:SHOWN]
        raise _Wrong(f'tier "{shown}": there is no [worth.{shown}]; {suggestion(cell, known)}')
    return cell


def _whole(row: Mapping[str, str], column: str, most: int) -> int:
    cell = row.get(column, "") or "0"
    if not (cell.isascii() and cell.isdigit() and len(cell) < 20 and int(cell) <= most):
        raise _Wrong(f'{column} "{cell[:SHOWN]}": write a whole number from 0 to {most}')
    return int(cell)


def _day(cell: str) -> date | None:
    try:
        return date.fromisoformat(cell) if cell else None
    except ValueError:
        raise _Wrong(f'since "{cell[:SHOWN]}": write a date like 2019-05-31') from None


def _several(row: Mapping[str, str], column: str) -> list[str]:
    given = [part.strip() for part in row.get(column, "").split(";") if part.strip()]
    if len(given) > MAX_ADDRESSES:
        raise _Wrong(f"{column}: more than {MAX_ADDRESSES}")
    return given


def _number(text: str, region: str) -> str:
    origin = normalise(text, region)
    if origin.kind is not OriginKind.NUMBER:
        raise _Wrong(f'numbers "{text[:SHOWN]}": no phone number; write one like +62215550100')
    return origin.e164


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise _Wrong(f'emails "{text[:SHOWN]}": no mail address; write one like name@company.example')
    return text.lower()
