"""Numbers, places, waits and digits as lists of prompt ids; pure.

    compose_number(1_123, "en")   n-1 n-thousand n-1 n-hundred n-20 n-3        one thousand one hundred ...
    compose_number(1_123, "id")   n-1000 n-100 n-2 n-ten n-3                   seribu seratus dua puluh tiga
    compose_ordinal(21, "en")     n-20 h-1                                     twenty first
    compose_ordinal(21, "id")     h-prefix n-2 n-ten n-1                       ke dua puluh satu
    compose_wait(130, "en")       about n-3 minutes                            a wait is never told too short

Each language is its own little grammar, as numbers are built differently everywhere; `LANGUAGES` lists them.
A language is added by writing its two functions, a line in `_GRAMMARS`, and a file in config/prompts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MAX_NUMBER = 999_999_999
_SCALES = ((1_000_000, "n-million"), (1_000, "n-thousand"))
MAX_MINUTES = 60


@dataclass(frozen=True, slots=True)
class _Grammar:
    number: Callable[[int], list[str]]
    ordinal: Callable[[int], list[str]]
    ids: frozenset[str]


def _english(number: int) -> list[str]:
    for scale, word in _SCALES:
        if number >= scale:
            return [*_english(number // scale), word, *_english_rest(number % scale)]
    if number >= 100:
        return [f"n-{number // 100}", "n-hundred", *_english_rest(number % 100)]
    if number > 20 and number % 10:
        return [f"n-{number - number % 10}", f"n-{number % 10}"]
    return [f"n-{number}"]


def _english_rest(number: int) -> list[str]:
    return _english(number) if number else []


def _english_ordinal(number: int) -> list[str]:
    *head, last = _english(number)
    return [*head, last.replace("n-", "h-", 1)]


def _indonesian(number: int) -> list[str]:
    for scale, word in _SCALES:
        if number >= scale:
            # One thousand is "seribu", but one million is "satu juta".
            count = ["n-1000"] if number // scale == 1 and scale == 1_000 else []
            return [*(count or [*_indonesian(number // scale), word]), *_indonesian_rest(number % scale)]
    if number >= 100:
        hundreds = ["n-100"] if number < 200 else [f"n-{number // 100}", "n-hundred"]
        return [*hundreds, *_indonesian_rest(number % 100)]
    if number >= 20:
        return [f"n-{number // 10}", "n-ten", *_indonesian_rest(number % 10)]
    return [f"n-{number - 10}", "n-teen"] if number > 11 else [f"n-{number}"]


def _indonesian_rest(number: int) -> list[str]:
    return _indonesian(number) if number else []


def _indonesian_ordinal(number: int) -> list[str]:
    return ["h-1"] if number == 1 else ["h-prefix", *_indonesian(number)]


_ENGLISH_ENDS = [*range(1, 21), *range(30, 100, 10), "hundred", "thousand", "million"]
_GRAMMARS = {
    "en": _Grammar(
        _english,
        _english_ordinal,
        frozenset(["n-0", *(f"{kind}-{end}" for kind in "nh" for end in _ENGLISH_ENDS)]),
    ),
    "id": _Grammar(
        _indonesian,
        _indonesian_ordinal,
        frozenset(
            [f"n-{end}" for end in [*range(12), 100, 1000, "teen", "ten", "hundred", "thousand", "million"]]
            + ["h-1", "h-prefix"]
        ),
    ),
}
LANGUAGES = tuple(_GRAMMARS)
_WAIT_IDS = frozenset({"about", "minute", "minutes", "less-than-a-minute", "more-than-an-hour"})
_PLACE_IDS = frozenset({"you-are-next", "you-are-number", "in-the-queue", "estimated-wait"})


def compose_number(number: int, language: str) -> list[str]:
    """A count, 0 to 999,999,999. Raises ValueError beyond that, or for a language without a grammar."""
    return _grammar(language).number(_checked(number, 0))


def compose_ordinal(number: int, language: str) -> list[str]:
    """A place in an order, from the first on. Raises ValueError as `compose_number` does."""
    return _grammar(language).ordinal(_checked(number, 1))


def compose_digits(digits: str) -> list[str]:
    """Each digit for itself, as numbers of customers are read out. Raises ValueError for anything else."""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 32):
        raise ValueError("only 1 to 32 digits 0-9 can be read out")
    return [f"n-{digit}" for digit in digits]


def compose_wait(wait_s: float, language: str) -> list[str]:
    """A wait in whole minutes, rounded up, since a wait told too short is worse than one told too long."""
    grammar = _grammar(language)
    minutes = max(0, -int(-wait_s // 60))
    if wait_s < 60:
        return ["less-than-a-minute"]
    if minutes > MAX_MINUTES:
        return ["more-than-an-hour"]
    return ["about", *grammar.number(minutes), "minute" if minutes == 1 else "minutes"]


def announce_position(position: int, wait_s: float | None, language: str) -> list[str]:
    """What a waiting caller hears: the place (from 1 on), and the wait when it is known."""
    if position == 1:
        place = ["you-are-next"]
    else:
        place = ["you-are-number", *compose_number(_checked(position, 1), language), "in-the-queue"]
    return place if wait_s is None else [*place, "estimated-wait", *compose_wait(wait_s, language)]


def composed_ids(language: str) -> frozenset[str]:
    """Every prompt id that the functions of this module can ask for in a language."""
    return _grammar(language).ids | _WAIT_IDS | _PLACE_IDS


def _grammar(language: str) -> _Grammar:
    if language not in _GRAMMARS:
        known = ", ".join(LANGUAGES)
        raise ValueError(f"no numbers are composed in {language!r}; write a grammar beside {known}")
    return _GRAMMARS[language]


def _checked(number: int, least: int) -> int:
    if not least <= number <= MAX_NUMBER:
        raise ValueError(f"a number to be spoken must lie in {least}..{MAX_NUMBER}, not {number}")
    return number
