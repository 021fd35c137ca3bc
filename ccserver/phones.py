"""Every PBX by name, as the rest of the server uses them: who is where, and orders to the right one."""

from __future__ import annotations

from collections.abc import Iterable

from ccserver.hub import Hub
from channels.asterisk.voice import Voice
from routing.effects import EndOffer, InteractionClosed, MakeOffer
from routing.model import InteractionState


class Phones:
    """Implements the phone ports of call entry and desks."""

    def __init__(self, hub: Hub, voices: Iterable[Voice]) -> None:
        self._hub = hub
        self.voices = {voice.pbx: voice for voice in voices}
        hub.on_effect(MakeOffer, self._perform)
        hub.on_effect(EndOffer, self._perform)
        hub.on_effect(InteractionClosed, self._closed)

    def _perform(self, effect: MakeOffer | EndOffer) -> None:
        for voice in self.voices.values():
            voice.perform(effect)

    def _closed(self, effect: InteractionClosed) -> None:
        for voice in self.voices.values():
            voice.model.let_go(effect.interaction)

    def adopt(self, pbx: str, interaction: str, uniqueid: str, shown: str) -> bool:
        """This channel is the caller of `interaction`; False: it is gone already."""
        return self.voices[pbx].model.adopt(interaction, uniqueid, shown)

    def position(self, interaction: str) -> int:
        """The caller's place among those who wait in the same queue, from 1 on."""
        return self._hub.router.position(interaction)

    def expected_wait_s(self, interaction: str) -> float | None:
        """How long the caller still waits, if those ahead take as long as the queue's calls usually do and
        everybody who is logged in works; None when nobody is, or the caller waits no longer."""
        router = self._hub.router
        found = router.interactions.get(interaction)
        if found is None or found.state is not InteractionState.WAITING:
            return None
        _, staffed = router.pool.count(found.medium, found.requirements)
        handle_s = router.queues[found.queue].handle_time_s
        return router.position(interaction) * handle_s / staffed if staffed else None

    def hang_up_agent(self, interaction: str) -> bool:
        """End the agent's part of a call."""
        return any(voice.hang_up_agent(interaction) for voice in self.voices.values())

    def send_back(self, interaction: str) -> bool:
        """Take the caller from the agent, to wait again."""
        return any(voice.send_back(interaction) for voice in self.voices.values())

    def dial(self, device: str, number: str) -> bool:
        """Ring the agent's own phone, then the number, through the agents' number plan."""
        pbx, _, endpoint = device.partition("/")
        voice = self.voices.get(pbx)
        return voice is not None and voice.dial(endpoint, number)
