"""The kinds of values in the configuration, each with a complaint that says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator


def _like(pattern: str, words: str) -> Callable[[str], str]:
    """A check whose complaint says in `words` what to write, not in a regular expression."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f'"{value[:80]}" is no {words}')
        return value

    return check


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(value))
    except ValueError:
        raise ValueError(f'"{value}" is no network; write one like "10.1.0.0/16" or "10.1.2.3/32"') from None


NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
NAME_WORDS = "name; use letters, digits, dot, dash and underscore, at most 64"
Language = Literal["en", "id"]
Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network), PlainSerializer(str)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
SecondsOrNone = Annotated[int, Field(ge=0, le=86_400)]
Level = Annotated[int, Field(ge=1, le=10)]
Text = Annotated[str, Field(min_length=1, max_length=80)]
Word = Annotated[str, AfterValidator(_like(NAME, NAME_WORDS))]
"""A name that may go into a dial string, a file name or a dialplan without quoting."""
NameOrNothing = Annotated[str, AfterValidator(_like(f"({NAME})?", NAME_WORDS))]
PhoneNumber = Annotated[
    str, AfterValidator(_like(r"\+\d{4,15}", 'E.164 number; write one like "+62215550100"'))
]
Endpoint = Annotated[
    str, AfterValidator(_like(r"[A-Za-z0-9]+/[A-Za-z0-9_.-]{1,64}", 'endpoint; write one like "PJSIP/a1"'))
]
Currency = Annotated[
    str, AfterValidator(_like(r"[A-Z]{3}", 'currency; write its three capital letters, like "IDR"'))
]
Prompt = Annotated[
    str,
    AfterValidator(_like(r"[a-z0-9_/-]{1,80}", "sound; use small letters, digits, dash, underscore and /")),
]
"""A sound as Asterisk's Playback names it, without language and ending."""
DialogueOrNothing = Annotated[
    str,
    AfterValidator(_like(r"([a-z][a-z0-9_]{0,39})?", "dialogue; use small letters, digits and underscore")),
]
