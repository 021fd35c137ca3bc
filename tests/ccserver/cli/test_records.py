"""Reading what happened: replay decides the same, an export names nobody, explain finds its interaction."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ccserver.cli import records
from ccserver.cli.faults import OperatorFault
from ccserver.cli.initialise import initialise
from ccserver.cli.records import Pseudonyms, exported, replayed
from ccserver.config import Config, load
from ccserver.journal import JournalRecord, encode_record
from routing import events as ev
from routing.effects import Effect
from routing.model import AgentProfile, DeviceState, Medium, Policy, Queue, Requirement
from routing.router import Router
from tests.ccserver.cli.helpers import in_thread

explained = in_thread(records.explained)
migrated = in_thread(records.migrated)
imported = in_thread(records.imported)

POLICY = Policy(
    queues=(Queue("sales", (Requirement("sales", 1),)),), agents=(AgentProfile("ayu", (("sales", 3),)),)
)
FACTS: list[ev.Event] = [
    ev.PolicySet(POLICY),
    ev.DeviceChanged("main/PJSIP/a1", DeviceState.NOT_INUSE),
    ev.SessionOpened("ayu", "s1", "main/PJSIP/a1"),
    ev.AgentReadied("ayu"),
    ev.InteractionArrived("i1", Medium.VOICE, "sales", customer="c-4711", stake_cents=100),
]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    initialise(tmp_path)
    return load(tmp_path / "config" / "ccserver.toml", {})


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    folder.mkdir()
    write(folder, day())
    return folder


def day() -> list[JournalRecord]:
    router = Router()
    return [
        JournalRecord(seq, seq * 1_000_000, fact, tuple(router.handle(fact, seq * 1_000_000)))
        for seq, fact in enumerate(FACTS, 1)
    ]


def write(folder: Path, lines: list[JournalRecord]) -> None:
    (folder / "journal-000000000001.log").write_bytes(b"".join(map(encode_record, lines)))


def test_a_replay_decides_the_same(journal: Path) -> None:
    assert replayed(journal) == records.Replayed(
        "5 records: this release decides the same in all of them.", ()
    )


def test_a_replay_lists_where_it_decides_otherwise(journal: Path) -> None:
    lines = day()
    nothing: tuple[Effect, ...] = ()
    lines[4] = JournalRecord(5, lines[4].at, lines[4].event, nothing)
    write(journal, lines)
    result = replayed(journal)
    assert result.differences == (5,)
    assert result.words == "5 records; this release decides otherwise in 1: 5"


def test_an_export_has_every_record_and_no_name(journal: Path) -> None:
    lines = [json.loads(line) for line in exported(journal)]
    assert [line["event"] for line in lines] == [type(fact).__name__ for fact in FACTS]
    text = json.dumps(lines)
    for name in ("ayu", "c-4711", "s1", "PJSIP/a1"):
        assert f'"{name}"' not in text
    offer = next(fields for kind, fields in lines[4]["effects"] if kind == "MakeOffer")
    assert (offer["agent"], offer["interaction"], offer["device"]) == ("agent-1", "i1", "device-1")
    assert lines[0]["facts"]["policy"]["agents"][0]["id"] == "agent-1"
    assert lines[0]["facts"]["policy"]["queues"][0]["id"] == "sales"
    assert len(list(exported(journal, since=4))) == 1


def test_a_pseudonym_is_the_same_all_along() -> None:
    names = Pseudonyms()
    first = names.replace({"agent": "ayu", "candidates": ["budi", "ayu"], "by": "ayu", "runner_up": ""})
    assert first == {
        "agent": "agent-1",
        "candidates": ["agent-2", "agent-1"],
        "by": "agent-1",
        "runner_up": "",
    }
    assert names.replace({"by": "customer", "customer": "ayu"}) == {
        "by": "customer",
        "customer": "customer-1",
    }


def test_no_journal_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault, match="there is no journal in"):
        replayed(tmp_path)
    with pytest.raises(OperatorFault, match="there is no journal in"):
        list(exported(tmp_path))


def test_an_interaction_nobody_knows_is_one_line(config: Config) -> None:
    migrated(config)
    assert migrated(config) == "The database is of this release."
    with pytest.raises(OperatorFault, match="there is no interaction 'nope'"):
        explained(config, "nope")


def test_a_database_of_an_unknown_kind_is_one_line(config: Config) -> None:
    environ = {"DATABASE_URL": "oracle://db"}
    with pytest.raises(OperatorFault, match="no database of kind"):
        migrated(load(config.file, environ))


def test_customers_are_imported_all_or_none(config: Config, tmp_path: Path) -> None:
    migrated(config)
    file = tmp_path / "customers.csv"
    file.write_text("external_id,name,tier\n1,Ibu Contoh,gold\n2,Pak Contoh,\n", "utf-8")
    assert imported(config, file) == "2 customers added, 0 changed, 0 as they were."
    assert imported(config, file) == "0 customers added, 0 changed, 2 as they were."
    rows = "".join(f"{number},Contoh,golden\n" for number in range(25))
    file.write_text("external_id,name,tier\n3,New,gold\n" + rows, "utf-8")
    with pytest.raises(OperatorFault) as caught:
        imported(config, file)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f'{file}:3: tier "golden": there is no [worth.golden]; did you mean "gold"?')
    assert lines[-2:] == ["… and 5 more", "Nothing was imported."]
    assert len(lines) == 22
    with pytest.raises(OperatorFault, match=r"cannot read .*none.csv: No such file"):
        imported(config, tmp_path / "none.csv")
