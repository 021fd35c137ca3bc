"""Blocks of ports: nobody gets another's."""

from __future__ import annotations

import pytest

from channels.asterisk.pbx import ports
from channels.asterisk.pbx.ports import NoPorts, take_ports


def test_two_runs_get_different_blocks() -> None:
    first, second = take_ports(), take_ports()
    try:
        assert first.base != second.base
    finally:
        first.release()
        second.release()


def test_the_parts_of_a_block_do_not_overlap() -> None:
    block = take_ports()
    block.release()
    single = {block.sip, block.ami, block.http, block.agi, block.world_sip, block.world_ami}
    media = [*range(block.rtp[0], block.rtp[1] + 1), *range(block.world_rtp[0], block.world_rtp[1] + 1)]
    assert len(single) == ports.SINGLE_PORTS
    assert len(media) == len(set(media))
    assert not single & set(media)
    assert max(media) < block.base + ports.SIZE


def test_when_all_are_taken_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_locks", lambda _lock: False)
    with pytest.raises(NoPorts, match="in use"):
        take_ports()
