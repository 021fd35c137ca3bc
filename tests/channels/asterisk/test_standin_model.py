"""The stand-in's exchange in virtual time: the way through the dialplan, dialogues, the fallback queue."""

from __future__ import annotations

import re
from typing import Any

import pytest

from channels.asterisk.standin.assembly import HANDLERS, new_exchange
from channels.asterisk.standin.dialplan import CONTEXTS
from channels.asterisk.standin.model import (
    Action,
    AgiEnded,
    AgiLine,
    AgiReply,
    Answer,
    CallIn,
    CloseAgi,
    Event,
    HangUp,
    Input,
    OpenAgi,
    Phone,
    Press,
    Register,
    Tick,
)

EPOCH = 1_800_000_000.0


class Scene:
    """An exchange, its time, and what came out of it."""

    def __init__(self, *phones: Phone) -> None:
        self.x = new_exchange(EPOCH, phones or (Phone("a1", "201"), Phone("a2", "202", answer_after_s=None)))
        self.now = 0.0
        self.out: list[Any] = []
        self.action("Setvar", Variable="ACD_BEAT", Value=str(int(EPOCH) + 1000))

    def put(self, item: Input) -> list[Any]:
        new = self.x.handle(item, self.now)
        self.out += new
        return new

    def action(self, name: str, **fields: str) -> dict[str, str]:
        """The response to it."""
        values = {"action": [name], **{key.lower(): [value] for key, value in fields.items()}}
        answers = [output for output in self.put(Action(1, values)) if isinstance(output, Answer)]
        return dict(answers[0].headers)

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (deadline := self.x.next_deadline()) is not None and deadline <= end:
            self.now = deadline
            self.put(Tick())
        self.now = end
        self.put(Tick())

    def call(self, do: str = "wait", digits: str = "", **variables: str) -> str:
        """A caller whose entry AGI was answered like this; returns the uniqueid."""
        self.put(CallIn("0215550101", "1500", "Somebody", digits=digits))
        uniqueid = list(self.x.channels)[-1]
        assert self.routes() == ["call"]
        self.obey(uniqueid, ACD_ID="i-1", ACD_DO=do, **variables)
        return uniqueid

    def obey(self, uniqueid: str, **variables: str) -> None:
        for name, value in variables.items():
            self.put(AgiLine(uniqueid, f'SET VARIABLE {name} "{value}"'))
        self.put(AgiEnded(uniqueid))

    def routes(self) -> list[str]:
        """AGI questions since the last look."""
        found = [output.route for output in self.out if isinstance(output, OpenAgi)]
        self.out = [output for output in self.out if not isinstance(output, OpenAgi)]
        return found

    def events(self) -> list[str]:
        return [dict(output.headers)["Event"] for output in self.out if isinstance(output, Event)]

    def replies(self) -> list[str]:
        return [output.line for output in self.out if isinstance(output, AgiReply)]

    def mode(self, uniqueid: str) -> str:
        return self.x.channels[uniqueid].variables["ACD_MODE"]


def test_every_input_and_every_jump_has_a_place() -> None:
    assert set(HANDLERS) | {Tick} == {
        CallIn,
        HangUp,
        Press,
        Register,
        Action,
        AgiLine,
        AgiEnded,
        Tick,
    }
    assert {f"acd-{do}" for do in ("wait", "ivr", "direct", "closed", "emergency", "blocked")} <= set(
        CONTEXTS
    )


def test_a_waiting_caller_turns_in_the_loop_until_patience_ends() -> None:
    scene = Scene()
    caller = scene.call()
    assert scene.events()[-3:] == ["BridgeCreate", "BridgeEnter", "MusicOnHoldStart"]
    scene.wait(59)
    assert scene.events().count("MusicOnHoldStart") == 9
    assert scene.mode(caller) == "wait"
    scene.wait(2)
    ending = [
        "HangupRequest",
        "MusicOnHoldStop",
        "BridgeLeave",
        "BridgeDestroy",
        "SoftHangupRequest",
        "Hangup",
    ]
    assert scene.events()[-7:] == [*ending, "DeviceStateChange"]
    assert scene.x.channels == {}
    assert scene.x.bridges == []


def test_without_a_sign_of_life_the_caller_goes_to_the_fallback_and_comes_back() -> None:
    scene = Scene()
    caller = scene.call()
    scene.action("Setvar", Variable="ACD_BEAT", Value=str(int(EPOCH)))
    scene.wait(8)
    assert scene.mode(caller) == "queue"
    assert "QueueCallerJoin" in scene.events()
    assert (
        scene.action("QueueWithdrawCaller", Queue="ccserver-fallback", Caller=caller)["Response"] == "Success"
    )
    assert scene.mode(caller) == "queue"  # accepted is not done
    scene.action("Setvar", Variable="ACD_BEAT", Value=str(int(EPOCH) + 1000))
    scene.wait(1)
    assert scene.mode(caller) == "wait"
    (told,) = [dict(out.headers) for out in scene.out if isinstance(out, Event) and out.privilege == "user"]
    assert (told["UserEvent"], told["AcdId"], told["QueueStatus"]) == ("AcdQueueOut", "i-1", "WITHDRAW")


def test_a_server_that_does_not_answer_is_left_after_three_seconds() -> None:
    scene = Scene()
    scene.put(CallIn("0215550101", "1500"))
    (caller,) = scene.x.channels
    scene.wait(2.9)
    assert scene.mode(caller) == "entry"
    scene.wait(0.2)
    assert scene.mode(caller) == "queue"
    assert any(isinstance(output, CloseAgi) for output in scene.out)
    assert scene.x.channels[caller].variables["ACD_ID"] == f"f-{caller}"


def test_a_server_that_sets_nothing_means_fallback() -> None:
    scene = Scene()
    scene.put(CallIn("0215550101", "1500"))
    (caller,) = scene.x.channels
    scene.put(AgiEnded(caller))
    assert scene.mode(caller) == "queue"


def test_an_announcement_is_asked_for_when_due_and_the_caller_goes_on_waiting() -> None:
    scene = Scene()
    caller = scene.call()
    scene.action("Setvar", Channel=caller, Variable="ACD_ANNOUNCE", Value=str(int(EPOCH) + 10))
    scene.wait(7)
    assert scene.routes() == []
    scene.wait(7)
    assert scene.routes() == ["announce"]
    scene.obey(caller, ACD_ANNOUNCE=str(int(EPOCH) + 30))
    assert scene.events()[-1] == "MusicOnHoldStart"


@pytest.mark.parametrize("do", ["closed", "emergency"])
def test_messages_end_the_call(do: str) -> None:
    scene = Scene()
    caller = scene.call(do)
    assert scene.mode(caller) == "message"
    scene.wait(3)
    assert scene.x.channels == {}


def test_an_emergency_message_can_lead_to_waiting() -> None:
    scene = Scene()
    caller = scene.call("emergency", ACD_THEN="wait")
    scene.wait(3)
    assert scene.mode(caller) == "wait"


def test_a_blocked_caller_is_never_answered() -> None:
    scene = Scene()
    scene.call("blocked")
    assert "Newstate" not in scene.events()
    ended = next(
        dict(out.headers)
        for out in scene.out
        if isinstance(out, Event) and ("Event", "Hangup") in out.headers
    )
    assert ended["Cause"] == "21"


def test_a_direct_call_rings_the_phone_and_its_end_ends_both() -> None:
    scene = Scene(Phone("a1", "201", talk_s=5))
    scene.call("direct", ACD_EXT="201")
    scene.wait(1)
    assert "DialBegin" in scene.events()
    assert scene.events().count("BridgeEnter") == 2
    scene.wait(10)
    assert scene.x.channels == {}


def test_a_dialogue_takes_keys_and_asks_for_the_queue_afterwards() -> None:
    scene = Scene()
    caller = scene.call("ivr", digits="1234#2", ACD_IVR="identify; rm")
    assert scene.routes() == ["dialogue/identifyrm"]
    scene.put(AgiLine(caller, "ANSWER"))
    scene.put(AgiLine(caller, 'GET DATA "ccserver/en/customer" 5000 10'))
    scene.wait(0.1)
    scene.put(AgiLine(caller, 'STREAM FILE "ccserver/en/need" "123"'))
    scene.wait(0.1)
    scene.put(AgiLine(caller, "WAIT FOR DIGIT 1000"))
    scene.put(Press(caller, "3"))
    scene.wait(0.1)
    assert scene.replies()[-4:] == [
        "200 result=0",
        "200 result=1234",
        f"200 result={ord('2')} endpos=800",
        f"200 result={ord('3')}",
    ]
    scene.put(AgiEnded(caller))
    assert scene.routes() == ["queue"]
    scene.obey(caller, ACD_DO="wait")
    assert scene.mode(caller) == "wait"


def test_keys_that_do_not_come_end_with_the_time_out() -> None:
    scene = Scene()
    caller = scene.call("ivr", digits="12", ACD_IVR="identify")
    scene.put(AgiLine(caller, "GET DATA x 2000 4"))
    scene.wait(1)
    assert scene.replies()[-1] == "200 result=1"
    scene.wait(2)
    assert scene.replies()[-1] == "200 result=12 (timeout)"
    scene.put(AgiLine(caller, "WAIT FOR DIGIT 500"))
    scene.wait(1)
    assert scene.replies()[-1] == "200 result=0"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("NONSENSE", "510 Invalid or unknown command"),
        ('SET VARIABLE "unbalanced', "510 Invalid or unknown command"),
        ("SET VARIABLE X", "520 Invalid command syntax.  Proper usage not available."),
        ("GET VARIABLE ACD_ID", "200 result=1 (i-1)"),
        ("GET VARIABLE CALLERID(num)", "200 result=1 (0215550101)"),
        ("GET VARIABLE UNSET", "200 result=0"),
        ("EXEC Set X=1", "200 result=0"),
        ("CHANNEL STATUS", "200 result=6"),
        ("VERBOSE hello 1", "200 result=1"),
    ],
)
def test_agi_commands(command: str, reply: str) -> None:
    scene = Scene()
    caller = scene.call("ivr", ACD_IVR="x")
    scene.put(AgiLine(caller, command))
    assert scene.replies()[-1] == reply


def test_dialogues_that_send_each_other_the_caller_end() -> None:
    scene = Scene()
    caller = scene.call("ivr", ACD_IVR="x")
    for _ in range(5):
        scene.put(AgiEnded(caller))
        scene.obey(caller, ACD_DO="ivr")
    assert scene.mode(caller) == "queue"


def test_hanging_up_in_a_dialogue_closes_it() -> None:
    scene = Scene()
    caller = scene.call("ivr", ACD_IVR="x")
    scene.put(HangUp(caller))
    assert any(isinstance(output, CloseAgi) for output in scene.out)
    scene.put(AgiLine(caller, "ANSWER"))
    scene.put(AgiEnded(caller))
    assert scene.x.channels == {}


def offer(scene: Scene, caller: str, phone: str, leg: str) -> None:
    data = f"{scene.x.channels[caller].name},F(acd-after^s^1)"
    scene.action(
        "Originate", Channel=f"PJSIP/{phone}", Application="Bridge", Data=data, ChannelId=leg, Timeout="9000"
    )


def test_after_the_agent_the_survey_is_asked() -> None:
    scene = Scene(Phone("a1", "201", talk_s=3))
    caller = scene.call("wait", ACD_AFTER="survey")
    offer(scene, caller, "a1", "leg")
    scene.wait(5)
    assert scene.routes() == ["dialogue/survey"]
    assert scene.mode(caller) == "after"
    scene.put(AgiEnded(caller))
    assert scene.x.channels == {}


def test_the_announcement_is_left_when_an_agent_answers() -> None:
    scene = Scene()
    caller = scene.call()
    scene.action("Setvar", Channel=caller, Variable="ACD_ANNOUNCE", Value="1")
    scene.wait(7.1)
    assert scene.routes() == ["announce"]
    offer(scene, caller, "a1", "leg")
    scene.wait(1)
    assert scene.x.channels[caller].bridge is scene.x.channels["leg"].bridge is not None
    scene.put(AgiEnded(caller))  # the server notices late
    assert scene.x.channels[caller].bridge is not None


def test_bridge_action_puts_the_caller_back_into_the_loop_afterwards() -> None:
    scene = Scene()
    caller = scene.call()
    other = scene.call()
    offer(scene, caller, "a1", "leg")
    scene.wait(1)
    assert scene.action("Bridge", Channel1="leg", Channel2=other)["Response"] == "Success"
    assert caller not in scene.x.channels  # its agent was taken away: F() sent it to the end
    scene.action("Hangup", Channel="leg")
    assert scene.mode(other) == "wait"


def test_a_phone_that_is_new_is_told_of() -> None:
    scene = Scene()
    (told,) = scene.put(Register(Phone("a7", "207")))
    assert isinstance(told, Event)
    assert dict(told.headers)["Device"] == "PJSIP/a7"
    assert dict(told.headers)["State"] == "NOT_INUSE"


def test_phones_come_and_go_and_are_told() -> None:
    scene = Scene()
    scene.put(Register(Phone("a1", "201", registered=False)))
    scene.put(Register(Phone("a1", "201")))
    states = [dict(out.headers).get("State") for out in scene.out if isinstance(out, Event)]
    assert states == ["UNAVAILABLE", "NOT_INUSE"]


def test_calls_do_not_mix_and_nothing_is_left() -> None:
    scene = Scene(*(Phone(f"p{number}", str(300 + number), talk_s=2) for number in range(20)))
    callers = [scene.call() for _ in range(20)]
    for number, caller in enumerate(callers):
        offer(scene, caller, f"p{number}", f"leg-{number}")
    scene.wait(1)
    assert len({scene.x.channels[caller].bridge for caller in callers}) == 20
    scene.wait(5)
    assert (scene.x.channels, scene.x.bridges) == ({}, [])
    assert set(scene.x.device_states.values()) == {"NOT_INUSE"}


def test_uniqueids_look_as_asterisks() -> None:
    scene = Scene()
    assert re.fullmatch(r"1800000000\.\d+", scene.call())
