"""What Asterisk tells about a call when it asks over FastAGI, without the secret of the address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from channels.asterisk.fastagi_codec import RemoteProtocolError, Script, shown

_UNIQUEID = re.compile(r"[A-Za-z0-9._:@-]{1,150}")
_SECRET_KEYS = ("agi_request", "agi_network_script")


@dataclass(frozen=True, slots=True)
class AgiRequest:
    """What the dialplan told about the call; all but `pbx`, `route` is foreign: only text."""

    pbx: str
    route: str
    query: Mapping[str, str]
    uniqueid: str
    channel: str
    caller_number: str
    caller_name: str
    dialled: str
    language: str
    context: str
    env: Mapping[str, str] = field(repr=False)
    peer: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that followed the address in `AGI(address,first,second)`."""
        count = sum(1 for name in self.env if name.startswith("agi_arg_"))
        return tuple(self.env.get(f"agi_arg_{number}", "") for number in range(1, count + 1))


def make_request(values: Mapping[str, str], script: Script, pbx: str, peer: str) -> AgiRequest:
    """The request without its secret. Raises RemoteProtocolError when the uniqueid is none."""
    uniqueid = values.get("agi_uniqueid", "")
    if not _UNIQUEID.fullmatch(uniqueid):
        raise RemoteProtocolError(f"no uniqueid of a channel: {shown(uniqueid)}")
    env = dict(values)
    for key in _SECRET_KEYS:
        env.pop(key, None)
    env["agi_network_script"] = script.route
    return AgiRequest(
        pbx=pbx,
        route=script.route,
        query=script.query,
        uniqueid=uniqueid,
        channel=values.get("agi_channel", ""),
        caller_number=_known(values.get("agi_callerid", "")),
        caller_name=_known(values.get("agi_calleridname", "")),
        dialled=_known(values.get("agi_dnid", "")) or values.get("agi_extension", ""),
        language=values.get("agi_language", ""),
        context=values.get("agi_context", ""),
        env=MappingProxyType(env),
        peer=peer,
    )


def _known(value: str) -> str:
    """Asterisk writes `unknown` where it has nothing."""
    return "" if value == "unknown" else value
