"""Steps that the plain scenarios share: two people talk, keys are pressed, a call ends."""

from __future__ import annotations

import asyncio

from tests.pbx.plain_pbx import PlainPbx
from tests.pbx.softphone import SipLine


async def talk(pbx: PlainPbx, caller: str, number: str, called: str) -> tuple[SipLine, SipLine]:
    """`caller` dials `number` and talks with `called`."""
    before = pbx.entered()
    line = pbx.phones[caller].dial(number)
    other = await pbx.phones[called].next_call()
    await line.until("early")
    other.answer()
    await line.until("up")
    await pbx.both_talk(before + 2)
    return line, other


async def end(line: SipLine, *others: SipLine) -> None:
    line.hang_up()
    for other in others:
        await other.until("gone")


async def press(line: SipLine, digits: str) -> None:
    for digit in digits:
        line.press(digit)
        await asyncio.sleep(0.3)


# -- plain ---------------------------------------------------------------------------------------------


async def ring_group(pbx: PlainPbx, number: str, caller: SipLine | None = None) -> None:
    line = caller or pbx.phones["201"].dial(number)
    first = await pbx.phones["202"].next_call()
    second = await pbx.phones["203"].next_call()
    await pbx.until("Event: Newstate", "ChannelStateDesc: Ringing", "PJSIP/202")
    await pbx.until("Event: Newstate", "ChannelStateDesc: Ringing", "PJSIP/203")
    second.answer()
    await first.until("gone")
    await line.until("up")
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await pbx.until("Event: BridgeEnter", "PJSIP/201")
    await asyncio.sleep(0.5)
    await end(line, second)
