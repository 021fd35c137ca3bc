"""The pure voice model: orders as AMI actions, AMI events as routing's facts, and the races between."""

from __future__ import annotations

import pytest

from channels.asterisk.voice_legs import Action, OpenCall
from channels.asterisk.voice_model import VoiceModel
from routing.effects import EndOffer, MakeOffer
from routing.events import (
    AgentLeft,
    ConnectFailed,
    ConnectionMade,
    CustomerLeft,
    DeviceChanged,
    Event,
    InteractionFlowedOut,
    OfferAccepted,
    OfferRejected,
)
from routing.model import DeviceState, Explanation, Medium, OfferState, RejectCause

CALLER, LEG = "1700.1", "cc-i1.1"
WHY = Explanation("longest_idle", "billing", 0, 1, 0, 0, 1, 0)


class Message:
    """An AMI event."""

    def __init__(self, name: str, fields: dict[str, str]) -> None:
        self.name, self._fields = name, fields

    def get(self, name: str, default: str = "") -> str:
        return self._fields.get(name, default)


class Pbx:
    """A model with one caller at the door; `say` gives it an event."""

    def __init__(self, phones: tuple[str, ...] = ("PJSIP/a1", "PJSIP/a2")) -> None:
        self.model = VoiceModel("main", phones)
        self.say("Newchannel", Uniqueid=CALLER, Channel="PJSIP/trunk-1", ChannelState="4")
        assert self.model.adopt("i1", CALLER, "+62 812-0000-001")

    def say(self, name: str, **fields: str) -> list[Event]:
        return self.model.handle(Message(name, fields))

    def offer(self, device: str = "main/PJSIP/a1", number: int = 1) -> list[Action]:
        return self.model.order(
            MakeOffer(
                f"i1.{number}",
                "i1",
                Medium.VOICE,
                "billing",
                "ayu",
                "s1",
                device,
                0,
                1_000_000,
                21_000_000,
                WHY,
            )
        )

    def ring(self) -> None:
        self.say("Newchannel", Uniqueid=LEG, Channel="PJSIP/a1-1", ChannelState="0")

    def answer(self) -> list[Event]:
        return self.say("Newstate", Uniqueid=LEG, Channel="PJSIP/a1-1", ChannelState="6")

    def bridge(self) -> list[Event]:
        facts = self.say("BridgeEnter", Uniqueid=LEG, Channel="PJSIP/a1-1", BridgeUniqueid="b1")
        return facts + self.say("BridgeEnter", Uniqueid=CALLER, Channel="PJSIP/trunk-1", BridgeUniqueid="b1")

    def gone(self, uniqueid: str, cause: str = "16") -> list[Event]:
        return self.say("Hangup", Uniqueid=uniqueid, Cause=cause)

    def talk(self) -> None:
        self.offer()
        self.ring()
        self.answer()
        self.bridge()

    def stop(self, number: int = 1) -> list[Action]:
        return self.model.order(EndOffer(f"i1.{number}", "i1", "ayu", OfferState.REVOKED, "customer_left"))

    def row(
        self, uniqueid: str, channel: str, interaction: str = "", call: OpenCall | None = None, **more: str
    ) -> list[Event]:
        fields = {"Uniqueid": uniqueid, "Channel": channel, "ChannelState": "6", **more}
        return self.model.take_row(Message("Status", fields), interaction, call)


def hang_up_of(actions: list[Action]) -> list[str]:
    return [dict(action.fields)["Channel"] for action in actions if action.name == "Hangup"]


# -- the ordinary way ----------------------------------------------------------------------------------------


def test_an_offer_rings_the_phone_under_our_own_id_and_bridges_it_to_the_caller() -> None:
    (action,) = Pbx().offer()
    fields = dict(action.fields)
    assert (action.name, action.offer) == ("Originate", "i1.1")
    assert fields["Channel"] == "PJSIP/a1"
    assert fields["ChannelId"] == LEG
    assert (fields["Application"], fields["Data"]) == ("Bridge", "PJSIP/trunk-1,F(acd-after^s^1)")
    assert fields["CallerID"] == "+62 812-0000-001"
    assert int(fields["Timeout"]) == 22_000, "a little longer than the router's own deadline"
    assert fields["Async"] == "true"


def test_ringing_answer_and_bridge_become_accepted_and_connected_once_each() -> None:
    pbx = Pbx()
    pbx.offer()
    pbx.ring()
    assert pbx.answer() == [OfferAccepted("i1.1")]
    assert pbx.answer() == []
    assert pbx.bridge() == [ConnectionMade("i1.1")]
    assert pbx.bridge() == []


def test_a_bridge_seen_before_the_answer_tells_both_in_order() -> None:
    pbx = Pbx()
    pbx.offer()
    pbx.ring()
    assert pbx.bridge() == [OfferAccepted("i1.1"), ConnectionMade("i1.1")]


def test_two_legs_in_different_bridges_are_not_connected() -> None:
    pbx = Pbx()
    pbx.offer()
    pbx.ring()
    pbx.answer()
    assert pbx.say("BridgeEnter", Uniqueid=CALLER, BridgeUniqueid="hold") == []
    assert pbx.say("BridgeEnter", Uniqueid=LEG, BridgeUniqueid="b1") == []
    pbx.say("BridgeLeave", Uniqueid=CALLER, BridgeUniqueid="hold")
    assert pbx.say("BridgeEnter", Uniqueid=CALLER, BridgeUniqueid="b1") == [ConnectionMade("i1.1")]


def test_a_renamed_caller_is_bridged_by_the_new_name() -> None:
    pbx = Pbx()
    pbx.say("Rename", Uniqueid=CALLER, Newname="PJSIP/trunk-9")
    (action,) = pbx.offer()
    assert dict(action.fields)["Data"].startswith("PJSIP/trunk-9,")


# -- ends ----------------------------------------------------------------------------------------------------


def test_the_caller_hanging_up_is_told_once_and_the_agents_leg_is_no_news_then() -> None:
    pbx = Pbx()
    pbx.talk()
    assert pbx.gone(CALLER) == [CustomerLeft("i1")]
    assert pbx.gone(LEG) == []
    assert pbx.model.channels == {}
    assert pbx.model.legs == {}


def test_the_agent_hanging_up_is_told_and_the_caller_then_is_no_news() -> None:
    pbx = Pbx()
    pbx.talk()
    assert pbx.gone(LEG) == [AgentLeft("i1", "ayu")]
    assert pbx.gone(CALLER) == []


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        ("17", RejectCause.BUSY),
        ("21", RejectCause.DECLINED),
        ("19", RejectCause.UNREACHABLE),
        ("", RejectCause.UNREACHABLE),
    ],
)
def test_a_leg_that_ends_unanswered_says_why(cause: str, why: RejectCause) -> None:
    pbx = Pbx()
    pbx.offer()
    pbx.ring()
    assert pbx.gone(LEG, cause) == [OfferRejected("i1.1", why)]


def test_a_leg_that_ends_between_answer_and_bridge_is_a_failed_connection() -> None:
    pbx = Pbx()
    pbx.offer()
    pbx.ring()
    pbx.answer()
    assert pbx.gone(LEG) == [ConnectFailed("i1.1")]


def test_an_originate_that_never_had_a_channel_is_rejected_once() -> None:
    pbx = Pbx()
    pbx.offer()
    assert pbx.say("OriginateResponse", Uniqueid=LEG, Response="Failure") == [
        OfferRejected("i1.1", RejectCause.UNREACHABLE)
    ]
    assert pbx.model.originate_failed("i1.1") == []


def test_an_originate_response_is_no_news_once_the_leg_was_seen() -> None:
    pbx = Pbx()
    pbx.offer()
    pbx.ring()
    assert pbx.say("OriginateResponse", Uniqueid=LEG, Response="Failure") == []
    assert pbx.say("OriginateResponse", Uniqueid=LEG, Response="Success") == []


# -- races ---------------------------------------------------------------------------------------------------


def test_a_caller_who_died_before_being_adopted_is_not_adopted() -> None:
    pbx = Pbx()
    pbx.say("Newchannel", Uniqueid="2", Channel="PJSIP/trunk-2", ChannelState="4")
    pbx.gone("2")
    assert not pbx.model.adopt("i2", "2")
    assert "i2" not in pbx.model.callers


def test_ending_an_offer_hangs_the_leg_up_and_its_end_is_no_news() -> None:
    pbx = Pbx()
    pbx.offer()
    pbx.ring()
    assert hang_up_of(pbx.stop()) == [LEG]
    assert pbx.gone(LEG) == []


def test_an_offer_ended_before_asterisk_made_the_leg_hangs_it_up_when_it_comes() -> None:
    pbx = Pbx()
    pbx.offer()
    assert hang_up_of(pbx.stop()) == [LEG]
    pbx.ring()
    assert hang_up_of(pbx.model.due) == [LEG]
    assert pbx.answer() == [], "an ended offer is not accepted any more"


def test_an_offer_for_a_caller_who_left_meanwhile_orders_nothing() -> None:
    pbx = Pbx()
    pbx.gone(CALLER)
    assert pbx.offer() == []


def test_the_same_offer_twice_rings_once() -> None:
    pbx = Pbx()
    assert len(pbx.offer()) == 1
    assert pbx.offer() == []


@pytest.mark.parametrize("device", ["other/PJSIP/a1", "main/PJSIP/nobody"])
def test_a_phone_that_is_not_on_the_callers_pbx_is_refused_without_an_action(device: str) -> None:
    (action,) = Pbx().offer(device)
    assert (action.name, action.offer) == ("", "i1.1")


def test_a_channel_name_that_could_break_the_data_is_never_sent() -> None:
    pbx = Pbx()
    pbx.say("Rename", Uniqueid=CALLER, Newname="PJSIP/x,F(evil^s^1)")
    (action,) = pbx.offer()
    assert action.name == ""


def test_what_is_shown_on_the_phone_is_short_and_harmless() -> None:
    pbx = Pbx()
    pbx.model.adopt("i1", CALLER, '"<script>\r\nAction: Originate' + "9" * 100)
    fields = dict(pbx.offer()[0].fields)
    assert not set(fields["CallerID"]) & set('"<>\r\n:')
    assert len(fields["CallerID"]) <= 40


# -- transfers, hold, desk orders ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "header"),
    [
        ("BlindTransfer", "TransfererUniqueid"),
        ("AttendedTransfer", "OrigTransfererUniqueid"),
        ("AttendedTransfer", "SecondTransfererUniqueid"),
    ],
)
def test_a_transfer_at_the_phone_flows_out_and_never_hangs_the_caller_up(event: str, header: str) -> None:
    pbx = Pbx()
    pbx.talk()
    pbx.say(event, **{header: LEG, "Result": "Success"})
    assert pbx.gone(LEG) == [InteractionFlowedOut("i1", "transfer")]
    assert pbx.model.due == []
    assert pbx.gone(CALLER) == [], "they talk with somebody else; their end is not ours"


def test_a_transfer_that_failed_changes_nothing() -> None:
    pbx = Pbx()
    pbx.talk()
    pbx.say("BlindTransfer", TransfererUniqueid=LEG, Result="Failed")
    assert pbx.gone(LEG) == [AgentLeft("i1", "ayu")]


def test_sending_back_lets_the_caller_wait_and_the_agents_leg_end_without_news() -> None:
    pbx = Pbx()
    pbx.talk()
    done, redirect = pbx.model.send_back("i1")
    assert dict(done.fields) == {"Channel": "PJSIP/trunk-1", "Variable": "ACD_DONE", "Value": ""}
    assert dict(redirect.fields)["Context"] == "acd-wait"
    assert pbx.gone(LEG) == []
    assert len(pbx.offer("main/PJSIP/a2", 2)) == 1
    assert pbx.gone(CALLER) == [CustomerLeft("i1")]


def test_nobody_who_is_not_talking_can_be_sent_back_or_hung_up() -> None:
    pbx = Pbx()
    assert pbx.model.send_back("i1") == []
    assert pbx.model.hang_up_agent("i1") == []
    pbx.offer()
    pbx.ring()
    assert pbx.model.send_back("i1") == []


def test_hanging_up_at_the_desk_ends_the_agents_leg() -> None:
    pbx = Pbx()
    pbx.talk()
    assert hang_up_of(pbx.model.hang_up_agent("i1")) == [LEG]


def test_hold_and_unhold_at_the_phone_are_told_of_our_legs_only() -> None:
    pbx, told = Pbx(), []
    pbx.model.on_hold = lambda interaction, held: told.append((interaction, held))
    pbx.talk()
    pbx.say("Hold", Uniqueid=LEG)
    pbx.say("Unhold", Uniqueid=LEG)
    pbx.say("Hold", Uniqueid="other")
    assert told == [("i1", True), ("i1", False)]


@pytest.mark.parametrize(
    ("endpoint", "number", "count"),
    [
        ("PJSIP/a1", "0811222333", 1),
        ("PJSIP/a1", "+62811222333", 1),
        ("PJSIP/a9", "0811222333", 0),
        ("PJSIP/a1", "0811@trunk", 0),
        ("PJSIP/a1", "1", 0),
        ("PJSIP/a1", "9" * 16, 0),
        ("PJSIP/a1", "١٢٣٤٥", 0),
    ],
)
def test_only_numbers_are_dialled_and_only_from_our_phones(endpoint: str, number: str, count: int) -> None:
    actions = Pbx().model.dial(endpoint, number)
    assert len(actions) == count
    for action in actions:
        assert dict(action.fields)["Context"] == "ccserver-phones"


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("NOT_INUSE", DeviceState.NOT_INUSE),
        ("UNAVAILABLE", DeviceState.UNAVAILABLE),
        ("INVALID", DeviceState.UNKNOWN),
        ("RINGINUSE", DeviceState.BUSY),
        ("SOMETHING_NEW", DeviceState.BUSY),
    ],
)
def test_states_of_our_phones_are_told(words: str, state: DeviceState) -> None:
    pbx = Pbx()
    assert pbx.say("DeviceStateChange", Device="PJSIP/a1", State=words) == [
        DeviceChanged("main/PJSIP/a1", state)
    ]
    assert pbx.say("DeviceStateChange", Device="PJSIP/trunk", State=words) == []


def test_an_event_nobody_knows_says_nothing() -> None:
    assert Pbx().say("FullyBooted") == []


# -- the whole picture ---------------------------------------------------------------------------------------


def compared(pbx: Pbx, *calls: OpenCall) -> list[Event]:
    return pbx.model.end_compare({call.interaction: call for call in calls})


def test_what_the_pbx_does_not_list_any_more_is_gone() -> None:
    pbx = Pbx()
    pbx.talk()
    pbx.model.begin_compare()
    assert compared(pbx) == [CustomerLeft("i1")]


def test_a_channel_that_comes_while_the_list_is_being_sent_is_kept() -> None:
    pbx = Pbx()
    pbx.model.begin_compare()
    pbx.row(CALLER, "PJSIP/trunk-1")
    pbx.say("Newchannel", Uniqueid="2", Channel="PJSIP/trunk-2", ChannelState="4")
    pbx.model.adopt("i2", "2")
    assert compared(pbx, OpenCall("i1"), OpenCall("i2")) == []


def test_a_row_older_than_the_hangup_does_not_bring_the_channel_back() -> None:
    pbx = Pbx()
    pbx.model.begin_compare()
    assert pbx.gone(CALLER) == [CustomerLeft("i1")]
    pbx.row(CALLER, "PJSIP/trunk-1", "i1", OpenCall("i1"))
    assert pbx.model.channels == {}
    assert compared(pbx) == []


def test_after_a_restart_callers_are_adopted_and_those_who_left_meanwhile_are_told() -> None:
    pbx = Pbx()
    pbx.model.begin_compare()
    waiting, left = OpenCall("i7"), OpenCall("i8")
    pbx.row("7", "PJSIP/trunk-7", "i7", waiting, CallerIDNum="0811")
    assert compared(pbx, waiting, left, OpenCall("i1")) == [CustomerLeft("i1"), CustomerLeft("i8")]
    assert pbx.model.callers["i7"] == "7"


def test_after_a_restart_a_ringing_leg_is_taken_up_and_its_answer_is_told() -> None:
    model = Pbx().model
    pbx = Pbx.__new__(Pbx)
    pbx.model = model
    call = OpenCall("i7", "i7.2", "budi")
    model.begin_compare()
    pbx.row("cc-i7.2", "PJSIP/a2-1", BridgeID="")
    pbx.row("7", "PJSIP/trunk-7", "i7", call)
    assert OfferAccepted("i7.2") in compared(pbx, call)


def test_after_a_restart_two_who_talk_go_on_and_their_end_is_told() -> None:
    pbx = Pbx()
    call = OpenCall("i7", "i7.1", "budi", accepted=True, engaged=True)
    pbx.model.begin_compare()
    pbx.row("cc-i7.1", "PJSIP/a2-1", BridgeID="b7")
    pbx.row("7", "PJSIP/trunk-7", "i7", call, BridgeID="b7")
    pbx.row(CALLER, "PJSIP/trunk-1")
    assert compared(pbx, call) == []
    assert pbx.gone("cc-i7.1") == [AgentLeft("i7", "budi")]


def test_after_a_restart_a_connection_made_meanwhile_is_told() -> None:
    pbx = Pbx()
    call = OpenCall("i7", "i7.1", "budi", accepted=True)
    pbx.model.begin_compare()
    pbx.row("7", "PJSIP/trunk-7", "i7", call, BridgeID="b7")
    pbx.row("cc-i7.1", "PJSIP/a2-1", BridgeID="b7")
    pbx.row(CALLER, "PJSIP/trunk-1")
    assert compared(pbx, call) == [ConnectionMade("i7.1")]


def test_after_a_restart_an_agent_whose_leg_is_gone_is_free() -> None:
    pbx = Pbx()
    call = OpenCall("i7", "i7.1", "budi", accepted=True, engaged=True)
    pbx.model.begin_compare()
    pbx.row("7", "PJSIP/trunk-7", "i7", call)
    pbx.row(CALLER, "PJSIP/trunk-1")
    assert compared(pbx, call) == [AgentLeft("i7", "budi")]
