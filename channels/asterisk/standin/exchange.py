"""The stand-in's exchange at work: channels, bridges, devices, timers and their events.

Pure: time comes in as an argument, what must be sent goes out as a list.

    Exchange.handle(input, now) -> [output, ...]        next_deadline() says when to send `Tick` at the latest

A channel is in one place at a time (an application, a bridge, an AGI); moving it on counts its `turn` up,
which makes every timer of the old place void. The orders of events are those recorded from Asterisk 22.10;
the contract suite runs on both.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Mapping

from channels.asterisk.standin.model import (
    Bridge,
    Channel,
    CloseAgi,
    Event,
    Headers,
    Input,
    OpenAgi,
    Output,
    Phone,
    State,
    Tick,
)

RING_DELAY_S = 0.01
CAUSES = {0: "Unknown", 16: "Normal Clearing", 17: "User busy", 19: "User alerting, no answer"}
CAUSES |= {21: "Call Rejected", 3: "No route to destination", 34: "Circuit/channel congestion"}

Handler = Callable[["Exchange", Input], None]
Context = Callable[["Exchange", Channel], None]


class Exchange:
    """All that is going on. `handlers` and `contexts` are the tables of what happens (see `assembly`)."""

    def __init__(
        self,
        epoch: float,
        phones: Iterable[Phone],
        handlers: Mapping[type, Handler],
        contexts: Mapping[str, Context],
    ) -> None:
        self.epoch = epoch  # wall clock, seconds, at now = 0
        self.now = 0.0
        self.phones = {phone.name: phone for phone in phones}
        self.channels: dict[str, Channel] = {}  # by uniqueid
        self.bridges: list[Bridge] = []
        self.globals = {"CCSERVER_BEAT_LIMIT": "5"}
        self.device_states: dict[str, str] = {}
        self._handlers = handlers
        self._contexts = contexts
        self._outputs: list[Output] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = itertools.count()
        self._timer_serial = itertools.count()
        self._bridge_serial = itertools.count(1)
        for phone in self.phones.values():
            self.device_states[phone.device] = self.device_state(phone.device)

    # -- the door -------------------------------------------------------------------------------------------

    def handle(self, item: Input, now: float) -> list[Output]:
        """Let time pass up to `now` (seconds), then take one input; returns what to send, in order."""
        while self._timers and self._timers[0][0] <= now:
            at, _, act = heapq.heappop(self._timers)
            self.now = max(self.now, at)
            act()
        self.now = max(self.now, now)
        if not isinstance(item, Tick):
            self._handlers[type(item)](self, item)
        outputs, self._outputs = self._outputs, []
        return outputs

    def next_deadline(self) -> float | None:
        """When something will happen by itself."""
        return self._timers[0][0] if self._timers else None

    def wall_s(self) -> int:
        """EPOCH of the dialplan."""
        return int(self.epoch + self.now)

    def after(self, delay_s: float, act: Callable[[], None], channel: Channel, *, here: bool = True) -> None:
        """Do it later, unless the channel has ended, or (`here`) has moved on since."""
        turn = channel.turn

        def fire() -> None:
            if channel.alive and not (here and channel.turn != turn):
                act()

        heapq.heappush(self._timers, (self.now + delay_s, next(self._timer_serial), fire))

    # -- what goes out --------------------------------------------------------------------------------------

    def put(self, output: Output) -> None:
        """Add to the outputs of this step."""
        self._outputs.append(output)

    def event(self, name: str, *parts: Headers, privilege: str = "call") -> None:
        """Tell everybody."""
        headers = [("Event", name), ("Privilege", f"{privilege},all")]
        self.put(Event(privilege, headers + [pair for part in parts for pair in part]))

    def goto(self, channel: Channel, context: str, exten: str = "s") -> bool:
        """Go on in the dialplan; False when there is no such place."""
        act = self._contexts.get(context)
        if act is None:
            return False
        self.move(channel)
        channel.context, channel.exten, channel.priority = context, exten, 1
        channel.application = channel.data = ""
        act(self, channel)
        return True

    # -- channels -------------------------------------------------------------------------------------------

    def find(self, name: str) -> Channel | None:
        """By channel name or uniqueid."""
        found = self.channels.get(name)
        if found is None:
            found = next((channel for channel in self.channels.values() if channel.name == name), None)
        return found

    def new_channel(
        self, device: str, state: State, number: str, name: str, context: str, exten: str, uniqueid: str = ""
    ) -> Channel:
        """A leg comes to be."""
        serial = next(self._serial)
        own = uniqueid or f"{self.wall_s()}.{serial}"
        full_name = f"{device}-{serial:08x}"
        channel = Channel(full_name, own, own, device, state, number, name, context, exten, self.now)
        self.channels[own] = channel
        return channel

    def open_agi(self, channel: Channel, route: str, environment: Headers) -> None:
        """Connect the channel to the AGI server."""
        self.put(OpenAgi(channel.uniqueid, route, environment))

    def move_timers(self, channel: Channel) -> None:
        """The channel stays, but what it waited for has come: its timers are void."""
        channel.turn += 1
        channel.on_digit = None

    def move(self, channel: Channel) -> None:
        """Leave the place where the channel is: its timers and its AGI end."""
        self.move_timers(channel)
        if channel.after_agi is not None:
            channel.after_agi = None
            self.put(CloseAgi(channel.uniqueid))

    def set_state(self, channel: Channel, state: State) -> None:
        """Newstate, and the device's state with it."""
        channel.state = state
        self.event("Newstate", channel.headers())

    def end(self, channel: Channel, cause: int) -> None:
        """Hangup: the channel is gone."""
        channel.alive = False
        channel.turn += 1
        del self.channels[channel.uniqueid]
        text = CAUSES.get(cause, "Unknown")
        self.event("Hangup", channel.headers(), [("Cause", str(cause)), ("Cause-txt", text)])
        self.tell_device(channel.device)

    # -- bridges --------------------------------------------------------------------------------------------

    def new_bridge(self, *, holding: bool) -> Bridge:
        """BridgeCreate."""
        bridge = Bridge(f"00000000-0000-4000-8000-{next(self._bridge_serial):012x}", holding)
        self.bridges.append(bridge)
        self.event("BridgeCreate", bridge.headers())
        return bridge

    def enter(self, bridge: Bridge, channel: Channel) -> None:
        """BridgeEnter; in a conversation everybody takes the oldest's Linkedid."""
        bridge.members.append(channel)
        channel.bridge = bridge
        if not bridge.holding:
            oldest = min(bridge.members, key=lambda member: member.born_at)
            for member in bridge.members:
                member.linkedid = oldest.linkedid
        self.event("BridgeEnter", bridge.headers(), channel.headers())

    def leave(self, channel: Channel) -> None:
        """BridgeLeave; the last one out destroys the bridge."""
        bridge = channel.bridge
        if bridge is None:
            return
        if bridge.holding:
            self.event("MusicOnHoldStop", channel.headers())
        bridge.members.remove(channel)
        channel.bridge = None
        self.event("BridgeLeave", bridge.headers(), channel.headers())
        if not bridge.members:
            self.bridges.remove(bridge)
            self.event("BridgeDestroy", bridge.headers())

    # -- devices --------------------------------------------------------------------------------------------

    def device_state(self, device: str) -> str:
        """As with device_state_busy_at=1 for phones: BUSY from the first ring on."""
        in_use = any(
            channel.device == device and channel.state != State.DOWN for channel in self.channels.values()
        )
        phone = self.phones.get(device.removeprefix("PJSIP/"))
        if phone is None:
            return "INUSE" if in_use else "NOT_INUSE"
        if not phone.registered:
            return "UNAVAILABLE"
        return "BUSY" if in_use else "NOT_INUSE"

    def tell_device(self, device: str) -> None:
        """DeviceStateChange, if it has changed."""
        state = self.device_state(device)
        if self.device_states.get(device, "NOT_INUSE") != state:
            self.event("DeviceStateChange", [("Device", device), ("State", state)])
        self.device_states[device] = state
