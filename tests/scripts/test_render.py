"""Pages: what the agent reads. Templates can do little, and cannot fail, run long or grow large."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccserver.desk import protocol
from scripts.engine import AnswerProblem, Fault, Position, answer, start
from scripts.loader import load_scripts
from scripts.model import Context, Script
from scripts.parse import read
from scripts.render import MAX_NODES, MAX_OUTPUT_CHARS, Page, PageBlock, page, refusal

CONTEXT = Context(
    customer_name="Contoh",
    customer_tier="gold",
    customer_tier_label="Gold",
    customer_known=True,
    agent_name="Ayu",
    site_name="Lampu",
    queue="sales",
    queue_label="Sales",
    waited_s=61,
    entered=(("need", "Need", "buy"), ("lang", "Language", "id")),
)


def shown(template: str, context: Context = CONTEXT, answers: str = "") -> str:
    """What a template gives as the only line of a page, after it was found to be allowed."""
    assert refusal(template, {"a"}) == ""
    script = one_liner(template)
    position = Position("s", script.version, "one", answers=(("a", answers),) if answers else ())
    return page(script, position, context, "en").blocks[0].text


def one_liner(template: str) -> Script:
    quoted = template.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\0", "\\u0000")
    blocks = f'[[steps.one.blocks]]\nsay = "{quoted}"\n[[steps.one.blocks]]\nfield = "a"\ntext = "A"\n'
    return read("s", "s.toml", f'title = "S"\nstart = "one"\n[steps.one]\ntitle = "One"\n{blocks}')[0]


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("Good day, {{ customer.name }}.", "Good day, Contoh."),
        ("{{ customer.tier }} {{ queue.label }} {{ site.name }} {{ agent.name }}", "Gold Sales Lampu Ayu"),
        ("{% if customer.known %}yes{% else %}no{% endif %}", "yes"),
        ("{% if not customer.known %}yes{% elif waited_s > 60 %}long{% endif %}", "long"),
        ("{{ waited_s | minutes }} min", "2 min"),
        ("{% for row in entered %}{{ row.label }}={{ row.value }};{% endfor %}", "Need=buy;Language=id;"),
        ("{% if entered and queue.id == 'sales' %}both{% endif %}", "both"),
        ("{{ customer.name | upper | lower | title }}", "Contoh"),
        ("[{{ answers.a }}]", "[]"),
        ("{{ answers.a | default('none') }}", "none"),
        ("{# a comment #}{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ],
)
def test_what_templates_can_do(template: str, wanted: str) -> None:
    assert shown(template) == wanted


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ secret }}", 'no variable "secret"'),
        ("{{ customer }}", 'no variable "customer"'),
        ("{{ customer.password }}", 'no variable "customer.password"'),
        ("{{ customer.name.upper }}", 'no variable "….upper"'),
        ("{{ customer.__class__ }}", 'no variable "customer.__class__"'),
        ("{{ customer['name'] }}", '"getitem" is not allowed'),
        ("{{ answers.b }}", 'no variable "answers.b"'),
        ("{{ row.label }}", 'no variable "row.label"'),
        ("{{ entered }}", 'no variable "entered"'),
        ("{% for row in entered %}{{ row.secret }}{% endfor %}", 'no variable "row.secret"'),
        ("{% for a in entered %}{% for b in entered %}x{% endfor %}{% endfor %}", "a for inside a for"),
        ("{% for x in customer.name %}x{% endfor %}", "for may only run over entered"),
        ("{% for x in range(9) %}x{% endfor %}", "for may only run over entered"),
        ("{% for customer in entered %}x{% endfor %}", "write for as"),
        ("{% for a, b in entered %}x{% endfor %}", "write for as"),
        ("{% for x in entered if x %}x{% endfor %}", "write for as"),
        ("{{ 9 ** 9 ** 9 }}", '"pow" is not allowed'),
        ("{{ 'x' * 999999 }}", '"mul" is not allowed'),
        ("{{ 1 // 0 }}", '"floordiv" is not allowed'),
        ("{{ 'a' ~ 'b' }}", '"concat" is not allowed'),
        ("{{ [1, 2] }}", '"list" is not allowed'),
        ("{{ range(10) }}", '"call" is not allowed'),
        ("{{ customer.name if customer.known }}", '"condexpr" is not allowed'),
        ("{% set x = 1 %}", '"assign" is not allowed'),
        ("{% macro m() %}{% endmacro %}", '"macro" is not allowed'),
        ("{% include 'x' %}", '"include" is not allowed'),
        ("{% import 'x' as y %}", '"import" is not allowed'),
        ("{% block x %}{% endblock %}", '"block" is not allowed'),
        ("{% filter upper %}x{% endfilter %}", '"filterblock" is not allowed'),
        ("{{ customer.name is defined }}", '"test" is not allowed'),
        ("{{ customer.name | center(999999) }}", 'no filter "center"'),
        ("{{ customer.name | upper(1) }}", 'filter "upper" takes nothing'),
        ("{{ customer.name | default(agent.name) }}", 'filter "default" takes a text'),
        ("{{ customer.name | default('a', true) }}", 'filter "default" takes one text'),
        ("{% if customer.name > 5 %}x{% endif %}", "compare with == and !="),
        ("{% if 'a' in customer.name %}x{% endif %}", "compare with == and !="),
        ("{% if %}", "no template"),
        ("{{ customer.name", "no template"),
        ("{% break %}", "no template"),
        ("{{ " + "(" * 1900 + "1" + ")" * 1900 + " }}", "nested too deep"),
        ("{{ 1 }}" * (MAX_NODES + 1), "too much in one template"),
        ("{% if 1 %}" * 9 + "{% endif %}" * 9, "too much in one template"),
        ("{% if " + "not " * 900 + "1 %}{% endif %}", "too"),
        ("{{ " + "(" * 300 + "1" + "== 1)" * 300 + " }}", "too"),
    ],
)
def test_what_templates_cannot_do(template: str, words: str) -> None:
    assert words in refusal(template, {"a"})


def test_values_are_never_read_as_templates_and_have_no_line_breaks() -> None:
    hostile = "{{ 9**9**9 }}{% for %}\r\nIgnore\x1b[31m"
    assert shown("{{ customer.name }}|", Context(customer_name=hostile)) == (
        "{{ 9**9**9 }}{% for %}  Ignore [31m|"
    )


def test_long_values_lists_and_outputs_are_cut() -> None:
    assert len(shown("{{ customer.name }}", Context(customer_name="x" * 10_000))) == 200
    rows = tuple((f"n{n}", "x" * 200, "y" * 200) for n in range(500))
    loop = "{% for row in entered %}{{ row.label }}{{ row.value }}{% endfor %}"
    assert len(shown(loop, Context(entered=rows))) == MAX_OUTPUT_CHARS
    assert len(shown("{% for row in entered %}x{% endfor %}", Context(entered=rows))) == 20


def test_an_answer_named_like_a_method_is_still_an_answer() -> None:
    assert refusal("{{ answers.items }}", {"items"}) == ""
    script = one_liner("{{ answers.items }}")
    position = Position("s", script.version, "one", answers=(("items", "seven"),))
    assert page(script, position, CONTEXT, "en").blocks[0].text == "seven"
    assert page(script, replace(position, answers=()), CONTEXT, "en").blocks[0].text == ""


FRAGMENTS = (
    "{{ }} {% %} {# #} if else endif for in endfor set is not and == > = | . ( ) [ ] * ~ 'x' 5 "
    "row entered customer name known waited_s answers a upper default minutes loop self"
)
fragments = st.sampled_from([*FRAGMENTS.split(), "\n"])


@given(st.lists(fragments, max_size=25).map(" ".join), st.text(max_size=30))
def test_what_is_allowed_cannot_fail(template: str, value: str) -> None:
    """Whatever is not refused renders with any values, known and unknown callers alike."""
    if refusal(template, {"a"}):
        return
    context = Context(customer_name=value, waited_s=70, entered=(("n", value, value),))
    for each in (context, CONTEXT, Context()):
        assert len(shown(template or "x", each, answers=value)) <= MAX_OUTPUT_CHARS


def test_a_page_has_the_shape_of_the_desks_protocol() -> None:
    assert set(PageBlock.__dataclass_fields__) == set(protocol.Block.__struct_fields__)
    assert set(Page.__dataclass_fields__) == set(protocol.ScriptPage.__struct_fields__) - {"interaction"}


def test_what_is_said_is_in_the_customers_language_the_rest_in_the_agents() -> None:
    script = load_scripts()["sales"]
    greeting = page(script, start(script), Context(customer_language="id", site_name="Lampu"), "en")
    assert greeting.title == "Greeting"
    assert greeting.blocks[0].text.startswith("Selamat datang di Lampu")
    assert greeting.blocks[1].text.startswith("Answered quickly")


def test_problems_are_told_in_the_agents_language_and_the_answer_is_kept() -> None:
    script = load_scripts()["sales"]
    position = Position("sales", script.version, "order", ("greeting", "need"))
    found = answer(script, position, "order", {"order_number": "A1"}, {})
    assert found == (AnswerProblem("order_number", Fault.NOT_DIGITS),)
    assert isinstance(found, tuple)
    told = page(script, position, CONTEXT, "id", found, {"order_number": "A1"})
    assert told.problems == ("Nomor pesanan: hanya boleh angka",)
    assert told.blocks[1].value == "A1"


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("language", ["en", "id"])
def test_every_fault_has_words(fault: Fault, language: str) -> None:
    script = load_scripts()["sales"]
    told = page(
        script, start(script), CONTEXT, language, (AnswerProblem("", fault), AnswerProblem("x", fault))
    )
    assert all(told.problems)
