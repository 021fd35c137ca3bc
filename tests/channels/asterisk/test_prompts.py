"""Prompts: numbers as people say them, each prompt spoken by a file, a missing one found before start."""

from __future__ import annotations

import io
import math
import shutil
import wave
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.asterisk.prompts import (
    LANGUAGES,
    PromptCatalog,
    PromptError,
    PromptSet,
    SoundFolders,
    SynthesisError,
    announce_position,
    compose_digits,
    compose_number,
    compose_ordinal,
    compose_wait,
    composed_ids,
    load_prompts,
    missing_prompts,
    synthesise,
)
from channels.asterisk.prompts.compose import MAX_NUMBER
from channels.asterisk.prompts.synthesis import (
    RATE_HZ,
    resample,
    speak_with_espeak,
    to_8_khz,
    trim,
    wav_bytes,
)

FOLDER = Path(__file__).parents[3] / "config" / "prompts"
CATALOG = load_prompts(FOLDER)


def said(prompt_ids: list[str], language: str) -> str:
    """The words that a caller hears."""
    return " ".join(CATALOG.sets[language].text[prompt_id] for prompt_id in prompt_ids)


@pytest.mark.parametrize(
    ("number", "english", "indonesian"),
    [
        (0, "zero", "nol"),
        (1, "one", "satu"),
        (10, "ten", "sepuluh"),
        (11, "eleven", "sebelas"),
        (12, "twelve", "dua belas"),
        (19, "nineteen", "sembilan belas"),
        (20, "twenty", "dua puluh"),
        (21, "twenty one", "dua puluh satu"),
        (99, "ninety nine", "sembilan puluh sembilan"),
        (100, "one hundred", "seratus"),
        (101, "one hundred one", "seratus satu"),
        (111, "one hundred eleven", "seratus sebelas"),
        (123, "one hundred twenty three", "seratus dua puluh tiga"),
        (200, "two hundred", "dua ratus"),
        (999, "nine hundred ninety nine", "sembilan ratus sembilan puluh sembilan"),
        (1_000, "one thousand", "seribu"),
        (1_001, "one thousand one", "seribu satu"),
        (1_100, "one thousand one hundred", "seribu seratus"),
        (2_014, "two thousand fourteen", "dua ribu empat belas"),
        (11_000, "eleven thousand", "sebelas ribu"),
        (21_000, "twenty one thousand", "dua puluh satu ribu"),
        (101_000, "one hundred one thousand", "seratus satu ribu"),
        (1_000_000, "one million", "satu juta"),
        (1_001_000, "one million one thousand", "satu juta seribu"),
        (
            2_300_045,
            "two million three hundred thousand forty five",
            "dua juta tiga ratus ribu empat puluh lima",
        ),
    ],
)
def test_numbers(number: int, english: str, indonesian: str) -> None:
    assert said(compose_number(number, "en"), "en") == english
    assert said(compose_number(number, "id"), "id") == indonesian


@pytest.mark.parametrize(
    ("number", "english", "indonesian"),
    [
        (1, "first", "pertama"),
        (2, "second", "ke dua"),
        (11, "eleventh", "ke sebelas"),
        (12, "twelfth", "ke dua belas"),
        (20, "twentieth", "ke dua puluh"),
        (21, "twenty first", "ke dua puluh satu"),
        (100, "one hundredth", "ke seratus"),
        (103, "one hundred third", "ke seratus tiga"),
        (2_000, "two thousandth", "ke dua ribu"),
    ],
)
def test_ordinals(number: int, english: str, indonesian: str) -> None:
    assert said(compose_ordinal(number, "en"), "en") == english
    assert said(compose_ordinal(number, "id"), "id") == indonesian


@given(st.integers(0, MAX_NUMBER), st.sampled_from(LANGUAGES))
def test_every_number_has_words_and_no_two_have_the_same(number: int, language: str) -> None:
    words = compose_number(number, language)
    assert set(words) | set(compose_ordinal(max(1, number), language)) <= composed_ids(language)
    assert value_of(words) == number


def value_of(words: list[str]) -> int:
    """Reads a composed number back, by the rule that both languages share: units, then their scale."""
    total = group = unit = 0
    for word in words:
        name = word.removeprefix("n-")
        if name == "1000":
            total, group = total + 1_000, 0
        elif name in ("thousand", "million"):
            total += (group + unit) * {"thousand": 1_000, "million": 1_000_000}[name]
            group = unit = 0
        elif name in ("hundred", "ten"):
            group, unit = group + unit * {"hundred": 100, "ten": 10}[name], 0
        elif name == "100":
            group += 100
        elif name == "teen":
            unit += 10
        else:
            unit += int(name)
    return total + group + unit


@pytest.mark.parametrize("number", [-1, MAX_NUMBER + 1])
def test_numbers_that_are_not_spoken(number: int) -> None:
    for language in LANGUAGES:
        with pytest.raises(ValueError, match="must lie in"):
            compose_number(number, language)
    with pytest.raises(ValueError, match="must lie in"):
        compose_ordinal(0, "en")
    with pytest.raises(ValueError, match="write a grammar"):
        compose_number(1, "xx")


def test_digits_are_read_one_by_one() -> None:
    assert said(compose_digits("4071"), "id") == "empat nol tujuh satu"
    for wrong in ("", "12a", "-1", "１２", "1" * 33):
        with pytest.raises(ValueError, match="0-9"):
            compose_digits(wrong)


@pytest.mark.parametrize(
    ("wait_s", "english", "indonesian"),
    [
        (0, "less than a minute.", "kurang dari satu menit."),
        (59.9, "less than a minute.", "kurang dari satu menit."),
        (60, "about one minute.", "sekitar satu menit."),
        (61, "about two minutes.", "sekitar dua menit."),
        (3_600, "about sixty minutes.", "sekitar enam puluh menit."),
        (3_601, "more than an hour.", "lebih dari satu jam."),
        (1e9, "more than an hour.", "lebih dari satu jam."),
    ],
)
def test_waits_are_never_told_too_short(wait_s: float, english: str, indonesian: str) -> None:
    assert said(compose_wait(wait_s, "en"), "en") == english
    assert said(compose_wait(wait_s, "id"), "id") == indonesian


def test_position_and_wait() -> None:
    assert said(announce_position(1, None, "en"), "en") == "You are the next caller."
    assert said(announce_position(3, 130, "en"), "en") == (
        "You are number three in the queue. The waiting time is about three minutes."
    )
    assert said(announce_position(12, 30, "id"), "id") == (
        "Anda berada di urutan dua belas dalam antrean. Waktu tunggu kurang dari satu menit."
    )
    with pytest.raises(ValueError, match="must lie in"):
        announce_position(0, None, "en")


# The catalog.


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_the_shipped_sets_are_complete() -> None:
    assert sorted(CATALOG.sets) == sorted(LANGUAGES)
    assert CATALOG.missing_texts() == []


def test_sounds_are_found_by_language() -> None:
    assert CATALOG.sounds(["welcome", "n-1"], "id_ID") == ["ccserver/id/welcome", "ccserver/id/n-1"]
    assert CATALOG.sounds(["welcome"], "fr") == ["ccserver/en/welcome"]
    with pytest.raises(PromptError, match="nonsense"):
        CATALOG.sounds(["nonsense"], "en")


def test_the_sites_own_file_comes_before_a_recorded_set_before_ours(tmp_path: Path) -> None:
    folders = SoundFolders(tmp_path / "own", tmp_path / "asterisk")
    catalog = load_prompts(FOLDER)
    touch(folders.own / "en/n-1.wav")
    touch(folders.own / "en/n-2.wav")
    touch(tmp_path / "asterisk/en/digits/1.gsm")
    catalog.resolve(folders)
    assert catalog.sounds(["n-1", "n-2"], "en") == ["en/digits/1", "ccserver/en/n-2"]
    touch(folders.own / "en/site/n-1.ulaw")
    catalog.resolve(folders)
    assert catalog.sounds(["n-1"], "en") == ["ccserver/en/site/n-1"]


def test_a_missing_prompt_is_found(tmp_path: Path) -> None:
    folders = SoundFolders(tmp_path)
    for prompts in CATALOG.sets.values():
        for prompt_id in prompts.text:
            touch(tmp_path / prompts.language / f"{prompt_id}.wav")
    assert missing_prompts(CATALOG, folders) == []
    (tmp_path / "id/n-teen.wav").unlink()
    assert missing_prompts(CATALOG, folders) == ["id/n-teen"]
    assert missing_prompts(CATALOG, folders, ["en"]) == []
    with pytest.raises(PromptError, match="no prompt set for 'fr'"):
        missing_prompts(CATALOG, folders, ["fr"])


SMALL = 'name = "E"\nvoice = "en"\n[text]\nwelcome = "Hi"\n'


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("en.toml", "name = \n", r"en\.toml: .*line 1"),
        ("en.toml", SMALL, r"write a \[text\] for en/about"),
        ("en.toml", SMALL.replace("name", "nmae"), "unknown key 'nmae'"),
        ("en.toml", SMALL.replace('"en"', '"-en;x"').replace("-en;", "-en;"), "voice"),
        ("en.toml", SMALL.replace("welcome", '"../x"'), "prompt id"),
        ("en.toml", SMALL.replace('"Hi"', "7"), "welcome"),
        ("en.toml", 'words_per_minute = "fast"\n' + SMALL, "80..450"),
        ("en.toml", SMALL + '[recorded]\nwelcome = "../../x"\n', "welcome"),
        ("fr.toml", SMALL, "numbers are composed in en, id"),
        ("none.txt", "", "no prompt set there"),
    ],
)
def test_a_wrong_prompt_file_is_told_before_start(tmp_path: Path, name: str, text: str, why: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(PromptError, match=why):
        load_prompts(tmp_path)


def test_a_prompt_that_one_language_lacks_is_told() -> None:
    sets = dict(CATALOG.sets)
    sets["en"] = PromptSet("en", "E", "en", 150, {**sets["en"].text, "extra": "More"})
    assert PromptCatalog(sets).missing_texts() == ["id/extra"]
    with pytest.raises(PromptError, match="default language"):
        PromptCatalog(sets, "fr")


# Synthesis.


def tone(rate_hz: int, hz: float, seconds: float = 0.5) -> array[int]:
    count = int(rate_hz * seconds)
    return array("h", (round(10_000 * math.sin(2 * math.pi * hz * n / rate_hz)) for n in range(count)))


def wav_of(samples: array[int], rate_hz: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return out.getvalue()


def level(samples: array[int]) -> float:
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return math.sqrt(sum(value * value for value in middle) / len(middle))


def test_resampling_keeps_speech_and_cuts_what_would_alias() -> None:
    for hz in (300.0, 1_000.0, 2_500.0):
        kept = resample(tone(22_050, hz), 22_050, RATE_HZ)
        assert len(kept) == 4_000
        assert level(kept) == pytest.approx(10_000 / math.sqrt(2), rel=0.05)
    assert level(resample(tone(22_050, 6_000), 22_050, RATE_HZ)) < 100


def fake_voice(text: str, prompts: PromptSet) -> bytes:
    quiet = array("h", [0] * 4_000)
    return wav_of(quiet + tone(22_050, 400, 0.05 + len(text) / 1_000) + quiet, 22_050)


def small_catalog(text: str = "Hello", language: str = "en") -> PromptCatalog:
    return PromptCatalog({language: PromptSet(language, "E", "en-us", 150, {"hello": text})}, language)


def test_synthesis_speaks_what_is_missing_and_what_changed(tmp_path: Path) -> None:
    folders = SoundFolders(tmp_path)
    path = tmp_path / "en/hello.wav"
    assert synthesise(small_catalog(), folders, speak=fake_voice) == ["en/hello"]
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8_000)
        assert 0.05 < file.getnframes() / 8_000 < 0.15  # the silence around it is cut
    before = path.read_bytes()
    assert synthesise(small_catalog(), folders, speak=fake_voice) == []
    assert synthesise(small_catalog("Hello again, everybody"), folders, speak=fake_voice) == ["en/hello"]
    assert path.read_bytes() != before
    assert sorted(file.name for file in path.parent.iterdir()) == [".spoken.json", "hello.wav"]


def test_synthesis_leaves_the_files_of_others_alone(tmp_path: Path) -> None:
    folders = SoundFolders(tmp_path / "own", tmp_path / "asterisk")
    touch(folders.own / "en/hello.gsm")
    assert synthesise(small_catalog(), folders, speak=fake_voice) == []
    (folders.own / "en/hello.gsm").unlink()
    touch(folders.own / "en/site/hello.wav")
    assert synthesise(small_catalog(), folders, speak=fake_voice) == []


def test_a_broken_voice_leaves_no_half_file(tmp_path: Path) -> None:
    def silent(text: str, prompts: PromptSet) -> bytes:
        return wav_of(array("h", [0] * 4_000), 22_050)

    with pytest.raises(SynthesisError, match="only silence"):
        synthesise(small_catalog(), SoundFolders(tmp_path), speak=silent)
    assert not (tmp_path / "en").exists()
    for wrong in (b"", b"rubbish", b"RIFF\0\0\0\0WAVEfmt "):
        with pytest.raises(SynthesisError, match="no WAV"):
            to_8_khz(wrong)


def test_damaged_notes_are_told(tmp_path: Path) -> None:
    synthesise(small_catalog(), SoundFolders(tmp_path), speak=fake_voice)
    (tmp_path / "en/.spoken.json").write_text("{")
    with pytest.raises(SynthesisError, match="delete it"):
        synthesise(small_catalog(), SoundFolders(tmp_path), speak=fake_voice)


def test_without_espeak_it_is_told_what_to_install_or_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesisError, match=r"install the package espeak-ng.*ccserver/en/site/ID\.wav"):
        synthesise(small_catalog(), SoundFolders(tmp_path / "own"))


def test_a_voice_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\ncat >/dev/null\necho no such voice >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SynthesisError, match="no such voice"):
        speak_with_espeak("Hello", CATALOG.sets["en"])


@pytest.mark.pbx
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_real_voice_speaks(language: str) -> None:
    """With the PBX's tests, since espeak-ng is installed where calls are."""
    assert shutil.which("espeak-ng"), "install espeak-ng: it speaks the prompts that no set has"
    spoken = trim(to_8_khz(speak_with_espeak(CATALOG.sets[language].text["welcome"], CATALOG.sets[language])))
    assert 0.3 < len(spoken) / RATE_HZ < 3
    assert level(spoken) > 500
    assert len(wav_bytes(spoken)) == 44 + 2 * len(spoken)
