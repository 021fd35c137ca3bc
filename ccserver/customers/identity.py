"""Skeleton: who is contacting us, and how sure are we. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ccserver.store.rows import CustomerRow


class OriginKind(StrEnum):
    NUMBER = "number"
    EXTENSION = "extension"
    WITHHELD = "withheld"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a contact comes from. `label` is for people's eyes, `e164` only for kind NUMBER."""

    kind: OriginKind
    raw: str
    e164: str
    label: str


class MatchKind(StrEnum):
    KNOWN = "known"
    SEVERAL = "several"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"
    MALFORMED = "malformed"


class Evidence(StrEnum):
    NUMBER = "number"
    NUMBER_SHARED = "number_shared"
    ENTERED = "entered"
    ENTERED_UNKNOWN = "entered_unknown"
    DISAGREE = "disagree"
    NO_NUMBER = "no_number"
    NOT_A_NUMBER = "not_a_number"
    NOBODY = "nobody"
    LOOKUP_LATE = "lookup_late"
    LOOKUP_FAILED = "lookup_failed"


@dataclass(frozen=True, slots=True)
class IdentityMatch:
    """`customer` only for kind KNOWN; `candidates` for SEVERAL, likeliest first."""

    kind: MatchKind
    confidence: float
    evidence: tuple[Evidence, ...]
    customer: CustomerRow | None = None
    candidates: tuple[CustomerRow, ...] = ()


def normalise(raw: str, region: str) -> Origin:
    raise NotImplementedError


def match(
    origin: Origin, by_number: Sequence[CustomerRow], entered: str = "", by_entered: CustomerRow | None = None
) -> IdentityMatch:
    raise NotImplementedError
