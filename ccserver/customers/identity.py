"""Who is contacting us, and how sure are we. Pure.

    raw caller number ──normalise──▶ Origin ──look-up──▶ rows ──match──▶ IdentityMatch

Everything is an answer, shown as such: a number, an extension of ours, withheld, something that is no number.
A caller's number is evidence and never proof: anybody can send any number, and families and offices share
one. So no match is certain, and what is at stake is weighed with the confidence (`worth.py`).

    evidence                                        confidence
    the number is on one customer's list            0.80
    the number and the customer number entered      0.95
    only the customer number that was entered       0.60
    the number is on n customers' lists             0.80 / n each, nobody chosen
    the number says one, the entered number another 0.45 each, nobody chosen
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat

from ccserver.store.rows import CustomerRow

MAX_RAW = 500
MAX_LABEL = 80
MAX_E164 = 16
"""Fifteen digits and the plus."""
EXTENSION_DIGITS = 6
"""A bare number of at most so many digits that is no public number is one of our own extensions."""

BY_NUMBER = 0.80
BY_BOTH = 0.95
BY_ENTERED = 0.60
DISAGREEING = 0.45

_WITHHELD = frozenset(
    {
        "", "-", "anon", "anonymous", "asterisk", "blocked", "caller id blocked", "no number", "nobody",
        "number withheld", "private", "restricted", "unavailable", "unknown", "withheld",
    }
)  # fmt: skip
_DIALABLE = re.compile(r"\+?[0-9(][0-9 ().\-/]{0,39}")
_URI = re.compile(r"(?:sips?|tel):([^@;>?]*)", re.IGNORECASE)
# Control characters and the marks that turn text around: what is shown must look like what it is.
_UNSHOWABLE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class OriginKind(StrEnum):
    """What the caller's number turned out to be."""

    NUMBER = "number"
    EXTENSION = "extension"
    WITHHELD = "withheld"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a contact comes from. `label` is for people's eyes (empty when withheld: the desk has words
    for that), `e164` only for kind NUMBER, `raw` as received, at most 500 characters, harmless as text."""

    kind: OriginKind
    raw: str
    e164: str
    label: str


class MatchKind(StrEnum):
    """What we know after looking."""

    KNOWN = "known"
    SEVERAL = "several"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"
    MALFORMED = "malformed"


class Evidence(StrEnum):
    """Why we think so. Words for people: `profile.EVIDENCE_WORDS`."""

    NUMBER = "number"
    NUMBER_SHARED = "number_shared"
    ENTERED = "entered"
    ENTERED_UNKNOWN = "entered_unknown"
    DISAGREE = "disagree"
    NO_NUMBER = "no_number"
    NOT_A_NUMBER = "not_a_number"
    EXTENSION = "extension"
    NOBODY = "nobody"
    LOOKUP_LATE = "lookup_late"
    LOOKUP_FAILED = "lookup_failed"


@dataclass(frozen=True, slots=True)
class IdentityMatch:
    """`customer` only for kind KNOWN; `candidates` for SEVERAL, likeliest first. `confidence` 0 to 1, for
    SEVERAL that of each candidate."""

    kind: MatchKind
    confidence: float
    evidence: tuple[Evidence, ...]
    customer: CustomerRow | None = None
    candidates: tuple[CustomerRow, ...] = ()

    @property
    def customer_id(self) -> str:
        """For the router's events; empty unless known."""
        return "" if self.customer is None else self.customer.id


# -- the number ----------------------------------------------------------------------------------------------


def normalise(raw: str, region: str) -> Origin:
    """What a channel says of the caller, made comparable. `region` (two letters) is where a number without
    country code belongs. Never raises, whatever is given."""
    shown = _UNSHOWABLE.sub("\ufffd", raw[:MAX_RAW]).strip()
    given = _out_of_uri(shown).strip().strip("\"'").strip()
    if given.casefold() in _WITHHELD:
        return Origin(OriginKind.WITHHELD, shown, "", "")
    if not given.isascii() or not _DIALABLE.fullmatch(given):
        return Origin(OriginKind.MALFORMED, shown, "", _label(shown))
    digits = re.sub(r"\D", "", given)
    number = _public_number(given, digits, region)
    if number is not None:
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        shown_as = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
        return Origin(OriginKind.NUMBER, shown, e164, shown_as)
    if 0 < len(digits) <= EXTENSION_DIGITS and not given.startswith("+"):
        return Origin(OriginKind.EXTENSION, shown, "", digits)
    return Origin(OriginKind.MALFORMED, shown, "", _label(shown))


def _out_of_uri(text: str) -> str:
    """The user part of a SIP or tel URI, of `"Name" <…>` too; other text as it is."""
    found = _URI.search(text)
    if found:
        return found[1].replace("%2B", "+").replace("%2b", "+")
    bracketed = re.fullmatch(r"[^<>]*<([^<>]+)>", text)
    return (bracketed[1] if bracketed else text).partition("@")[0]


def _label(text: str) -> str:
    return text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"


def _public_number(given: str, digits: str, region: str) -> PhoneNumber | None:
    """The first reading that is a number in use, else the first that could be one."""
    if len(digits) <= EXTENSION_DIGITS:
        return None  # emergency, service and short numbers never call
    readings = list(_readings(given, digits, region))
    in_use = (number for number in readings if phonenumbers.is_valid_number(number))
    possible = (number for number in readings if phonenumbers.is_possible_number(number))
    return next(in_use, None) or next(possible, None)


def _readings(given: str, digits: str, region: str) -> Iterator[PhoneNumber]:
    written = [given]
    if given.startswith("00"):
        written.append("+" + digits[2:])  # the world's prefix, where the region's own is another
    elif not given.startswith(("+", "0")):
        # Trunks leave the plus out. A number at home has the trunk's 0 in front, so our own country code
        # here is a country code.
        home = digits.startswith(str(phonenumbers.country_code_for_region(region)))
        written.insert(0 if home else 1, "+" + digits)
    for text in written:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if len(phonenumbers.format_number(number, PhoneNumberFormat.E164)) <= MAX_E164:
            yield number


# -- the customer --------------------------------------------------------------------------------------------


def match(
    origin: Origin,
    by_number: Sequence[CustomerRow],
    entered: str = "",
    by_entered: CustomerRow | None = None,
) -> IdentityMatch:
    """`by_number`: customers who use the origin's number; `entered`: the customer number typed in the
    dialogue, `by_entered` whose it is. Both are claims; together they are worth more."""
    if by_entered is not None:
        return _with_entered(by_number, by_entered)
    further = (Evidence.ENTERED_UNKNOWN,) if entered else ()
    if len(by_number) == 1:
        return IdentityMatch(MatchKind.KNOWN, BY_NUMBER, (Evidence.NUMBER, *further), by_number[0])
    if by_number:
        share = BY_NUMBER / len(by_number)
        evidence = (Evidence.NUMBER_SHARED, *further)
        return IdentityMatch(MatchKind.SEVERAL, share, evidence, candidates=tuple(by_number))
    kind, why = _NOBODY[origin.kind]
    return IdentityMatch(kind, 0.0, (why, *further))


def _with_entered(by_number: Sequence[CustomerRow], entered: CustomerRow) -> IdentityMatch:
    if not by_number:
        return IdentityMatch(MatchKind.KNOWN, BY_ENTERED, (Evidence.ENTERED,), entered)
    if any(customer.id == entered.id for customer in by_number):
        evidence = (Evidence.NUMBER, Evidence.ENTERED)
        return IdentityMatch(MatchKind.KNOWN, BY_BOTH, evidence, entered)
    return IdentityMatch(
        MatchKind.SEVERAL, DISAGREEING, (Evidence.DISAGREE,), candidates=(entered, *by_number)
    )


_NOBODY = {
    OriginKind.NUMBER: (MatchKind.UNKNOWN, Evidence.NOBODY),
    OriginKind.EXTENSION: (MatchKind.UNKNOWN, Evidence.EXTENSION),
    OriginKind.WITHHELD: (MatchKind.WITHHELD, Evidence.NO_NUMBER),
    OriginKind.MALFORMED: (MatchKind.MALFORMED, Evidence.NOT_A_NUMBER),
}
