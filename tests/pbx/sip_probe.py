"""One SIP request and the status of its answer: enough to see whether a door is locked."""

from __future__ import annotations

import asyncio

from channels.asterisk.pbx.instance import PbxInstance

ANSWER_TIMEOUT_S = 10.0


class _Answer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _addr: object) -> None:
        if not self.status.done():
            self.status.set_result(int(data.split(b" ")[1]))


async def status_of_register(pbx: PbxInstance, name: str) -> int:
    """What the PBX says to a registration without a password."""
    loop = asyncio.get_running_loop()
    transport, answer = await loop.create_datagram_endpoint(_Answer, remote_addr=(pbx.sip_host, pbx.sip_port))
    host, port = transport.get_extra_info("sockname")
    try:
        transport.sendto(
            f"REGISTER sip:{pbx.sip_host}:{pbx.sip_port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK-probe;rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{name}@{pbx.sip_host}>;tag=probe\r\nTo: <sip:{name}@{pbx.sip_host}>\r\n"
            f"Call-ID: probe-{port}\r\nCSeq: 1 REGISTER\r\nContact: <sip:{name}@{host}:{port}>\r\n"
            "Expires: 60\r\nContent-Length: 0\r\n\r\n".encode()
        )
        return await asyncio.wait_for(answer.status, ANSWER_TIMEOUT_S)
    finally:
        transport.close()
