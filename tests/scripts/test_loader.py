"""The shipped scripts hold what they promise; a site's own go before them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.engine import MAX_TRAIL, Position, answer, start
from scripts.loader import load_scripts, script_files
from scripts.model import Block, BlockKind, Context, Pattern, Script, ScriptError
from scripts.render import page

GOOD = 'title = "T"\nstart = "a"\n[steps.a]\ntitle = "A"\n[[steps.a.blocks]]\nsay = "Hello"\n'
SHIPPED = load_scripts()
VALUES = {
    Pattern.TEXT: "words",
    Pattern.DIGITS: "12",
    Pattern.AMOUNT: "1.50",
    Pattern.DATE: "2026-01-31",
    Pattern.EMAIL: "a@b.example",
    Pattern.PHONE: "+62215550100",
}


def some_answers(block: Block) -> tuple[str, ...]:
    if block.kind is BlockKind.CHOICE:
        return tuple(choice.value for choice in block.choices)
    return (VALUES[block.pattern],)


def walks(script: Script, facts: dict[str, str]) -> set[str]:
    """Every step one can see with these facts, trying each choice at each page once."""
    seen: set[str] = set()
    ahead = [start(script)]
    while ahead:
        position = ahead.pop()
        if position.step in seen or position.done or len(position.trail) > MAX_TRAIL // 2:
            continue
        seen.add(position.step)
        ahead += _ahead(script, position, facts)
    return seen


def _ahead(script: Script, position: Position, facts: dict[str, str]) -> list[Position]:
    questions = script.step(position.step).questions()
    first = {block.name: some_answers(block)[0] for block in questions}
    tries = [first] + [{**first, block.name: value} for block in questions for value in some_answers(block)]
    found = [answer(script, position, position.step, answers, facts) for answers in tries]
    assert all(isinstance(each, Position) for each in found), found
    return [each for each in found if isinstance(each, Position)]


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_step_of_a_shipped_script_can_be_seen_and_read(name: str) -> None:
    script = SHIPPED[name]
    known = Context(customer_name="Contoh", customer_known=True, customer_tier="gold")
    seen = walks(script, known.facts("en")) | walks(script, Context().facts("en"))
    assert seen == {step.id for step in script.steps}
    for step in script.steps:
        for language in ("en", "id"):
            for context in (known, Context()):
                shown = page(script, Position(script.id, script.version, step.id), context, language)
                assert shown.title
                assert all(block.text for block in shown.blocks)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_scripts_speak_both_languages(name: str) -> None:
    for step in SHIPPED[name].steps:
        texts = [step.title] + [block.text for block in step.blocks]
        texts += [choice.text for block in step.blocks for choice in block.choices]
        assert all({language for language, _ in text.variants} == {"en", "id"} for text in texts), step.id


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_an_unknown_caller_is_identified_and_a_known_one_is_called_by_name(name: str) -> None:
    script = SHIPPED[name]
    first = answer(script, start(script), "greeting", {}, Context().facts("en"))
    assert isinstance(first, Position)
    assert first.step == "identify"
    known = Context(customer_name="Ibu Contoh", customer_known=True)
    assert "Ibu Contoh" in page(script, start(script), known, "en").blocks[0].text
    assert "identify" not in walks(script, known.facts("en"))


def test_who_gives_no_password_goes_to_the_identification() -> None:
    script = SHIPPED["support"]
    position = Position("support", script.version, "verify", ("greeting",))
    found = answer(script, position, "verify", {"password_given": "none"}, {})
    assert isinstance(found, Position)
    assert found.step == "identification"


def test_up_sell_is_for_valued_customers() -> None:
    gold = Context(customer_known=True, customer_tier="gold")
    plain = Context(customer_known=True, customer_tier="standard")
    assert "upsell" in walks(SHIPPED["sales"], gold.facts("en"))
    assert "upsell" not in walks(SHIPPED["sales"], plain.facts("en"))


def test_a_sites_own_script_goes_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "sales.toml").write_text(GOOD, "utf-8")
    (tmp_path / "own.toml").write_text(GOOD, "utf-8")
    (tmp_path / "notes.txt").write_text("not a script", "utf-8")
    assert set(script_files(tmp_path)) == {"sales", "support", "own"}
    scripts = load_scripts(tmp_path)
    assert [step.id for step in scripts["sales"].steps] == ["a"]
    assert scripts["support"] == SHIPPED["support"]


def test_faults_of_all_files_are_listed_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD.replace("Hello", "Hello {{ nobody }}"), "utf-8")
    (tmp_path / "b.toml").write_bytes(b"title = '\xff'")
    (tmp_path / "c.toml").write_text("#" * 600_000, "utf-8")
    with pytest.raises(ScriptError) as caught:
        load_scripts(tmp_path)
    assert [str(problem).replace(f"{tmp_path}/", "").split(";")[0] for problem in caught.value.problems] == [
        'a.toml:6: no variable "nobody"',
        "b.toml:1: not UTF-8",
        "c.toml: larger than 500000 bytes",
    ]
