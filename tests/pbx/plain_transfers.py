"""Transfers on a plain PBX, attended, blind and blonde, by phone and keys: part of `plain_scenarios`."""

from __future__ import annotations

import asyncio

from tests.pbx.plain_pbx import PlainPbx
from tests.pbx.plain_steps import end, press, ring_group, talk
from tests.pbx.softphone import SipLine


async def attended_by_called(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    await other.hold()
    await pbx.until("Event: Hold")
    consult, target = await talk(pbx, "202", "203", "203")
    other.refer_to(consult)
    await other.until("gone")
    await end(line, target)


async def attended_by_caller(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    consult, target = await talk(pbx, "201", "203", "203")
    line.refer_to(consult)
    await line.until("gone")
    await end(target, other)


async def attended_two_incoming(pbx: PlainPbx) -> None:
    first, one = await talk(pbx, "201", "202", "202")
    second, two = await talk(pbx, "203", "202", "202")
    two.refer_to(one)
    await two.until("gone")
    await end(first, second)


async def attended_from_outside(pbx: PlainPbx) -> None:
    line = pbx.from_outside("0215550101")
    other = await pbx.phones["201"].next_call()
    await line.until("early")
    other.answer()
    await pbx.both_talk()
    consult, target = await talk(pbx, "201", "203", "203")
    other.refer_to(consult)
    await other.until("gone")
    await end(line, target)


async def blind_by_called(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    other.refer("203")
    target = await pbx.phones["203"].next_call()
    await pbx.until("Event: Newstate", "ChannelStateDesc: Ringing", "PJSIP/203")
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await end(line, target)


async def blind_by_caller(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    line.refer("203")
    target = await pbx.phones["203"].next_call()
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await end(other, target)


async def blind_rejected(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    other.refer("203")
    target = await pbx.phones["203"].next_call()
    await pbx.until("Event: Newstate", "ChannelStateDesc: Ringing", "PJSIP/203")
    target.reject(603)
    await line.until("gone")


async def blind_unreachable(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    other.refer("205")
    await line.until("gone")


async def blind_to_group(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("204")
    other = await pbx.phones["204"].next_call()
    other.answer()
    await pbx.both_talk()
    other.refer("210")
    await ring_group(pbx, "", line)


async def _blonde(pbx: PlainPbx, line: SipLine, user: str, number: str = "203") -> SipLine:
    """The phone of `line` calls a number, and joins while that rings; the target's line."""
    consult = pbx.phones[user].dial(number)
    target = await pbx.phones["203"].next_call()
    await consult.until("early")
    line.refer_to(consult)
    await line.until("gone")
    return target


async def blonde_by_called(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    target = await _blonde(pbx, other, "202")
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await end(line, target)


async def blonde_by_caller(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    target = await _blonde(pbx, line, "201")
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await end(other, target)


async def blonde_rejected(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    target = await _blonde(pbx, other, "202")
    target.reject(486)
    await line.until("gone")


async def blonde_by_local(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    target = await _blonde(pbx, other, "202", "217")
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await asyncio.sleep(0.5)
    await end(line, target)


# -- transfers by keys -----------------------------------------------------------------------------------


async def keys_blind(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    await press(other, "#1203")
    target = await pbx.phones["203"].next_call()
    await other.until("gone")
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await end(line, target)


async def _keys_consult(pbx: PlainPbx) -> tuple[SipLine, SipLine, SipLine]:
    line, other = await talk(pbx, "201", "202", "202")
    await press(other, "*2203")
    target = await pbx.phones["203"].next_call()
    await pbx.until("Event: Newstate", "ChannelStateDesc: Ringing", "PJSIP/203")
    return line, other, target


async def keys_attended(pbx: PlainPbx) -> None:
    line, other, target = await _keys_consult(pbx)
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await asyncio.sleep(0.5)
    other.hang_up()
    await pbx.until("Event: AttendedTransfer")
    await asyncio.sleep(0.5)
    await end(line, target)


async def keys_attended_returns(pbx: PlainPbx) -> None:
    line, other, target = await _keys_consult(pbx)
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await asyncio.sleep(0.5)
    await end(target)
    await asyncio.sleep(1.0)
    await end(line, other)


async def keys_blonde(pbx: PlainPbx) -> None:
    line, other, target = await _keys_consult(pbx)
    other.hang_up()
    await pbx.until("Event: AttendedTransfer")
    await asyncio.sleep(0.5)
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await asyncio.sleep(0.5)
    await end(line, target)
