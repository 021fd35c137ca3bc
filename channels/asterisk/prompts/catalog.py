"""Which prompts there are, in which languages, and which sound file speaks each; found out before start.

    config/prompts/en.toml                        first that is there of
    config/prompts/id.toml  --> PromptCatalog --> sounds/ccserver/en/site/welcome.*   the site's own
    grammars (compose.py)                         sounds/en/digits/1.*                a set of Asterisk's
                                                  sounds/ccserver/en/welcome.wav      spoken by us

`sounds/` is the folder of Asterisk; `sounds/ccserver` is ours, linked or copied there. Sound names hold the
language (`ccserver/en/welcome`), so they do not depend on the language that the channel happens to have.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from channels.asterisk.prompts.compose import LANGUAGES, composed_ids

SITE_FOLDER = "site"
OWN_FOLDER = "ccserver"
SOUND_SUFFIXES = frozenset(
    f".{name}" for name in ("wav", "wav16", "gsm", "ulaw", "alaw", "sln", "sln16", "g722", "g729", "opus")
)
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_RECORDED = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
_LANGUAGE = re.compile(r"[a-z]{2}")


class PromptError(Exception):
    """A prompt file is wrong; the text says which, and what to write instead."""


@dataclass(frozen=True, slots=True)
class SoundFolders:
    """Where sound files lie on this machine: our folder (`sounds/ccserver`), and all of Asterisk's."""

    own: Path
    asterisk: Path | None = None

    def has(self, name: str) -> bool:
        """Whether there is a file for a sound name, in any format that Asterisk plays."""
        first, _, rest = name.partition("/")
        folder, name = (self.own, rest) if first == OWN_FOLDER else (self.asterisk, name)
        if folder is None:
            return False
        return any((folder / f"{name}{suffix}").is_file() for suffix in SOUND_SUFFIXES)


@dataclass(frozen=True, slots=True)
class PromptSet:
    """One language: what each prompt says, which files of other sets speak it, and how we would speak it."""

    language: str
    name: str
    voice: str
    words_per_minute: int
    text: Mapping[str, str]
    recorded: Mapping[str, str] = field(default_factory=dict)


class PromptCatalog:
    """All prompt sets, and the sound file of each prompt; a `fastagi_session.Speaker`."""

    def __init__(self, sets: Mapping[str, PromptSet], default_language: str = "en") -> None:
        if default_language not in sets:
            raise PromptError(f"no prompt set for the default language {default_language!r}")
        self.sets = dict(sets)
        self.default_language = default_language
        self._sounds: dict[str, dict[str, str]] = {
            language: {prompt_id: f"{OWN_FOLDER}/{language}/{prompt_id}" for prompt_id in prompts.text}
            for language, prompts in sets.items()
        }

    def language(self, wanted: str) -> str:
        """The language to speak for one that a channel has: `id_ID` is `id`, an unknown one the default."""
        short = wanted[:2].lower()
        return short if short in self.sets else self.default_language

    def sounds(self, prompt_ids: Iterable[str], language: str) -> list[str]:
        """The sound files (no extension) of prompts. Raises PromptError for an id that no set has."""
        files = self._sounds[self.language(language)]
        try:
            return [files[prompt_id] for prompt_id in prompt_ids]
        except KeyError as error:
            raise PromptError(f"no prompt {error} in {self.language(language)}.toml") from error

    def resolve(self, folders: SoundFolders) -> None:
        """Take the best file that these folders have for each prompt."""
        for language, files in self._sounds.items():
            for prompt_id in files:
                files[prompt_id] = self._best(folders, self.sets[language], prompt_id)

    def missing_texts(self) -> list[str]:
        """`en/prompt-id` for each prompt that a grammar needs or another language has, and this one lacks."""
        shared = {prompt_id for prompts in self.sets.values() for prompt_id in prompts.text}
        shared = {prompt_id for prompt_id in shared if not prompt_id.startswith(("n-", "h-"))}
        return [
            f"{language}/{prompt_id}"
            for language, prompts in sorted(self.sets.items())
            for prompt_id in sorted((shared | composed_ids(language)) - prompts.text.keys())
        ]

    def chosen(self, languages: Iterable[str] | None) -> list[str]:
        """These languages, or all. Raises PromptError for one without a set."""
        chosen = sorted(self.sets if languages is None else set(languages))
        unknown = [language for language in chosen if language not in self.sets]
        if unknown:
            raise PromptError(f"no prompt set for {unknown[0]!r}; there are: {', '.join(sorted(self.sets))}")
        return chosen

    def candidates(self, prompts: PromptSet, prompt_id: str) -> list[str]:
        """The sound names that can speak a prompt, best first."""
        own, language = f"{OWN_FOLDER}/{prompts.language}", prompts.language
        recorded = prompts.recorded.get(prompt_id)
        better = [f"{own}/{SITE_FOLDER}/{prompt_id}", *([f"{language}/{recorded}"] if recorded else [])]
        return [*better, f"{own}/{prompt_id}"]

    def _best(self, folders: SoundFolders, prompts: PromptSet, prompt_id: str) -> str:
        names = self.candidates(prompts, prompt_id)
        return next((name for name in names if folders.has(name)), names[-1])


def load_prompts(folder: Path, default_language: str = "en") -> PromptCatalog:
    """The sets of a folder, `LANGUAGE.toml` each, complete and consistent. Raises PromptError."""
    sets = {path.stem: load_set(path) for path in sorted(folder.glob("*.toml"))}
    if not sets:
        raise PromptError(f"{folder}: no prompt set there; write {default_language}.toml")
    catalog = PromptCatalog(sets, default_language)
    if missing := catalog.missing_texts():
        raise PromptError(f"{folder}: write a [text] for {', '.join(missing[:20])}")
    return catalog


def load_set(path: Path) -> PromptSet:
    """One language's file. Raises PromptError with the file, and the line where TOML knows it."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PromptError(f"{path}: {error}") from error
    if not _LANGUAGE.fullmatch(path.stem) or path.stem not in LANGUAGES:
        raise PromptError(f"{path}: numbers are composed in {', '.join(LANGUAGES)}; name the file after one")
    unknown = data.keys() - {"name", "voice", "words_per_minute", "text", "recorded"}
    if unknown:
        raise PromptError(f"{path}: unknown key {sorted(unknown)[0]!r}")
    speed = data.get("words_per_minute", 150)
    if not isinstance(speed, int) or not 80 <= speed <= 450:
        raise PromptError(f"{path}: words_per_minute must be 80..450")
    text = _table(path, data, "text", re.compile(r"\S.{0,499}"))
    return PromptSet(
        language=path.stem,
        name=_string(path, data, "name", re.compile(r"\S.{0,60}")),
        voice=_string(path, data, "voice", re.compile(r"[A-Za-z0-9+_-]{1,40}")),
        words_per_minute=speed,
        text=text,
        recorded=_table(path, data, "recorded", _RECORDED),
    )


def _string(path: Path, data: Mapping[str, Any], key: str, allowed: re.Pattern[str]) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not allowed.fullmatch(value):
        raise PromptError(f"{path}: {key} must be a text that fits {allowed.pattern}")
    return value


def _table(path: Path, data: Mapping[str, Any], key: str, allowed: re.Pattern[str]) -> dict[str, str]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise PromptError(f"{path}: [{key}] must be a table")
    for prompt_id in table:
        if not _ID.fullmatch(prompt_id):
            raise PromptError(f"{path}: prompt id {prompt_id!r}: lower-case letters, digits and - only")
        _string(path, table, prompt_id, allowed)
    return dict(table)


def missing_prompts(
    catalog: PromptCatalog, folders: SoundFolders, languages: Iterable[str] | None = None
) -> list[str]:
    """`LANGUAGE/prompt-id` of every prompt that no sound file speaks."""
    return [
        f"{language}/{prompt_id}"
        for language in catalog.chosen(languages)
        for prompt_id in catalog.sets[language].text
        if not any(folders.has(name) for name in catalog.candidates(catalog.sets[language], prompt_id))
    ]
