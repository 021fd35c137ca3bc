"""Customers out of a CSV file: all of it, or every mistake by its line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from ccserver.config import load
from ccserver.customers.identity import normalise
from ccserver.customers.importing import COLUMNS, BadImport, Rules, import_customers, parse_customers
from ccserver.store.rows import CustomerDraft, Saved

RULES = Rules("ID", ("standard", "gold"))
HEAD = "external_id,name,language,tier,worth_cents,churn_per_mille,since,numbers,emails,remarks\n"
DEMO = Path(__file__).parents[3] / "config" / "demo"
SECRETS = {"CCSERVER_PBX__DEMO__SECRET": "s" * 32, "CCSERVER_PBX__DEMO__FASTAGI_SECRET": "f" * 32}


class Sink:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.saved: list[CustomerDraft] = []

    async def save_customers(self, drafts: Sequence[CustomerDraft]) -> Saved:
        self.saved += drafts
        return Saved(added=len(drafts))


def words(text: str) -> list[str]:
    with pytest.raises(BadImport) as caught:
        parse_customers(text, RULES)
    return [f"{mistake.line}: {mistake.words}" for mistake in caught.value.mistakes]


def test_a_whole_row() -> None:
    row = '1001,"Contoh, Siti",id,gold,1200,250,2019-05-31,'
    row += '0840 5550 0001;+6284055500002,S@Contoh.example,"a ""b"""\n'
    assert parse_customers(HEAD + row, RULES) == [
        CustomerDraft(
            external_id="1001",
            name="Contoh, Siti",
            language="id",
            tier="gold",
            worth_cents=1200,
            churn_per_mille=250,
            since=date(2019, 5, 31),
            remarks='a "b"',
            numbers=("+6284055500001", "+6284055500002"),
            emails=("s@contoh.example",),
        )
    ]


def test_few_columns_short_rows_and_empty_lines_are_fine() -> None:
    text = "name,external_id,remarks\nJoko,1\n\nSiti,2,x\n"
    assert [(d.external_id, d.remarks) for d in parse_customers(text, RULES)] == [("1", ""), ("2", "x")]


def test_every_mistake_is_told_with_its_line() -> None:
    rows = "1,Siti\n,Joko\n2,\n1,Again\n"
    assert words("external_id,name\n" + rows) == [
        "3: external_id is empty",
        "4: name is empty",
        '5: external_id "1" is there twice, in line 2 too; keep one',
    ]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("1,x,de", 'language "de": write en, id or nothing'),
        ("1,x,,golden", 'tier "golden": there is no [worth.golden]; did you mean "gold"?'),
        ("1,x,,,-1", 'worth_cents "-1": write a whole number'),
        ("1,x,,,1.5", 'worth_cents "1.5"'),
        ("1,x,,,٣", 'worth_cents "٣"'),
        ("1,x,,," + "9" * 30, "worth_cents"),
        ("1,x,,,,1001", 'churn_per_mille "1001": write a whole number from 0 to 1000'),
        ("1,x,,,,,31.5.2019", 'since "31.5.2019": write a date like'),
        ("1,x,,,,,,anonymous", 'numbers "anonymous": no phone number'),
        ("1,x,,,,,,<script>", 'numbers "<script>": no phone number'),
        ("1,x,,,,,," + ";".join(["+62811234567"] * 11), "numbers: more than 10"),
        ("1,x,,,,,,,nobody", 'emails "nobody": no mail address'),
        ("=cmd|' /C calc'!A0,x", "external_id"),
        ("1," + "x" * 201, "name: longer than 200 characters"),
        ("1,x,,,,,,,,y,z", "11 cells for 10 columns"),
        ('1,"x', "no CSV"),
    ],
)
def test_a_wrong_cell_says_what_to_write(cells: str, said: str) -> None:
    (told,) = words(HEAD + cells + "\n")
    assert told.startswith("2: ")
    assert said in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 'column "external_id" is missing'),
        ("external_id\n", 'column "name" is missing'),
        ("external_id,name,mails\n", 'unknown column "mails"; did you mean "emails"?'),
        ("external_id,name,name\n", "named twice"),
        ("\x00\x01\xff", 'column "external_id" is missing'),
    ],
)
def test_a_wrong_first_line(text: str, said: str) -> None:
    (told,) = words(text)
    assert said in told


async def test_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    path, sink = tmp_path / "c.csv", Sink()
    path.write_text("external_id,name\n1,Café\n", encoding="utf-8-sig")
    assert await import_customers(sink, path, RULES) == Saved(added=1)
    assert sink.saved[0].name == "Café"


async def test_nothing_is_saved_of_a_file_with_a_mistake(tmp_path: Path) -> None:
    path, sink = tmp_path / "c.csv", Sink()
    path.write_bytes(b"external_id,name\n1,Caf\xe9\n")
    with pytest.raises(BadImport, match="byte 22 is not UTF-8"):
        await import_customers(sink, path, RULES)
    assert sink.saved == []


def test_the_demo_customers_are_good_invented_and_nobodys_numbers() -> None:
    config = load(DEMO / "ccserver.toml", SECRETS)
    text = (DEMO / "customers.csv").read_text(encoding="utf-8")
    drafts = parse_customers(text, Rules(config.site.region, tuple(config.worth)))
    assert 50 <= len(drafts) <= 80
    assert all(draft.name.endswith("(demo)") for draft in drafts)
    numbers = [number for draft in drafts for number in draft.numbers]
    # +62 840 is assigned to nobody; the e-mail domains are reserved for examples.
    assert all(number.startswith("+62840555") for number in numbers)
    assert all(mail.endswith(".example") for draft in drafts for mail in draft.emails)
    assert [normalise(number, "ID").e164 for number in numbers] == numbers
    assert {draft.tier for draft in drafts} == set(config.worth)
    assert all(draft.external_id.isdigit() for draft in drafts), "callers type it on their phones"
    assert len(set(numbers)) < len(numbers), "two share a telephone, so that several matches can be seen"


def test_the_columns_are_those_of_the_documentation() -> None:
    head = (DEMO / "customers.csv").read_text(encoding="utf-8").splitlines()[0]
    assert set(next(csv.reader([head]))) == set(COLUMNS)
