"""Customers from CSV: all of them or none, every wrong line named."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ccserver.cli import customer_file, records
from ccserver.cli.customer_file import read
from ccserver.cli.faults import OperatorFault
from ccserver.cli.initialise import initialise
from ccserver.config import Config, load
from ccserver.store.rows import CustomerDraft
from tests.ccserver.cli.helpers import in_thread

imported = in_thread(customer_file.imported)
migrated = in_thread(records.migrated)

GOOD = (
    "external_id,name,tier,worth_cents,since,numbers,emails,language\n"
    '4711,"Contoh, Ibu",gold,1200,2019-05-31,0215550199;+62215550198,a@b.example,id\n'
    "\n"
    "4712,Pak Contoh\n"
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    initialise(tmp_path)
    return load(tmp_path / "config" / "ccserver.toml", {})


def write(tmp_path: Path, content: str | bytes) -> Path:
    file = tmp_path / "customers.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_a_good_file_is_read(config: Config, tmp_path: Path) -> None:
    first, second = read(config, write(tmp_path, "\ufeff" + GOOD))
    assert first == CustomerDraft(
        "4711",
        "Contoh, Ibu",
        "id",
        "gold",
        1200,
        since=dt.date(2019, 5, 31),
        numbers=("+62215550199", "+62215550198"),
        emails=("a@b.example",),
    )
    assert second == CustomerDraft("4712", "Pak Contoh")


def test_importing_twice_changes_nothing(config: Config, tmp_path: Path) -> None:
    migrated(config)
    file = write(tmp_path, GOOD)
    assert imported(config, file) == "2 customers added, 0 changed, 0 as they were."
    assert imported(config, file) == "0 customers added, 0 changed, 2 as they were."
    file.write_text(GOOD.replace("1200", "1300"), "utf-8")
    assert imported(config, file) == "0 customers added, 1 changed, 1 as they were."


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("4712,Pak Contoh", ",Pak Contoh", ":4: external_id is empty"),
        ("gold", "golden", ':2: tier "golden": there is no [worth.golden]; did you mean "gold"?'),
        ("1200", "12.00", ':2: worth_cents "12.00": write a whole number'),
        ("1200", "-1", ':2: worth_cents "-1": write a whole number'),
        ("2019-05-31", "31.5.2019", ':2: since "31.5.2019": write a date like'),
        ("0215550199", "call me", ':2: numbers "call me": no phone number'),
        (",id\n", ",de\n", ':2: language "de": write en, id or nothing'),
        ("4712", "4711", 'external_id "4711" is there twice'),
        ("external_id,", "id,", ':1: column "external_id" is missing'),
        ("emails", "mails", ':1: unknown column "mails"; did you mean "emails"?'),
        ('"Contoh, Ibu"', '"Contoh" Ibu', ":2: no CSV"),
    ],
)
def test_a_wrong_line_is_named(config: Config, tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(OperatorFault) as caught:
        read(config, write(tmp_path, GOOD.replace(old, new)))
    assert words in str(caught.value)


def test_all_wrong_lines_are_listed_up_to_twenty(config: Config, tmp_path: Path) -> None:
    rows = "".join(f"{number},\n" for number in range(30))
    with pytest.raises(OperatorFault) as caught:
        read(config, write(tmp_path, "external_id,name\n" + rows))
    lines = str(caught.value).splitlines()
    assert len(lines) == 22
    assert lines[-2:] == ["… and 10 more", "Nothing was imported."]


@pytest.mark.parametrize(("content", "words"), [(b"\xff\xfe", "not UTF-8"), (b"", 'column "external_id"')])
def test_what_is_no_customer_file_is_refused(
    config: Config, tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(OperatorFault, match=words):
        read(config, write(tmp_path, content))


def test_a_missing_file_is_one_line(config: Config, tmp_path: Path) -> None:
    with pytest.raises(OperatorFault, match="cannot read"):
        read(config, tmp_path / "none.csv")
