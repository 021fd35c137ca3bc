"""Queued calls of one PBX, pure: AMI events in, routing's facts out; routing's effects in, AMI actions out.

A call is two legs. The caller's leg is known by the uniqueid that FastAGI told and AMI confirmed; the agent's
leg gets the ChannelId `cc-<offer>` from us, so that it is known before it exists, repeated orders do nothing
new, and a restart finds it again.

    MakeOffer ─▶ Originate(agent's phone, Application=Bridge, Data=<caller's channel>)
    agent leg Up ─▶ OfferAccepted      both legs in one bridge ─▶ ConnectionMade
    agent leg gone before Up ─▶ OfferRejected     after Up, before the bridge ─▶ ConnectFailed
    agent leg gone ─▶ AgentLeft, or InteractionFlowedOut when the caller was transferred by the phone
    caller leg gone ─▶ CustomerLeft

An Originate that leaves no trace (the caller died meanwhile) is ended by the offer's own deadline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from channels.asterisk.voice_legs import (
    LEG_PREFIX,
    UP,
    Action,
    AgentLeg,
    Channel,
    Message,
    OpenCall,
    device_state,
    reject_cause,
)
from routing.effects import Effect, EndOffer, MakeOffer
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
from routing.model import OfferState, RejectCause

_CHANNEL_NAME = re.compile(r"[A-Za-z0-9_.+@/;:=-]{1,128}")
_GRACE_MS = 2_000  # the router's deadline is the one that counts
_NUMBER = re.compile(r"\+?[0-9]{2,15}")
_SHOWN = re.compile(r"[^\w .()+-]", re.ASCII)


class VoiceModel:
    """See the module. `phones` are the endpoints that serve as agents' devices."""

    def __init__(self, pbx: str, phones: Iterable[str]) -> None:
        self.pbx = pbx
        self.phones = frozenset(phones)
        self.channels: dict[str, Channel] = {}
        self.callers: dict[str, str] = {}
        self.legs: dict[str, AgentLeg] = {}
        self.shown: dict[str, str] = {}
        self.on_hold: Callable[[str, bool], None] | None = None
        self.due: list[Action] = []
        """Actions that an event asked for; the shell sends and clears them."""
        self._caller_of: dict[str, str] = {}
        self._suspects: set[str] = set()
        self._died: set[str] | None = None
        self._handlers: dict[str, Callable[[Message], list[Event]]] = {
            "Newchannel": self._channel_known,
            "Newstate": self._channel_known,
            "Rename": self._renamed,
            "BridgeEnter": self._entered,
            "BridgeLeave": self._left_bridge,
            "Hangup": self._hung_up,
            "OriginateResponse": self._originate_answered,
            "DeviceStateChange": self._device_changed,
            "BlindTransfer": self._transferred,
            "AttendedTransfer": self._transferred,
            "Hold": lambda message: self._held(message, True),
            "Unhold": lambda message: self._held(message, False),
        }

    # -- facts ----------------------------------------------------------------------------------------------

    def handle(self, message: Message) -> list[Event]:
        """The facts in one AMI event."""
        handler = self._handlers.get(message.name)
        return handler(message) if handler else []

    def adopt(self, interaction: str, uniqueid: str, shown: str = "") -> bool:
        """This channel is the caller of `interaction`; `shown` is what the agent's phone displays. False:
        there is no such channel (any more), so nothing would ever tell that its caller has left."""
        if uniqueid not in self.channels:
            return False
        self.callers[interaction] = uniqueid
        self._caller_of[uniqueid] = interaction
        self.shown[interaction] = _SHOWN.sub("", shown)[:40]
        return True

    def leg_of(self, interaction: str) -> AgentLeg | None:
        """The agent's leg that talks with the caller of `interaction`, or rings for them."""
        legs = (leg for leg in self.legs.values() if leg.interaction == interaction and not leg.moved)
        return next(legs, None)

    def let_go(self, interaction: str) -> None:
        """The interaction is closed: nothing more of this caller is told."""
        uniqueid = self.callers.pop(interaction, "")
        self._caller_of.pop(uniqueid, None)
        self.shown.pop(interaction, None)

    def _channel_known(self, message: Message) -> list[Event]:
        uniqueid = message.get("Uniqueid")
        channel = self.channels.get(uniqueid)
        if channel is None:
            channel = self.channels[uniqueid] = Channel(uniqueid, message.get("Channel"))
        channel.up = message.get("ChannelState") == UP
        leg = self.legs.get(uniqueid)
        if leg is None:
            return []
        if leg.moved and not leg.seen:
            self.due.append(_hang_up(leg.offer))  # ordered to stop before Asterisk had made it
        leg.seen = True
        if not channel.up or leg.accepted or leg.moved:
            return []
        leg.accepted = True
        return [OfferAccepted(leg.offer)]

    def _renamed(self, message: Message) -> list[Event]:
        channel = self.channels.get(message.get("Uniqueid"))
        if channel is not None:
            channel.name = message.get("Newname", channel.name)
        return []

    def _entered(self, message: Message) -> list[Event]:
        uniqueid, bridge = message.get("Uniqueid"), message.get("BridgeUniqueid")
        channel = self.channels.setdefault(uniqueid, Channel(uniqueid, message.get("Channel")))
        channel.bridge = bridge
        leg = self.legs.get(uniqueid) or self._leg_waiting_for(self._caller_of.get(uniqueid, ""))
        if leg is None or leg.joined or not self._together(leg):
            return []
        leg.joined = True
        accepted: list[Event] = [] if leg.accepted else [OfferAccepted(leg.offer)]
        leg.accepted = True
        return [*accepted, ConnectionMade(leg.offer)]

    def _leg_waiting_for(self, interaction: str) -> AgentLeg | None:
        return self.leg_of(interaction) if interaction else None

    def _together(self, leg: AgentLeg) -> bool:
        agent = self.channels.get(LEG_PREFIX + leg.offer)
        caller = self.channels.get(self.callers.get(leg.interaction, ""))
        return agent is not None and caller is not None and agent.bridge == caller.bridge != ""

    def _left_bridge(self, message: Message) -> list[Event]:
        channel = self.channels.get(message.get("Uniqueid"))
        if channel is not None:
            channel.bridge = ""
        return []

    def _hung_up(self, message: Message) -> list[Event]:
        if self._died is not None:
            self._died.add(message.get("Uniqueid"))
        return self._gone(message.get("Uniqueid"), message.get("Cause"))

    def _gone(self, uniqueid: str, cause: str) -> list[Event]:
        self.channels.pop(uniqueid, None)
        leg = self.legs.pop(uniqueid, None)
        if leg is not None:
            return self._leg_gone(leg, cause)
        interaction = self._caller_of.pop(uniqueid, None)
        if interaction is None:
            return []
        self.let_go(interaction)
        return [CustomerLeft(interaction)]

    def _leg_gone(self, leg: AgentLeg, cause: str) -> list[Event]:
        if leg.moved:
            if leg.joined and leg.interaction in self.callers:
                self.let_go(leg.interaction)
                return [InteractionFlowedOut(leg.interaction, "transfer")]
            return []
        if leg.joined and leg.interaction not in self.callers:
            return []  # the customer left first, and that was told
        if leg.joined:
            self.let_go(leg.interaction)
            return [AgentLeft(leg.interaction, leg.agent)]
        if leg.accepted:
            return [ConnectFailed(leg.offer)]
        return [OfferRejected(leg.offer, reject_cause(cause))]

    def _originate_answered(self, message: Message) -> list[Event]:
        """Only a failure that never had a channel is news; all else was told by the channel itself."""
        leg = self.legs.get(message.get("Uniqueid"))
        if message.get("Response") == "Success" or leg is None or leg.seen:
            return []
        return self.originate_failed(leg.offer)

    def originate_failed(self, offer: str) -> list[Event]:
        """The PBX would not even try."""
        leg = self.legs.get(LEG_PREFIX + offer)
        if leg is None or leg.seen:
            return []
        del self.legs[LEG_PREFIX + offer]
        return [] if leg.moved else [OfferRejected(offer, RejectCause.UNREACHABLE)]

    def _device_changed(self, message: Message) -> list[Event]:
        device = message.get("Device")
        if device not in self.phones:
            return []
        return [DeviceChanged(f"{self.pbx}/{device}", device_state(message.get("State")))]

    def _transferred(self, message: Message) -> list[Event]:
        """The agent's phone passed the caller on: when that leg ends, the caller has not been left alone."""
        if message.get("Result", "Success") != "Success":
            return []
        for header in ("TransfererUniqueid", "OrigTransfererUniqueid", "SecondTransfererUniqueid"):
            leg = self.legs.get(message.get(header))
            if leg is not None and leg.joined:
                leg.moved = True
        return []

    def _held(self, message: Message, held: bool) -> list[Event]:
        leg = self.legs.get(message.get("Uniqueid"))
        if leg is not None and self.on_hold is not None:
            self.on_hold(leg.interaction, held)
        return []

    # -- orders ---------------------------------------------------------------------------------------------

    def order(self, effect: Effect) -> list[Action]:
        """The AMI actions that an effect asks for; none when it is not about a caller of this PBX."""
        if isinstance(effect, MakeOffer) and effect.interaction in self.callers:
            return self._originate(effect)
        if isinstance(effect, EndOffer) and effect.state is not OfferState.ACCEPTED:
            return self._stop_ringing(effect.offer)
        return []

    def _originate(self, effect: MakeOffer) -> list[Action]:
        pbx, _, endpoint = effect.device.partition("/")
        caller = self.channels.get(self.callers[effect.interaction])
        leg = AgentLeg(effect.offer, effect.interaction, effect.agent)
        if LEG_PREFIX + effect.offer in self.legs:
            return []
        self.legs[LEG_PREFIX + effect.offer] = leg
        if pbx != self.pbx or endpoint not in self.phones or caller is None:
            return [Action("", (), effect.offer)]
        if not _CHANNEL_NAME.fullmatch(caller.name):
            return [Action("", (), effect.offer)]
        timeout_ms = max(1_000, (effect.deadline_at - effect.at) // 1_000 + _GRACE_MS)
        return [
            Action(
                "Originate",
                (
                    ("Channel", endpoint),
                    ("ChannelId", LEG_PREFIX + effect.offer),
                    ("Application", "Bridge"),
                    ("Data", f"{caller.name},F(acd-after^s^1)"),
                    ("CallerID", self.shown.get(effect.interaction, "")),
                    ("Timeout", str(min(timeout_ms, 300_000))),
                    ("Async", "true"),
                ),
                effect.offer,
            )
        ]

    def _stop_ringing(self, offer: str) -> list[Action]:
        """Hang the leg up whether its Newchannel was seen or not: the order may be on its way."""
        leg = self.legs.get(LEG_PREFIX + offer)
        if leg is None:
            return []
        leg.moved = True
        return [_hang_up(offer)]

    def hang_up_agent(self, interaction: str) -> list[Action]:
        """The agent ends the call at the desk."""
        leg = self.leg_of(interaction)
        if leg is None:
            return []
        return [_hang_up(leg.offer)]

    def send_back(self, interaction: str) -> list[Action]:
        """Take the caller from the agent and let them wait again (a transfer to a queue)."""
        leg = self.leg_of(interaction)
        caller = self.channels.get(self.callers.get(interaction, ""))
        if leg is None or caller is None or not leg.joined:
            return []
        leg.moved, leg.joined = True, False
        return [
            Action("Setvar", (("Channel", caller.name), ("Variable", "ACD_DONE"), ("Value", ""))),
            Action(
                "Redirect",
                (("Channel", caller.name), ("Context", "acd-wait"), ("Exten", "s"), ("Priority", "1")),
            ),
        ]

    def dial(self, endpoint: str, number: str) -> list[Action]:
        """Ring an agent's own phone; when they answer, the number plan of agents' phones dials `number`."""
        if endpoint not in self.phones or not _NUMBER.fullmatch(number):
            return []
        return [
            Action(
                "Originate",
                (
                    ("Channel", endpoint),
                    ("Context", "ccserver-phones"),
                    ("Exten", number),
                    ("Priority", "1"),
                    ("CallerID", number),
                    ("Timeout", "30000"),
                    ("Async", "true"),
                ),
            )
        ]

    # -- the whole picture ----------------------------------------------------------------------------------

    def begin_compare(self) -> None:
        """The PBX is about to list its channels; what it then does not name is gone."""
        self._suspects = {*self.channels, *self.legs}
        self._died = set()

    def take_row(self, row: Message, interaction: str, call: OpenCall | None) -> list[Event]:
        """One channel of the PBX's list, in its place among the events. `interaction` is what the channel
        says it is, `call` the same as the router has it; None: the router knows nothing of it."""
        uniqueid = row.get("Uniqueid")
        if self._died is not None and uniqueid in self._died:
            return []  # the list is older than the event
        self._suspects.discard(uniqueid)
        facts = self._channel_known(row)
        if row.get("BridgeID"):
            self.channels[uniqueid].bridge = row.get("BridgeID")
        if call is not None and interaction not in self.callers and not uniqueid.startswith(LEG_PREFIX):
            self.adopt(interaction, uniqueid, row.get("CallerIDNum"))
        return facts

    def end_compare(self, calls: Mapping[str, OpenCall]) -> list[Event]:
        """The list is complete. `calls` are the router's calls at this PBX, by interaction: legs of ours
        from before a restart are taken up, and what nobody will ever tell any more is told now."""
        facts: list[Event] = []
        for uniqueid in sorted(self._suspects):
            if uniqueid in self.channels or uniqueid in self.legs:
                facts += self._gone(uniqueid, "")
        self._suspects, self._died = set(), None
        told = {fact.interaction for fact in facts if isinstance(fact, CustomerLeft)}
        for call in calls.values():
            if call.interaction not in told:
                facts += self._settle(call)
        return facts

    def _settle(self, call: OpenCall) -> list[Event]:
        if call.interaction not in self.callers:
            return [CustomerLeft(call.interaction)]
        leg = self.legs.get(LEG_PREFIX + call.offer)
        if leg is None and LEG_PREFIX + call.offer in self.channels:
            leg = self.legs[LEG_PREFIX + call.offer] = AgentLeg(
                call.offer, call.interaction, call.agent, True, call.accepted, call.engaged
            )
        if leg is None:
            return [AgentLeft(call.interaction, call.agent)] if call.engaged else []
        facts: list[Event] = []
        if not leg.accepted and self.channels[LEG_PREFIX + call.offer].up:
            leg.accepted = True
            facts.append(OfferAccepted(leg.offer))
        if not leg.joined and self._together(leg):
            leg.joined = True
            facts.append(ConnectionMade(leg.offer))
        return facts


def _hang_up(offer: str) -> Action:
    return Action("Hangup", (("Channel", LEG_PREFIX + offer), ("Cause", "16")))
