"""Speaks prompts that no recorded set has, with espeak-ng: 8 kHz, mono, 16 bit, silence trimmed.

    text --espeak-ng--> WAV 22,050 Hz --windowed sinc, 160/441--> 8,000 Hz --trim--> LANG/ID.wav

Each file is written under another name and then renamed, so that a PBX never plays half a file and two
servers can work side by side. `.spoken.json` beside the files remembers which text and voice each was made
of: a changed text is spoken anew, and a file that somebody else put there is left alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import shutil
import subprocess
import tempfile
import wave
from array import array
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import mul
from pathlib import Path

from channels.asterisk.prompts.catalog import (
    PromptCatalog,
    PromptError,
    PromptSet,
    SoundFolders,
)

RATE_HZ = 8_000
TAPS = 32
SPEAK_TIMEOUT_S = 30.0
_SILENCE = 250  # of 32,767
_KEPT_SILENCE = RATE_HZ // 50
_MADE_OF = ".spoken.json"

Speak = Callable[[str, PromptSet], bytes]


class SynthesisError(PromptError):
    """A prompt cannot be spoken; the text says what to install or record."""


def speak_with_espeak(text: str, prompts: PromptSet) -> bytes:
    """A text as the WAV file that espeak-ng makes of it. Raises SynthesisError."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise SynthesisError(
            "espeak-ng is not installed, and no set has every prompt: install the package espeak-ng, or"
            f" record the missing prompts as sounds/ccserver/{prompts.language}/site/ID.wav (8 kHz,"
            " mono, 16 bit)"
        )
    command = [program, "-v", prompts.voice, "-s", str(prompts.words_per_minute), "--stdout", "--stdin"]
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=SPEAK_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SynthesisError(f"espeak-ng did not end within {SPEAK_TIMEOUT_S:g} s") from error
    if done.returncode or not done.stdout:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise SynthesisError(f"espeak-ng cannot speak voice {prompts.voice!r}: {reason or 'no sound'}")
    return done.stdout


def synthesise(
    catalog: PromptCatalog,
    folders: SoundFolders,
    languages: Iterable[str] | None = None,
    speak: Speak = speak_with_espeak,
) -> list[str]:
    """Speak into our folder what no set has, or what changed; returns `LANGUAGE/prompt-id` of what was made.

    About 0.04 s a prompt. Raises SynthesisError when espeak-ng is missing or fails.
    """
    made: list[str] = []
    for language in catalog.chosen(languages):
        made += [
            f"{language}/{prompt_id}" for prompt_id in _synthesise_set(catalog, language, folders, speak)
        ]
    return made


def _synthesise_set(catalog: PromptCatalog, language: str, folders: SoundFolders, speak: Speak) -> list[str]:
    prompts, folder = catalog.sets[language], folders.own / language
    made_of, made = _read_made_of(folder), []
    try:
        for prompt_id in list(_wanted(catalog, prompts, folders, made_of)):
            samples = trim(to_8_khz(speak(prompts.text[prompt_id], prompts)))
            _write(folder / f"{prompt_id}.wav", wav_bytes(samples))
            made_of[prompt_id] = _fingerprint(prompts, prompt_id)
            made.append(prompt_id)
    finally:
        if made:
            _write(folder / _MADE_OF, json.dumps(made_of, indent=0, sort_keys=True).encode())
    return made


def _wanted(
    catalog: PromptCatalog, prompts: PromptSet, folders: SoundFolders, made_of: dict[str, str]
) -> Iterable[str]:
    for prompt_id in prompts.text:
        *better, own = catalog.candidates(prompts, prompt_id)
        if any(folders.has(name) for name in better):
            continue
        changed = prompt_id in made_of and made_of[prompt_id] != _fingerprint(prompts, prompt_id)
        if changed or not folders.has(own):
            yield prompt_id


def _fingerprint(prompts: PromptSet, prompt_id: str) -> str:
    spoken = f"1|{prompts.voice}|{prompts.words_per_minute}|{prompts.text[prompt_id]}"
    return hashlib.sha256(spoken.encode()).hexdigest()[:16]


def _read_made_of(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / _MADE_OF).read_text()))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise SynthesisError(f"{folder / _MADE_OF} is damaged; delete it") from error


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o755)  # Asterisk may run as somebody else
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def to_8_khz(wav: bytes) -> array[int]:
    """The samples of a mono 16-bit WAV file at 8 kHz. Raises SynthesisError for another kind of file."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            kind = (file.getnchannels(), file.getsampwidth())
            rate_hz = file.getframerate()
            samples = array("h", file.readframes(len(wav)))
    except (wave.Error, EOFError) as error:
        raise SynthesisError(f"no WAV file came out: {error}") from error
    if kind != (1, 2):
        raise SynthesisError(f"a WAV file of {kind[0]} channels and {8 * kind[1]} bit instead of 1 and 16")
    return samples if rate_hz == RATE_HZ else resample(samples, rate_hz, RATE_HZ)


def resample(samples: array[int], from_hz: int, to_hz: int) -> array[int]:
    """Another rate by a windowed sinc, one filter per phase; what the new rate cannot carry is cut off."""
    common = math.gcd(from_hz, to_hz)
    up, down = to_hz // common, from_hz // common
    filters = _filters(up, min(1.0, to_hz / from_hz))
    padded = [0] * (TAPS // 2) + samples.tolist() + [0] * (TAPS // 2 + 1)
    out = array("h")
    for index in range(len(samples) * up // down):
        whole, phase = divmod(index * down, up)
        value = sum(map(mul, filters[phase], padded[whole : whole + TAPS]))
        out.append(max(-32_768, min(32_767, round(value))))
    return out


@lru_cache(maxsize=4)
def _filters(phases: int, cutoff: float) -> list[list[float]]:
    return [_filter(phase / phases, cutoff) for phase in range(phases)]


def _filter(offset: float, cutoff: float) -> list[float]:
    """Taps of a Blackman-windowed low pass, `offset` samples late, for a gain of exactly 1."""
    taps = []
    for tap in range(TAPS):
        x = tap - TAPS // 2 - offset
        angle = math.pi * x * cutoff * 0.92
        sinc = 1.0 if x == 0 else math.sin(angle) / angle
        window = (
            0.42
            + 0.5 * math.cos(2 * math.pi * x / (TAPS + 2))
            + 0.08 * math.cos(4 * math.pi * x / (TAPS + 2))
        )
        taps.append(sinc * window)
    total = sum(taps)
    return [tap / total for tap in taps]


def trim(samples: array[int]) -> array[int]:
    """Without the silence around it but for 20 ms, so that composed numbers do not stutter."""
    loud = [index for index, sample in enumerate(samples) if abs(sample) > _SILENCE]
    if not loud:
        raise SynthesisError("espeak-ng made only silence of a prompt; check its text")
    return samples[max(0, loud[0] - _KEPT_SILENCE) : loud[-1] + _KEPT_SILENCE]


def wav_bytes(samples: array[int]) -> bytes:
    """A WAV file as Asterisk plays it: 8 kHz, mono, 16 bit."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return out.getvalue()
