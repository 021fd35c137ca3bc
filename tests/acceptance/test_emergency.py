"""One switch that plays a message to every caller before anything else."""

from __future__ import annotations

import pytest

from tests.acceptance.centre import Centre
from tests.acceptance.steps import BILLING, STRANGER

pytestmark = pytest.mark.pbx
CENTRE = {"more": '[emergency]\nactive = true\nprompt = "ccserver/en/emergency"\nthen = "wait"\n'}


async def test_in_an_emergency_every_caller_hears_the_message_first_and_then_waits(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", ring_s=0.2)
    call = await centre.world.call(STRANGER, BILLING, talk_s=0.5)
    await call.until_up()
    assert not ayu.seen("offer"), "the message comes before the queue"
    await ayu.until("offer")
    await call.until_heard()
