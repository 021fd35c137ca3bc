"""Asks a caller for language, customer number and need; each question can be left unanswered.

    language          "1" English, "2" Indonesian; asked unless the address says `?language=en`
    customer_number   digits and `#`, read back, "1" right / "2" again; `#` alone: none at hand
    need              "1" sales, "2" support, "3" billing

Every question is put at most three times; then the dialogue goes on without the answer, since a caller who
cannot answer a machine must still reach a person. What is returned holds only what was answered:
`{"language": "id", "customer_number": "4711", "need": "support"}`.

Copy this file into your own dialogue folder to change it.
"""

from __future__ import annotations

from typing import Any

from channels.asterisk.dialogue import DialogueCall
from channels.asterisk.prompts import compose_digits

TRIES = 3
ANSWER_MS = 5_000
DIGIT_GAP_MS = 4_000
MAX_NUMBER_DIGITS = 12
LANGUAGES = {"1": "en", "2": "id"}
NEEDS = {"1": "sales", "2": "support", "3": "billing"}


def run(agi: Any, call: DialogueCall) -> dict[str, str]:
    """The dialogue itself; see the module."""
    result: dict[str, str] = {}
    agi.answer()
    call.say(agi, ["welcome"])
    language = call.query.get("language", "")
    if language not in LANGUAGES.values():
        language = ask_language(agi, call)
    if language:
        result["language"] = language
    spoken = language or call.language
    number = ask_customer_number(agi, call, spoken)
    if number:
        result["customer_number"] = number
    need = ask_choice(agi, call, ["choose-need"], NEEDS, spoken)
    if need:
        result["need"] = need
    call.say(agi, ["thank-you", "connecting"], spoken)
    return result


def ask_language(agi: Any, call: DialogueCall) -> str:
    """The language that was chosen, or "". Each language offers itself in its own words."""
    for attempt in range(TRIES):
        digit = ""
        for language in LANGUAGES.values():
            prompts = ["not-understood"] * (attempt > 0 and language == "en") + ["choose-language"]
            digit = digit or call.say(agi, prompts, language, "12")
        digit = digit or agi.wait_for_digit(ANSWER_MS)
        if digit in LANGUAGES:
            return LANGUAGES[digit]
    return ""


def ask_choice(
    agi: Any, call: DialogueCall, prompts: list[str], choices: dict[str, str], language: str
) -> str:
    """What was chosen by one key, or "" after three tries."""
    for attempt in range(TRIES):
        asked = (["not-understood"] if attempt else []) + prompts
        digit = call.say(agi, asked, language, "".join(choices)) or agi.wait_for_digit(ANSWER_MS)
        if digit in choices:
            return choices[digit]
    return ""


def ask_customer_number(agi: Any, call: DialogueCall, language: str) -> str:
    """A number that the caller has confirmed, or ""."""
    for _ in range(TRIES):
        (sound,) = call.sounds(["enter-customer-number"], language)
        digits = agi.get_data(sound, DIGIT_GAP_MS, MAX_NUMBER_DIGITS)
        if not digits:
            break
        if digits.isdigit() and is_confirmed(agi, call, digits, language):
            return str(digits)
    call.say(agi, ["without-number"], language)
    return ""


def is_confirmed(agi: Any, call: DialogueCall, digits: str, language: str) -> bool:
    """Read the number back; whether the caller says that it is right."""
    read_back = ["you-entered", *compose_digits(digits), "confirm-number"]
    return ask_choice(agi, call, read_back, {"1": "right", "2": "again"}, language) == "right"
