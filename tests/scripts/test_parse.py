"""A script file is read whole; every fault is named with file, line and remedy."""

from __future__ import annotations

import pytest

from scripts.model import BlockKind, Pattern, Script, ScriptError
from scripts.parse import read

GOOD = """\
title = { en = "Sales", id = "Penjualan" }
start = "one"

[steps.one]
title = "One"
goto = "two"

[[steps.one.blocks]]
say = "Good day, {{ customer.name }}."

[[steps.one.blocks]]
field = "number"
text = "Number"
required = true
pattern = "digits"

[[steps.one.blocks]]
choice = "need"
text = "Need"
choices = [
  { value = "buy", text = { en = "Buy", id = "Beli" } },
  { value = "ask", text = "Ask" },
]

[[steps.one.next]]
when = { need = "buy", "customer.tier" = ["gold", "silver"] }
goto = "three"

[steps.two]
title = "Two"
[[steps.two.blocks]]
hint = "The end."

[steps.three]
title = "Three"
[[steps.three.blocks]]
hint = "Another end."
"""


def script(text: str = GOOD) -> Script:
    return read("sales", "sales.toml", text)[0]


def test_a_good_file_becomes_a_script() -> None:
    found = script()
    assert (found.id, found.start, found.title.get("id")) == ("sales", "one", "Penjualan")
    one = found.step("one")
    assert [block.kind for block in one.blocks] == [BlockKind.SAY, BlockKind.FIELD, BlockKind.CHOICE]
    assert (one.blocks[1].name, one.blocks[1].required, one.blocks[1].pattern) == (
        "number",
        True,
        Pattern.DIGITS,
    )
    assert [choice.value for choice in one.blocks[2].choices] == ["buy", "ask"]
    assert one.rules[0].when == (("need", ("buy",)), ("customer.tier", ("gold", "silver")))
    assert one.targets == ("three", "two")
    assert not one.last
    assert found.step("two").last
    assert found.names() == {"number", "need"}
    with pytest.raises(KeyError):
        found.step("four")


def test_a_text_in_a_language_that_is_missing_is_english() -> None:
    assert script().step("two").title.get("id") == "Two"


def test_the_version_follows_the_content_and_not_the_comments() -> None:
    assert script(GOOD + "# a comment\n").version == script().version
    assert script(GOOD.replace("The end.", "The end!")).version != script().version


FAULTS = [
    ('start = "one"', 'start = "on"', "start", 'start = "on": no such step; did you mean "one"?'),
    ('start = "one"\n', "", "title", "start is needed"),
    ('title = "Two"', 'title = "Two"\ntitel = "Two"', "titel", 'unknown key "titel"; did you mean "title"?'),
    ('goto = "two"', 'goto = "tow"', "goto", 'goto = "tow": no such step; did you mean "two"?'),
    ('goto = "two"', "", "[steps.two]", 'no way leads to step "two"'),
    ('goto = "three"', 'goto = "tree"', "[[steps.one.next]]", 'goto = "tree": no such step'),
    ("need = ", "need_ = ", "[[steps.one.next]]", 'when: nobody asks "need_"; did you mean "need"?'),
    ('need = "buy"', 'need = "bye"', "[[steps.one.next]]", 'when: "bye" is no choice of "need"'),
    ('need = "buy"', "need = 5", "when", "need: compare with text in quotes"),
    (
        'when = { need = "buy", "customer.tier" = ["gold", "silver"] }\n',
        "",
        "[[steps.one.next]]",
        "a rule needs",
    ),
    ('field = "number"', 'field = "Number!"', "field", '"Number!": use small letters'),
    ('field = "number"', 'field = "number"\nsay = "x"', "[[steps.one.blocks]]\nfield", "a block has one of"),
    ('field = "number"', 'field = "need"', "[[steps.one.blocks]]\nchoice", '"need" is another question'),
    ('pattern = "digits"', 'pattern = ".*"', "pattern", "pattern must be one of text, digits"),
    ('pattern = "digits"', "choices = []", "choices", 'unknown key "choices"'),
    ("required = true", 'required = "yes"', "required", "required must be true or false"),
    ('text = "Number"', 'text = { id = "Nomor" }', "text", "text is needed, with English"),
    ('text = "Number"', 'text = { en = "a", de = "b" }', "text", 'no language "de"; there are en, id'),
    ('text = "Number"', 'text = ""', "text", "en must be text of 1 to 4000 characters"),
    ('value = "ask"', 'value = "buy"', "choices", "two choices have the same value"),
    ('  { value = "ask", text = "Ask" },\n', "", "choices", "2 to 30 choices"),
    ('hint = "The end."', "hint = 5", "hint", "hint is needed"),
    ('[[steps.two.blocks]]\nhint = "The end."', "", "[steps.two]", "a step has 1 to 30 blocks"),
    ('title = "Two"', 'title = "Two"\ngoto = "two"', "[steps.two]", 'from step "two" no way leads to an end'),
    ("[steps.three]", "[steps.three", "[steps.three", "no TOML"),
    ('title = "Three"', 'title = "Three"\nnext = 3', "next", "next must be a list of tables"),
]


@pytest.mark.parametrize(("old", "new", "at", "words"), FAULTS, ids=[f"{f[2]}: {f[3][:30]}" for f in FAULTS])
def test_a_fault_is_named_with_its_line(old: str, new: str, at: str, words: str) -> None:
    assert GOOD.count(old) == 1, old
    text = GOOD.replace(old, new)
    with pytest.raises(ScriptError) as caught:
        script(text)
    (problem,) = caught.value.problems
    start = GOOD.index(old) if at in new else 0
    line = text[: text.index(at, start)].count("\n") + 1
    assert problem.where == f"sales.toml:{line}", problem
    assert words in problem.message


def test_several_faults_are_listed_at_once() -> None:
    with pytest.raises(ScriptError) as caught:
        script(GOOD.replace("required = true", "required = 1").replace('"digits"', '"digit"'))
    assert len(caught.value.problems) == 2
    assert str(caught.value).count("\n") == 1


def test_too_many_steps_are_refused() -> None:
    steps = "".join(f'[steps.s{n}]\ntitle = "T"\n[[steps.s{n}.blocks]]\nhint = "x"\n' for n in range(101))
    with pytest.raises(ScriptError, match="a script has 1 to 100 steps"):
        script(f'title = "T"\nstart = "s0"\n{steps}')


@pytest.mark.parametrize("text", ["", "steps = 5", "steps.a = 5", 'title = "x"', "steps.a.blocks = [[]]"])
def test_a_file_that_is_no_script_is_refused_in_words(text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        script(text)
    assert all(problem.where.startswith("sales.toml:") for problem in caught.value.problems)
