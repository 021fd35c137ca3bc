"""The least that can route calls through AMI: the limit beside which the benchmarks put ccserver.

No customers, no desks, no journal, no database, no checks: a FIFO of callers, a set of free phones.

    echo SECRET | python -m tests.bench.bare_script AMI_PORT USER AGI_PORT PHONE...
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque


class Bare:
    """Raw AMI and FastAGI on asyncio streams."""

    def __init__(self, phones: list[str]) -> None:
        self.free = dict.fromkeys(phones)
        self.state = dict.fromkeys(phones, "NOT_INUSE")
        self.waiting: deque[tuple[str, str, str]] = deque()
        self.gone: set[str] = set()
        self.legs: dict[str, str] = {}
        self.serial = 0

    async def run(self, ami_port: int, user: str, secret: str, agi_port: int) -> None:
        reader, self.writer = await asyncio.open_connection("127.0.0.1", ami_port)
        await reader.readline()
        self.send("Login", Username=user, Secret=secret, Events="call")
        await asyncio.start_server(self.agi, "127.0.0.1", agi_port)
        beating = asyncio.ensure_future(self.beat())
        print("ready", flush=True)
        while packet := await reader.readuntil(b"\r\n\r\n"):
            self.event(dict(line.split(": ", 1) for line in packet.decode().split("\r\n") if ": " in line))
        beating.cancel()

    def send(self, action: str, **fields: str) -> None:
        lines = [f"Action: {action}", *(f"{key}: {value}" for key, value in fields.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def beat(self) -> None:
        while True:
            self.send("Setvar", Variable="ACD_BEAT", Value=str(int(time.time())))
            await asyncio.sleep(1)

    async def agi(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        environment = {}
        while line := (await reader.readline()).decode().strip():
            key, _, value = line.partition(": ")
            environment[key] = value
        for name, value in (("ACD_ID", environment["agi_uniqueid"]), ("ACD_DO", "wait")):
            writer.write(f"SET VARIABLE {name} {value}\n".encode())
            await reader.readline()
        writer.close()
        names = ("agi_uniqueid", "agi_channel", "agi_callerid")
        uniqueid, channel, number = (environment[name] for name in names)
        self.waiting.append((uniqueid, channel, number))
        self.match()

    def event(self, event: dict[str, str]) -> None:
        if event.get("Event") == "Hangup":
            self.gone.add(event["Uniqueid"])
            phone = self.legs.pop(event["Uniqueid"], None)
            if phone is not None:
                self.free[phone] = None
        elif event.get("Event") == "DeviceStateChange":
            phone = event["Device"].removeprefix("PJSIP/")
            if phone in self.state:
                self.state[phone] = event["State"]
        else:
            return
        self.match()

    def match(self) -> None:
        for phone in [p for p in self.free if self.state[p] == "NOT_INUSE"]:
            while self.waiting and self.waiting[0][0] in self.gone:
                self.waiting.popleft()
            if not self.waiting:
                return
            _, channel, number = self.waiting.popleft()
            del self.free[phone]
            self.serial += 1
            leg = f"bare-{self.serial}"
            self.legs[leg] = phone
            self.send(
                "Originate",
                Channel=f"PJSIP/{phone}",
                Application="Bridge",
                Data=f"{channel},F(acd-after^s^1)",
                CallerID=number,
                ChannelId=leg,
                Timeout="20000",
                Async="true",
            )


if __name__ == "__main__":
    port, user, agi_port, *phones = sys.argv[1:]
    asyncio.run(Bare(phones).run(int(port), user, sys.stdin.readline().strip(), int(agi_port)))
