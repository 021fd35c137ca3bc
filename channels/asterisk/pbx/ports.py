"""A block of ports for one PBX and its outside world, taken by nobody else on this machine.

    base+0 SIP   +1 AMI   +2 HTTP/WebSocket   +3 FastAGI (of ccserver)   +4 SIP, +5 AMI of the world
    base+100 ... base+1049  RTP of the PBX      base+1050 ... base+1999  RTP of the world

A block is ours while we hold the lock on its file in the temporary folder, so any number of test runs go side
by side; the lock ends with the process. Blocks lie below the range from which the system takes ports itself.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

FIRST, LAST, SIZE = 10_000, 32_000, 2_000
SINGLE_PORTS = 6
RTP_OFFSET, WORLD_RTP_OFFSET = 100, 1_050


class NoPorts(Exception):
    """Every block of ports is taken; the text says what to end."""


@dataclass
class PortBlock:
    """The ports of one PBX. `release` gives them back."""

    base: int
    lock: IO[str]

    @property
    def sip(self) -> int:
        return self.base

    @property
    def ami(self) -> int:
        return self.base + 1

    @property
    def http(self) -> int:
        return self.base + 2

    @property
    def agi(self) -> int:
        return self.base + 3

    @property
    def world_sip(self) -> int:
        return self.base + 4

    @property
    def world_ami(self) -> int:
        return self.base + 5

    @property
    def rtp(self) -> tuple[int, int]:
        return self.base + RTP_OFFSET, self.base + WORLD_RTP_OFFSET - 1

    @property
    def world_rtp(self) -> tuple[int, int]:
        return self.base + WORLD_RTP_OFFSET, self.base + SIZE - 1

    def release(self) -> None:
        """Let others have the block."""
        self.lock.close()


def take_ports() -> PortBlock:
    """Take a free block.

    Raises:
        NoPorts: all are taken.
    """
    folder = Path(tempfile.gettempdir()) / f"ccserver-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    bases = list(range(FIRST, LAST, SIZE))
    random.shuffle(bases)
    for base in bases:
        lock = (folder / str(base)).open("w")
        if _locks(lock) and all(_is_free(base + offset) for offset in range(SINGLE_PORTS)):
            return PortBlock(base, lock)
        lock.close()
    raise NoPorts(f"all {len(bases)} blocks of ports from {FIRST} to {LAST} are in use: end other runs first")


def _locks(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:  # as Asterisk does: connections in TIME_WAIT do not count
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                return False
    return True
