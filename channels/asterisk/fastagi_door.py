"""Who may ask over FastAGI: the networks a PBX may come from, and the secret by which it is known."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MIN_SECRET_CHARS = 16
LOOPBACK = ("127.0.0.0/8", "::1/128")
_SECRET = re.compile(rf"[A-Za-z0-9_-]{{{MIN_SECRET_CHARS},200}}")


@dataclass(frozen=True)
class PbxDoor:
    """One PBX that may ask: its name, its secret, the networks it may come from.

    Raises ValueError when the secret is short or cannot stand in an address, or a network is none.
    """

    name: str
    secret: str = field(repr=False)
    sources: Sequence[str] = LOOPBACK
    networks: tuple[Network, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not _SECRET.fullmatch(self.secret):
            raise ValueError(
                f"the FastAGI secret of PBX {self.name!r} needs {MIN_SECRET_CHARS} or more of A-Za-z0-9-_;"
                " make one with `openssl rand -hex 16`"
            )
        object.__setattr__(self, "networks", tuple(ipaddress.ip_network(text) for text in self.sources))


def find_door(doors: Sequence[PbxDoor], secret: str) -> PbxDoor | None:
    """Whose secret it is, or None; every one is compared, each in constant time."""
    given = secret.encode("utf-8", "replace")
    right = [door for door in doors if hmac.compare_digest(door.secret.encode(), given)]
    return right[0] if right else None


def is_in(host: str, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; an IPv4 address in IPv6 clothes counts as IPv4."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain.version == network.version and plain in network for network in networks)
