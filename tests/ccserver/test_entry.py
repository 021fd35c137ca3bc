"""Call entry without Asterisk: every decision at the door, and look-ups that are slow, late or failing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccserver.config import Config, load
from ccserver.customers.directory import Directory
from ccserver.entry import CallEntry
from ccserver.ids import Ids
from ccserver.store.database import StoreUnavailable
from ccserver.store.rows import ContactRow, CustomerRow, InteractionFacts, InteractionRow, PastInteraction
from channels.asterisk.dialogue import DialogueOutcome
from channels.asterisk.fastagi_codec import Script
from channels.asterisk.fastagi_request import AgiRequest, make_request
from routing import events as ev
from routing.model import InteractionState
from tests.ccserver.desk.room import CONFIG, SECRETS, SITI, Room
from tests.pbx.conftest import on_loop

BILLING, CLOSED, DIALOGUE = "+62215550101", "+62215550103", "+62215550104"
MORE = f"""
[numbers."{CLOSED}"]
queue = "billing"
hours = "office"
[numbers."{DIALOGUE}"]
queue = "billing"
dialogue = "identify"
[hours.office]
friday = ["08:00-17:00"]
closed_prompt = "closed"
[blocked]
numbers = ["+6281300000666"]
[worth.gold]
label = "Gold"
stake_percent = 800
"""
FRIDAY = datetime(2027, 1, 15, 3, 0, tzinfo=UTC)  # ten in the morning in Jakarta


class Agi:
    """One AGI session: what it set and said."""

    def __init__(self, request: AgiRequest, variables: dict[str, str] | None = None) -> None:
        self.request, self.set, self.said = request, dict[str, str](), list[str]()
        self._variables = variables or {}

    async def set_variables(self, variables: dict[str, str]) -> None:
        self.set |= variables

    async def get_variable(self, name: str) -> str | None:
        return self._variables.get(name)

    async def say(self, *words: str, language: str = "") -> str:
        self.said += [language, *words]
        return ""


@dataclass
class Phones:
    """The PBX: `gone` callers cannot be adopted."""

    adopted: list[tuple[str, str]] = field(default_factory=list)
    gone: bool = False
    wait_s: float | None = 130.0

    def adopt(self, pbx: str, interaction: str, uniqueid: str, shown: str) -> bool:
        if not self.gone:
            self.adopted.append((uniqueid, shown))
        return not self.gone

    def position(self, interaction: str) -> int:
        return 2

    def expected_wait_s(self, interaction: str) -> float | None:
        return self.wait_s


@dataclass
class Memory:
    """The store: customers, and what was kept. `gate` holds look-ups back; `away`: they fail."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    away: bool = False
    contacts: list[ContactRow] = field(default_factory=list)
    facts: list[InteractionFacts] = field(default_factory=list)
    open_row: InteractionRow | None = None

    async def customers_by_number(self, e164: str, limit: int = 5) -> list[CustomerRow]:
        await self.gate.wait()
        if self.away:
            raise StoreUnavailable("away")
        return [SITI] if e164 == "+6281200000001" else []

    async def customer_by_external_id(self, external_id: str) -> CustomerRow | None:
        return SITI if external_id == "4711" else None

    async def history(self, customer_id: str, limit: int = 10, except_for: str = "") -> list[PastInteraction]:
        return []

    async def contacts_within(self, customer_id: str, days: int, now_at: int) -> int:
        return 3

    async def interaction(self, interaction_id: str) -> InteractionRow | None:
        return self.open_row

    async def save_contact(self, contact: ContactRow) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.contacts.append(contact)

    async def save_facts(self, interaction: str, facts: InteractionFacts) -> None:
        self.facts.append(facts)


class Door:
    """Call entry over a room's hub."""

    def __init__(self, room: Room, config: Config) -> None:
        self.room, self.config = room, config
        self.phones, self.memory, self.now = Phones(), Memory(), FRIDAY
        self.memory.gate.set()
        self.directory = Directory(self.memory)
        self.entry = self.opened(config)

    def opened(self, config: Config) -> CallEntry:
        return CallEntry(
            config, self.room.hub, Ids(self.room.clock), self.room.contacts, self.directory, self.memory,
            self.phones, lambda: self.now,
        )  # fmt: skip

    async def call(self, number: str = BILLING, caller: str = "081200000001") -> Agi:
        agi = Agi(request(number, caller))
        await self.entry.call(agi)  # type: ignore[arg-type]
        return agi

    @property
    def queued(self) -> list[ev.InteractionArrived]:
        return [e for e in self.posted if isinstance(e, ev.InteractionArrived)]

    posted: list[ev.Event]


def request(number: str, caller: str) -> AgiRequest:
    values = {
        "agi_channel": "PJSIP/trunk-1", "agi_uniqueid": "1700000000.1", "agi_callerid": caller,
        "agi_calleridname": "", "agi_extension": number, "agi_dnid": number, "agi_language": "en",
    }  # fmt: skip
    return make_request(values, Script("call", "", {}), "main", "127.0.0.1:1")


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """Friday morning, nobody logged in."""
    room = Room(tmp_path)
    on_loop(room.open)
    file = tmp_path / "door.toml"
    file.write_text(CONFIG + MORE)
    made = Door(room, load(file, SECRETS))
    made.posted = []
    room.hub.on_record(lambda record: made.posted.append(record.event))
    yield made
    on_loop(made.entry.close)
    on_loop(room.close)


async def settle(door: Door) -> None:
    """What runs in the background is done."""
    await door.entry.close()


async def test_a_known_caller_is_queued_with_the_stake_of_their_tier_before_asterisk_is_answered(
    door: Door,
) -> None:
    agi = await door.call()
    (arrived,) = door.queued
    assert agi.set["ACD_DO"] == "wait"
    assert agi.set["ACD_ID"] == arrived.interaction
    assert (arrived.queue, arrived.customer, arrived.pbx) == ("billing", "k1", "main")
    assert arrived.stake_cents > door.config.stake_cents("")
    assert door.phones.adopted == [("1700000000.1", "+62 812-0000-0001")]
    await settle(door)
    assert door.memory.contacts[0].origin_e164 == "+6281200000001"
    contact = door.room.contacts.get(arrived.interaction)
    assert contact is not None
    assert contact.contacts_7d == 3


async def test_a_number_nobody_configured_is_left_to_the_pbx(door: Door) -> None:
    agi = await door.call("999999")
    assert agi.set == {}
    assert door.queued == []


async def test_a_caller_who_is_gone_already_is_not_queued(door: Door) -> None:
    door.phones.gone = True
    agi = await door.call()
    assert "ACD_DO" not in agi.set
    assert door.queued == []
    assert len(door.room.contacts) == 0


async def test_a_blocked_caller_is_turned_away(door: Door) -> None:
    assert (await door.call(caller="0813 0000 0666")).set["ACD_DO"] == "blocked"
    assert door.queued == []


@pytest.mark.parametrize(
    ("hour_utc", "does"), [(0, "closed"), (1, "wait"), (9, "wait"), (10, "closed")], ids=str
)
async def test_hours_are_those_of_the_site(door: Door, hour_utc: int, does: str) -> None:
    door.now = FRIDAY.replace(hour=hour_utc)
    agi = await door.call(CLOSED)
    assert agi.set["ACD_DO"] == does
    assert agi.set.get("ACD_PROMPT", "closed") == "closed"


@pytest.mark.parametrize(("then", "goes"), [("wait", "wait"), ("hang_up", "")])
async def test_an_emergency_goes_before_everything_but_the_block_list(
    door: Door, then: str, goes: str
) -> None:
    emergency = door.config.emergency.model_copy(update={"active": True, "then": then})
    door.entry = door.opened(door.config.model_copy(update={"emergency": emergency}))
    agi = await door.call(DIALOGUE)
    assert (agi.set["ACD_DO"], agi.set["ACD_THEN"]) == ("emergency", goes)
    assert (await door.call(caller="+6281300000666")).set["ACD_DO"] == "blocked"


async def test_what_was_entered_in_a_dialogue_identifies_and_is_kept(door: Door) -> None:
    agi = await door.call(DIALOGUE, "anonymous")
    assert (agi.set["ACD_DO"], agi.set["ACD_IVR"]) == ("ivr", "identify")
    assert door.queued == []
    given = {"customer_number": "4711", "language": "id", "need": "billing"}
    door.room.clock.at += 30_000_000
    await door.entry.dialogue_ended(agi.request, DialogueOutcome("completed", given))
    queue = Agi(agi.request)
    await door.entry.queue(queue)  # type: ignore[arg-type]
    (arrived,) = door.queued
    assert queue.set["ACD_ID"] == agi.set["ACD_ID"] == arrived.interaction
    assert arrived.customer == "k1"
    contact = door.room.contacts.get(arrived.interaction)
    assert contact is not None
    assert dict(contact.entered) == given
    assert contact.language == "id"
    await settle(door)
    assert InteractionFacts(ivr_us=30_000_000) in door.memory.facts


async def test_a_caller_from_a_dialogue_of_before_a_restart_is_queued_all_the_same(door: Door) -> None:
    queue = Agi(request(DIALOGUE, "0811"))
    await door.entry.queue(queue)  # type: ignore[arg-type]
    assert queue.set["ACD_DO"] == "wait"
    assert len(door.queued) == 1


async def test_a_slow_look_up_delays_no_call_and_its_late_answer_revalues(door: Door) -> None:
    door.memory.gate.clear()
    agi = await door.call()
    (arrived,) = door.queued
    assert (arrived.customer, agi.set["ACD_DO"]) == ("", "wait")
    door.memory.gate.set()
    await settle(door)
    revalued = [event for event in door.posted if isinstance(event, ev.InteractionRevalued)]
    assert [(event.interaction, event.customer) for event in revalued] == [(arrived.interaction, "k1")]
    assert revalued[0].stake_cents > arrived.stake_cents
    contact = door.room.contacts.get(arrived.interaction)
    assert contact is not None
    assert contact.customer_id == "k1"


async def test_a_late_answer_for_a_caller_who_has_left_revalues_nobody(door: Door) -> None:
    door.memory.gate.clear()
    await door.call()
    interaction = door.queued[0].interaction
    door.room.hub.post(ev.CustomerLeft(interaction))
    door.memory.gate.set()
    await settle(door)
    assert not [event for event in door.posted if isinstance(event, ev.InteractionRevalued)]


async def test_a_database_that_is_away_stops_no_call_and_gets_the_contact_when_it_is_back(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ccserver.entry.KEEP_AGAIN_AFTER_S", (0.01,) * 100)
    door.memory.away = True
    agi = await door.call()
    assert door.memory.contacts == []
    door.memory.away = False
    await settle(door)
    assert len(door.memory.contacts) == 1
    assert agi.set["ACD_DO"] == "wait"
    assert door.room.hub.router.interactions[agi.set["ACD_ID"]].state is InteractionState.WAITING


@pytest.mark.parametrize(
    ("position", "wait", "said"),
    [
        (
            True,
            True,
            ["en", "you-are-number", "n-2", "in-the-queue", "estimated-wait", "about", "n-3", "minutes"],
        ),
        (True, False, ["en", "you-are-number", "n-2", "in-the-queue"]),
        (False, True, ["en", "estimated-wait", "about", "n-3", "minutes"]),
        (False, False, ["en"]),
    ],
)
async def test_those_who_wait_hear_what_the_site_wishes(
    door: Door, position: bool, wait: bool, said: list[str]
) -> None:
    announce = door.config.announce.model_copy(update={"position": position, "wait": wait, "every_s": 45})
    door.entry = door.opened(door.config.model_copy(update={"announce": announce}))
    agi = await door.call()
    asks = Agi(agi.request, {"ACD_ID": agi.set["ACD_ID"]})
    await door.entry.announce(asks)  # type: ignore[arg-type]
    assert asks.said == said
    assert asks.set == {"ACD_ANNOUNCE": str(int(FRIDAY.timestamp()) + 45)}


async def test_nothing_is_said_to_somebody_who_does_not_wait(door: Door) -> None:
    asks = Agi(request(BILLING, "0811"), {"ACD_ID": "i-unknown"})
    await door.entry.announce(asks)  # type: ignore[arg-type]
    assert (asks.said, asks.set) == ([], {})


async def test_after_a_restart_contacts_are_taken_up_from_the_store(door: Door) -> None:
    agi = await door.call()
    await settle(door)
    interaction = agi.set["ACD_ID"]
    kept = door.memory.contacts[0]
    door.room.contacts.drop(interaction)
    door.memory.open_row = _row(interaction, kept)
    door.entry.take_up()
    await settle(door)
    contact = door.room.contacts.get(interaction)
    assert contact is not None
    assert (contact.label, contact.destination) == (SITI.name, BILLING)


def _row(interaction: str, contact: ContactRow) -> InteractionRow:
    """An open interaction with this contact; the rest is of no interest here."""
    blank = InteractionRow.__new__(InteractionRow)
    for name in InteractionRow.__dataclass_fields__:
        object.__setattr__(blank, name, "")
    return replace(blank, id=interaction, contact=contact)
