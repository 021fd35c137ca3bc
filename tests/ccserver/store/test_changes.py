"""What a record changes: pure, no database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ccserver.store.changes import (
    Add,
    EndTalk,
    EndWrapUp,
    LinkRepeats,
    Put,
    RowChange,
    Set,
    SumTimes,
    changes_of,
    merge,
    utc_of,
)
from routing import effects as ef
from routing import events as ev
from routing.model import AgentStatus, DeviceState, Medium, OfferState, Outcome, Policy
from tests.ccserver.store.life import MONDAY, WHY, S, Written, make_offer


def changes(event: ev.Event, *effects: ef.Effect, fault: bool = False) -> list[RowChange]:
    return changes_of(Written(7, MONDAY, event, effects, fault))


ARRIVED = ev.InteractionArrived("i1", Medium.VOICE, "sales", "c1", "cus_1", 5_000, pbx="main")
QUEUED = ef.InteractionQueued("i1", Medium.VOICE, "sales", "c1", "cus_1", 5_000, MONDAY - S, False)


def test_an_arrival_opens_interaction_and_conversation_and_looks_for_what_it_repeats() -> None:
    door, line, conversation, repeats = changes(ARRIVED, QUEUED)
    assert isinstance(door, Put)
    assert door.values == {"medium": "voice", "queue": "sales", "pbx": "main"}
    assert door.first == {"arrived_at": MONDAY, "arrived_utc": utc_of(MONDAY)}
    assert isinstance(line, Put)
    assert (line.key, line.values["customer_id"], line.first["queued_at"]) == (("i1",), "cus_1", MONDAY - S)
    assert conversation == Put("conversations", ("c1",), {}, {"opened_at": MONDAY - S})
    assert repeats == LinkRepeats("i1")


def test_who_is_not_known_is_not_forgotten_when_they_come_back_in_line() -> None:
    again = ef.InteractionQueued("i1", Medium.VOICE, "sales", "c1", "", 5_000, MONDAY, True)
    line, _ = changes(ev.TimePassed(), again)
    assert isinstance(line, Put)
    assert "customer_id" not in line.values


def test_what_the_router_refused_changes_nothing() -> None:
    assert changes(ARRIVED, ef.Refused("InteractionArrived", "here already")) == []
    assert changes(ARRIVED, fault=True) == []


@pytest.mark.parametrize(
    "event",
    [
        ev.PolicySet(Policy()),
        ev.DeviceChanged("main/a1", DeviceState.RINGING),
        ev.TimePassed(),
        ev.OfferAccepted("i1.1"),
        ev.WrapUpExtended("i1", "ayu", 30),
    ],
)
def test_what_has_no_place_in_the_database(event: ev.Event) -> None:
    assert changes(event) == []


def test_a_late_look_up_revalues() -> None:
    assert changes(ev.InteractionRevalued("i1", "cus_1", 9_000)) == [
        Put("interactions", ("i1",), {"customer_id": "cus_1", "stake_cents": 9_000}),
        LinkRepeats("i1"),
    ]
    unvalued, _ = changes(ev.InteractionRevalued("i1", "cus_1", 0))
    assert unvalued == Put("interactions", ("i1",), {"customer_id": "cus_1"})


def test_a_transfer_is_counted_an_overflow_is_not() -> None:
    assert changes(ev.InteractionMoved("i1", "billing", "ayu")) == [Add("i1", "transfers")]
    assert changes(ev.InteractionMoved("i1", "billing")) == []


def test_an_offer_is_a_decision_with_its_reasons_and_ends() -> None:
    (made,) = changes(ev.TimePassed(), make_offer("i1.1", "i1", "ayu", MONDAY))
    assert isinstance(made, Put)
    assert (made.table, made.key, made.values["seq"], made.values["outcome"]) == (
        "decisions",
        ("i1.1",),
        7,
        "OPEN",
    )
    explanation = made.values["explanation"]
    assert isinstance(explanation, dict)
    assert explanation["runner_up"] == WHY.runner_up
    expired = ef.EndOffer("i1.1", "i1", "ayu", OfferState.EXPIRED, "no_answer")
    ended = Set("decisions", ("i1.1",), {"outcome": "EXPIRED", "cause": "no_answer"})
    assert changes(ev.TimePassed(), expired) == [ended, Add("i1", "offers_missed")]
    revoked = ef.EndOffer("i1.1", "i1", "ayu", OfferState.REVOKED, "customer_left")
    assert len(changes(ev.TimePassed(), revoked)) == 1


def test_a_conversation_from_answer_to_wrap_up() -> None:
    connect = ef.Connect("i1.1", "i1", "ayu", MONDAY)
    assert changes(ev.OfferAccepted("i1.1"), connect) == [
        Set("decisions", ("i1.1",), {"outcome": "ACCEPTED"})
    ]
    segment, interaction, _ = changes(
        ev.ConnectionMade("i1.1"), ef.SegmentStarted("i1", "i1.1", "ayu", "sales", MONDAY, 3 * S)
    )
    assert isinstance(segment, Put)
    assert isinstance(interaction, Put)
    assert (segment.table, interaction.values) == ("segments", {"wait_us": 3 * S})
    assert interaction.first["answered_at"] == MONDAY
    wrap_up = ef.WrapUpStarted("i1", "ayu", MONDAY, MONDAY + S, "customer")
    assert changes(ev.CustomerLeft("i1"), wrap_up) == [
        EndTalk("i1", "ayu", MONDAY, "customer"),
        SumTimes("i1"),
    ]
    extended = ef.WrapUpStarted("i1", "ayu", MONDAY, MONDAY + S, "extended")
    assert changes(ev.TimePassed(), extended) == []
    done = ef.SegmentEnded("i1", "ayu", MONDAY, "sold", True)
    assert changes(ev.TimePassed(), done) == [EndWrapUp("i1", "ayu", MONDAY, "sold", True), SumTimes("i1")]


def test_an_end_is_what_it_was_for_the_customer() -> None:
    closed = ef.InteractionClosed("i1", Medium.VOICE, "sales", Outcome.ABANDONED, MONDAY - S, 9 * S)
    (end,) = changes(ev.TimePassed(), closed)
    assert isinstance(end, Put)
    assert (end.values["outcome"], end.values["ended_at"], end.values["wait_us"]) == (
        "abandoned",
        MONDAY - S,
        9 * S,
    )


def test_agent_states_are_a_history() -> None:
    first = ef.AgentChanged("ayu", "s1", AgentStatus.NOT_READY, "login", MONDAY)
    second = ef.AgentChanged("ayu", "s1", AgentStatus.READY, "", MONDAY)
    rows = changes(ev.AgentReadied("ayu"), first, second)
    assert [(row.table, row.key) for row in rows if isinstance(row, Put)] == [
        ("agent_states", (7, 0)),
        ("agent_states", (7, 1)),
    ]


def test_router_time_is_utc_for_people() -> None:
    assert utc_of(MONDAY) == datetime(2025, 11, 17, tzinfo=UTC)


def test_changes_of_one_row_become_one() -> None:
    merged = merge(
        [
            Put("interactions", ("i1",), {"queue": "sales"}, {"queued_at": 1}),
            Put("decisions", ("o1",), {"outcome": "OPEN"}),
            Set("decisions", ("o1",), {"outcome": "EXPIRED"}),
            Set("decisions", ("o0",), {"outcome": "ACCEPTED"}),
            Set("decisions", ("o0",), {"cause": "x"}),
            Put("interactions", ("i1",), {"queue": "billing"}, {"queued_at": 2}),
            Add("i1", "transfers"),
            Add("i1", "transfers"),
            SumTimes("i1"),
            SumTimes("i1"),
            LinkRepeats("i1"),
        ]
    )
    assert list(merged.puts.values()) == [
        Put("interactions", ("i1",), {"queue": "billing"}, {"queued_at": 1}),
        Put("decisions", ("o1",), {"outcome": "EXPIRED"}),
    ]
    assert list(merged.sets.values()) == [Set("decisions", ("o0",), {"outcome": "ACCEPTED", "cause": "x"})]
    assert (merged.adds, list(merged.sums), list(merged.links)) == (
        {Add("i1", "transfers"): 2},
        ["i1"],
        ["i1"],
    )
