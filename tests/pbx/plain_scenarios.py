"""What people do with a plain PBX: one coroutine for each trace in `tests/traces/ami`, under its name.

Each gets a PlainPbx that is quiet and leaves it quiet: every call it makes, it ends. What should come of it
is written by hand in `tests/traces/ami/NAME.story`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.pbx import plain_transfers
from tests.pbx.plain_pbx import PlainPbx
from tests.pbx.plain_steps import end, press, ring_group, talk
from tests.pbx.softphone import SipLine

Scenario = Callable[[PlainPbx], Awaitable[None]]


async def answered_caller_ends(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    await end(line, other)


async def answered_called_ends(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    await end(other, line)


async def cancelled(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("202")
    other = await pbx.phones["202"].next_call()
    await line.until("early")
    await end(line, other)


async def busy(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("202")
    (await pbx.phones["202"].next_call()).reject(486)
    await line.until("gone")


async def do_not_disturb(pbx: PlainPbx) -> None:
    pbx.phones["202"].refuse_with = 486
    line = pbx.phones["201"].dial("202")
    await line.until("gone")
    pbx.phones["202"].refuse_with = 0


async def rejected(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("202")
    other = await pbx.phones["202"].next_call()
    await line.until("early")
    other.reject(603)
    await line.until("gone")


async def no_answer(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("215")
    await line.until("gone")


async def unreachable(pbx: PlainPbx) -> None:
    await pbx.phones["201"].dial("205").until("gone")


async def inbound(pbx: PlainPbx) -> None:
    line = pbx.from_outside("0215550101")
    other = await pbx.phones["201"].next_call()
    await line.until("early")
    other.answer()
    await pbx.both_talk()
    await end(other, line)


async def outbound(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "0215550177", "trunk")
    await end(line, other)


async def hold_resume(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    await other.hold()
    await pbx.until("Event: Hold")
    await other.resume()
    await pbx.until("Event: Unhold")
    await end(line, other)


async def announcement_only(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("230")
    await line.until("up")
    await asyncio.sleep(0.5)
    line.hang_up()


async def conference(pbx: PlainPbx) -> None:
    lines = []
    for count, user in enumerate(("201", "202"), 1):
        lines.append(pbx.phones[user].dial("240"))
        await pbx.until("Event: ConfbridgeJoin", count=count)
    for count, line in enumerate(lines, 1):
        line.hang_up()
        await pbx.until("Event: Hangup\r\n", "PJSIP/20", count=count)


async def voicemail(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("214")
    other = await pbx.phones["202"].next_call()
    await other.until("gone")
    await line.until("up")
    line.hang_up()


# -- groups, forwards, queues --------------------------------------------------------------------------


async def group(pbx: PlainPbx) -> None:
    await ring_group(pbx, "210")


async def group_by_local(pbx: PlainPbx) -> None:
    await ring_group(pbx, "211")


async def queue(pbx: PlainPbx) -> None:
    await ring_group(pbx, "220")


async def local_kept(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "212", "203")
    await pbx.both_talk(4)
    await end(line, other)


async def local_optimised(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "217", "203")
    await asyncio.sleep(0.5)
    await end(line, other)


async def follow_me(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("213")
    first = await pbx.phones["202"].next_call()
    second = await pbx.phones["203"].next_call()
    await first.until("gone")
    second.answer()
    await pbx.both_talk()
    await end(line, second)


async def must_accept(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "216", "202")
    await end(line, other)


async def forwarded_302(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("202")
    (await pbx.phones["202"].next_call()).forward("203")
    other = await pbx.phones["203"].next_call()
    await line.until("early")
    other.answer()
    await line.until("up")
    await asyncio.sleep(0.5)
    await end(line, other)


async def queue_by_local(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("221")
    other = await pbx.phones["203"].next_call()
    other.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/201")
    await asyncio.sleep(0.5)
    await end(other, line)


async def queue_abandoned(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("220")
    first = await pbx.phones["202"].next_call()
    second = await pbx.phones["203"].next_call()
    await pbx.until("Event: Newstate", "ChannelStateDesc: Ringing", count=2)
    await end(line, first, second)


async def queue_timed_out(pbx: PlainPbx) -> None:
    line = pbx.phones["201"].dial("222")
    await pbx.phones["202"].next_call()
    await pbx.phones["203"].next_call()
    await line.until("gone")


# -- pickups -------------------------------------------------------------------------------------------


async def _pick_up(pbx: PlainPbx, code: str) -> None:
    line = pbx.phones["201"].dial("202")
    rung = await pbx.phones["202"].next_call()
    await line.until("early")
    picker = pbx.phones["203"].dial(code)
    await picker.until("up")
    await rung.until("gone")
    await pbx.both_talk()
    await end(line, picker)


async def pickup_group(pbx: PlainPbx) -> None:
    await _pick_up(pbx, "*8")


async def pickup_number(pbx: PlainPbx) -> None:
    await _pick_up(pbx, "*8202")


async def pickup_channel(pbx: PlainPbx) -> None:
    await _pick_up(pbx, "*9202")


# -- transfers by telephones (SIP REFER) ---------------------------------------------------------------


async def parked(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    await press(other, "#72")
    await pbx.until("Event: ParkedCall\r\n")
    await asyncio.sleep(0.5)
    other.hang_up()
    await pbx.until("Event: Hangup\r\n", "PJSIP/202")
    back = pbx.phones["203"].dial("701")
    await back.until("up")
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await end(line, back)


# -- by AMI ----------------------------------------------------------------------------------------------


async def ami_blind(pbx: PlainPbx) -> None:
    line, _ = await talk(pbx, "201", "202", "202")
    await pbx.action("BlindTransfer", Channel=pbx.channel("202"), Context="plain", Exten="203")
    target = await pbx.phones["203"].next_call()
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await end(line, target)


async def ami_redirect(pbx: PlainPbx) -> None:
    line, _ = await talk(pbx, "201", "202", "202")
    await pbx.action("Redirect", Channel=pbx.channel("201"), Context="plain", Exten="203", Priority="1")
    target = await pbx.phones["203"].next_call()
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await end(line, target)


async def ami_attended(pbx: PlainPbx) -> None:
    line, other = await talk(pbx, "201", "202", "202")
    await pbx.action("Atxfer", Channel=pbx.channel("202"), Context="plain", Exten="203")
    target = await pbx.phones["203"].next_call()
    target.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await asyncio.sleep(0.5)
    other.hang_up()
    await pbx.until("Event: AttendedTransfer")
    await asyncio.sleep(0.5)
    await end(line, target)


async def ami_bridge(pbx: PlainPbx) -> None:
    """Two who each listen to an announcement are bridged by the server."""
    lines = [pbx.phones[user].dial("230") for user in ("201", "203")]
    for line in lines:
        await line.until("up")
    await pbx.action("Bridge", Channel1=pbx.channel("201"), Channel2=pbx.channel("203"))
    await pbx.both_talk()
    for line in lines:
        line.hang_up()


async def _originate(pbx: PlainPbx, **fields: str) -> SipLine:
    await pbx.action("Originate", Channel="PJSIP/201", Async="true", CallerID="Ani <201>", **fields)
    return await pbx.phones["201"].next_call()


async def click_to_dial(pbx: PlainPbx) -> None:
    line = await _originate(pbx, Context="plain", Exten="203", Priority="1")
    line.answer()
    other = await pbx.phones["203"].next_call()
    other.answer()
    await pbx.both_talk()
    await end(line, other)


async def click_to_dial_refused(pbx: PlainPbx) -> None:
    line = await _originate(pbx, Context="plain", Exten="203", Priority="1")
    await pbx.until("Event: Newstate", "ChannelStateDesc: Ringing")
    line.reject(603)


async def click_to_dial_busy(pbx: PlainPbx) -> None:
    line = await _originate(pbx, Context="plain", Exten="203", Priority="1")
    line.answer()
    (await pbx.phones["203"].next_call()).reject(486)
    await line.until("gone")


async def click_to_dial_by_local(pbx: PlainPbx) -> None:
    await pbx.action(
        "Originate", Channel="Local/201@plain", Async="true", Context="plain", Exten="203", Priority="1"
    )
    line = await pbx.phones["201"].next_call()
    await pbx.until("Event: Newstate", "ChannelStateDesc: Ringing", "PJSIP/201")
    line.answer()
    other = await pbx.phones["203"].next_call()
    other.answer()
    await pbx.until("Event: BridgeEnter", "PJSIP/203")
    await asyncio.sleep(0.5)
    await end(other, line)


async def agent_bridged_to_waiting(pbx: PlainPbx) -> None:
    """As an ACD does: somebody waits, an agent's phone is called and joined to the one who waits."""
    line = pbx.from_outside("230")
    await line.until("up")
    waiting = pbx.channel("trunk")
    agent = await _originate(pbx, Application="Bridge", Data=waiting)
    agent.answer()
    await pbx.both_talk()
    await end(line, agent)


async def already_talking(pbx: PlainPbx) -> None:
    """The trace begins in the middle of a call, with a list of what is there."""
    line, other = await talk(pbx, "201", "202", "202")
    pbx.record()
    await pbx.action("CoreShowChannels")
    await pbx.until("Event: CoreShowChannelsComplete")
    await end(line, other)
    await asyncio.sleep(0.5)


STEPS = {"talk", "end", "press", "ring_group"}
SCENARIOS: dict[str, Scenario] = {
    name: found
    for name, found in [*globals().items(), *vars(plain_transfers).items()]
    if asyncio.iscoroutinefunction(found) and not name.startswith("_") and name not in STEPS
}
