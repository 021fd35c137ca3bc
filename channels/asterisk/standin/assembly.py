"""Puts the exchange together: which input is handled where, and the dialplan's contexts."""

from __future__ import annotations

from collections.abc import Iterable

from channels.asterisk.standin.actions import action
from channels.asterisk.standin.agi import agi_ended, agi_line, press
from channels.asterisk.standin.dialling import hang_up
from channels.asterisk.standin.dialplan import CONTEXTS, call_in
from channels.asterisk.standin.exchange import Exchange
from channels.asterisk.standin.model import (
    Action,
    AgiEnded,
    AgiLine,
    CallIn,
    HangUp,
    Input,
    Phone,
    Press,
    Register,
)


def _person_hangs_up(x: Exchange, item: Input) -> None:
    if not isinstance(item, HangUp):
        raise TypeError(f"nobody hangs up: {item}")
    channel = x.channels.get(item.uniqueid)
    if channel is not None:
        hang_up(x, channel, 16, by_person=True)


def _register(x: Exchange, item: Input) -> None:
    if not isinstance(item, Register):
        raise TypeError(f"no phone: {item}")
    if item.phone.name not in x.phones:  # to the PBX it was configured all along, and not connected
        x.device_states.setdefault(item.phone.device, "UNAVAILABLE")
    x.phones[item.phone.name] = item.phone
    x.tell_device(item.phone.device)


HANDLERS = {
    CallIn: call_in,
    HangUp: _person_hangs_up,
    Press: press,
    Register: _register,
    Action: action,
    AgiLine: agi_line,
    AgiEnded: agi_ended,
}


def new_exchange(epoch: float, phones: Iterable[Phone] = ()) -> Exchange:
    """An exchange at rest; `epoch` is the wall clock at its time 0, in seconds."""
    return Exchange(epoch, phones, HANDLERS, CONTEXTS)
