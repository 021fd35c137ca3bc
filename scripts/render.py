"""From a position in a script to the page an agent reads. The only place that knows jinja2.

A template is data that somebody may edit, so it can do little: show variables, `if`, one level of `for` over
the given lists, and the filters listed here. That is checked on its syntax tree before it is ever compiled,
because the sandbox alone bounds neither time nor memory. What remains cannot fail and cannot run long: values
are short, lists have at most MAX_ROWS rows, output at most MAX_OUTPUT_CHARS.

The result is plain text for the desk, which never reads it as markup; so nothing is escaped here.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from scripts.engine import AnswerProblem, Fault, Position
from scripts.model import Block, BlockKind, Context, Script, Text, shortest_ways_out

MAX_OUTPUT_CHARS = 4_000
MAX_VALUE_CHARS = 200
MAX_ROWS = 20
MAX_DEPTH = 8
MAX_NODES = 500

FIELDS: Mapping[str, frozenset[str]] = {
    "customer": frozenset({"name", "tier", "known"}),
    "agent": frozenset({"name"}),
    "site": frozenset({"name"}),
    "queue": frozenset({"id", "label"}),
}
NUMBERS = frozenset({"waited_s"})
LISTS: Mapping[str, frozenset[str]] = {"entered": frozenset({"label", "value"})}
_ORDER = frozenset({"lt", "lteq", "gt", "gteq"})
_PLAIN = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.And, nodes.Or, nodes.Not)


def _minutes(seconds: object) -> int:
    """Seconds as whole minutes, at least one begun minute."""
    return max(1, (seconds + 59) // 60) if isinstance(seconds, int) else 1


FILTERS = {"upper", "lower", "title", "capitalize", "trim", "default", "minutes"}


@dataclass(frozen=True, slots=True)
class PageChoice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class PageBlock:
    """Field for field `ccserver.desk.protocol.Block`."""

    kind: str
    text: str
    name: str = ""
    required: bool = False
    choices: tuple[PageChoice, ...] = ()
    value: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Field for field `ccserver.desk.protocol.ScriptPage`, without the interaction.

    `total` is the pages seen so far and the fewest that may follow; it can grow with the answers.
    """

    script: str
    version: str
    step: str
    title: str
    index: int
    total: int
    blocks: tuple[PageBlock, ...]
    last: bool
    problems: tuple[str, ...]


def page(
    script: Script,
    position: Position,
    context: Context,
    language: str,
    problems: tuple[AnswerProblem, ...] = (),
    given: Mapping[str, str] | None = None,
) -> Page:
    """The page at a position, in the agent's language; with `problems` the answers just `given` are shown."""
    step = script.step(position.step)
    answers = dict(position.answers)
    values = _values(context, answers)
    shown = answers | dict(given or {})
    index = len(position.trail) + 1
    return Page(
        script=script.id,
        version=script.version,
        step=step.id,
        title=render(step.title, values, language),
        index=index,
        total=index - 1 + shortest_ways_out(script)[step.id],
        blocks=tuple(
            _block(block, values, _language(block, context, language), shown) for block in step.blocks
        ),
        last=step.last,
        problems=tuple(_words(problem, script, position.step, values, language) for problem in problems),
    )


def _language(block: Block, context: Context, language: str) -> str:
    """What is read aloud is in the customer's language, all else in the agent's."""
    return (context.customer_language or language) if block.kind is BlockKind.SAY else language


def _block(block: Block, values: Mapping[str, Any], language: str, shown: Mapping[str, str]) -> PageBlock:
    return PageBlock(
        kind=block.kind.value,
        text=render(block.text, values, language),
        name=block.name,
        required=block.required,
        choices=tuple(
            PageChoice(choice.value, render(choice.text, values, language)) for choice in block.choices
        ),
        value=shown.get(block.name, "")[:MAX_OUTPUT_CHARS] if block.name else "",
    )


def _values(context: Context, answers: Mapping[str, str]) -> dict[str, Any]:
    """What templates see: short plain values, nothing with methods worth calling."""
    rows = context.entered[:MAX_ROWS]
    return {
        "customer": SimpleNamespace(
            name=_short(context.customer_name),
            tier=_short(context.customer_tier_label or context.customer_tier),
            known=context.customer_known,
        ),
        "agent": SimpleNamespace(name=_short(context.agent_name)),
        "site": SimpleNamespace(name=_short(context.site_name)),
        "queue": SimpleNamespace(id=_short(context.queue), label=_short(context.queue_label)),
        "waited_s": context.waited_s,
        "entered": [SimpleNamespace(label=_short(label), value=_short(value)) for _, label, value in rows],
        "answers": SimpleNamespace(**{name: _short(value) for name, value in answers.items()}),
    }


def _short(text: str) -> str:
    """One line of printable text: what a caller sends must not look like more than a value."""
    cut = text[:MAX_VALUE_CHARS]
    return "".join(char if char.isprintable() else " " for char in cut)


def render(text: Text, values: Mapping[str, Any], language: str) -> str:
    """A checked template with values, cut at MAX_OUTPUT_CHARS."""
    parts: list[str] = []
    room = MAX_OUTPUT_CHARS
    for part in _compiled(text.get(language)).generate(**values):
        parts.append(part[:room])
        room -= len(parts[-1])
        if room <= 0:
            break
    return "".join(parts).strip()


@functools.cache
def _environment() -> ImmutableSandboxedEnvironment:
    # Not escaped: the desk takes the result as text and never as markup.
    environment = ImmutableSandboxedEnvironment(autoescape=False, cache_size=0)
    environment.filters = {
        name: filter_ for name, filter_ in environment.filters.items() if name in FILTERS
    } | {"minutes": _minutes}
    environment.globals = {}
    return environment


@functools.lru_cache(maxsize=4_096)
def _compiled(template: str) -> Template:
    return _environment().from_string(template)


def refusal(template: str, answers: Collection[str]) -> str:
    """Why a template may not be used, and what to write instead; empty when it may."""
    try:
        tree = _environment().parse(template)
    except TemplateSyntaxError as error:
        return f"no template: {error.message}"
    except RecursionError:
        return "no template: brackets are nested too deep"
    names = frozenset(answers)
    for count, (node, depth, scope) in enumerate(_walk(tree, 0, {}), start=1):
        if count > MAX_NODES or depth > MAX_DEPTH:
            return f"too much in one template: at most {MAX_NODES} parts and {MAX_DEPTH} levels"
        if why := _refused(node, scope, names):
            return why
    return _uncompilable(template)


def _uncompilable(template: str) -> str:
    """Compiles it ahead of the first call; jinja2 finds a few faults only then."""
    try:
        _compiled(template)
    except TemplateSyntaxError as error:
        return f"no template: {error.message}"
    return ""


_NESTING = (nodes.If, nodes.For, nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Compare)
_Scope = Mapping[str, str]
"""Loop variable → the list it runs over."""


def _walk(node: nodes.Node, depth: int, scope: _Scope) -> Iterator[tuple[nodes.Node, int, _Scope]]:
    """Every node with its depth and the loop variables it sees. A generator: a deep tree stops early."""
    yield node, depth, scope
    if isinstance(node, nodes.Getattr):
        return  # judged as a whole, with the name it hangs on
    inside = scope
    if isinstance(node, nodes.For) and isinstance(node.target, nodes.Name):
        source = node.iter.name if isinstance(node.iter, nodes.Name) else ""
        inside = {**scope, node.target.name: source}
        children: list[nodes.Node] = [*node.body]  # target and list are judged with the loop itself
    else:
        children = [below for below in node.iter_child_nodes() if not _asks_for_list(node, below)]
    deeper = depth + isinstance(node, _NESTING)
    for below in children:
        yield from _walk(below, deeper, inside)


def _asks_for_list(node: nodes.Node, below: nodes.Node) -> bool:
    """`if entered`: whether there are any rows."""
    asks = isinstance(node, (nodes.If, nodes.And, nodes.Or, nodes.Not))
    return asks and isinstance(below, nodes.Name) and below.name in LISTS


def _refused(node: nodes.Node, scope: _Scope, answers: frozenset[str]) -> str:
    """Why this node may not be in a template; empty when it may."""
    if isinstance(node, (*_PLAIN, nodes.If, nodes.Operand)):
        return ""
    if isinstance(node, nodes.Getattr):
        return _refused_field(node, scope, answers)
    if isinstance(node, nodes.Name):
        return "" if node.name in NUMBERS else _unknown(node.name)
    if isinstance(node, nodes.For):
        return _refused_loop(node, scope)
    if isinstance(node, nodes.Filter):
        return _refused_filter(node)
    if isinstance(node, nodes.Compare):
        return _refused_comparison(node)
    kind = type(node).__name__.lower()
    return f'"{kind}" is not allowed; use variables, if, for and the filters {", ".join(sorted(FILTERS))}'


def _refused_field(node: nodes.Getattr, scope: _Scope, answers: frozenset[str]) -> str:
    owner = node.node.name if isinstance(node.node, nodes.Name) else ""
    if owner == "answers":
        known = answers
    elif owner in scope:
        known = LISTS.get(scope[owner], frozenset())
    else:
        known = FIELDS.get(owner, frozenset())
    return "" if node.attr in known else _unknown(f"{owner or '…'}.{node.attr}")


def _refused_loop(node: nodes.For, scope: _Scope) -> str:
    if scope:
        return "a for inside a for is not allowed"
    if not isinstance(node.iter, nodes.Name) or node.iter.name not in LISTS:
        return f"for may only run over {', '.join(LISTS)}"
    plain = isinstance(node.target, nodes.Name) and node.target.name not in {
        *FIELDS,
        *NUMBERS,
        *LISTS,
        "answers",
    }
    if not plain or node.test is not None or node.recursive or node.else_:
        return "write for as {% for row in entered %} … {% endfor %}, nothing more"
    return ""


def _refused_filter(node: nodes.Filter) -> str:
    if node.name not in FILTERS:
        return f'no filter "{node.name}"; there are {", ".join(sorted(FILTERS))}'
    arguments = [*node.args, *node.kwargs]
    allowed = 1 if node.name == "default" else 0
    if len(arguments) > allowed or node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        return f'filter "{node.name}" takes {"one text" if allowed else "nothing"} in its brackets'
    if arguments and not isinstance(arguments[0], nodes.Const):
        return f'filter "{node.name}" takes a text in quotes'
    return ""


def _refused_comparison(node: nodes.Compare) -> str:
    """Order is for numbers alone, so that no comparison can fail."""
    for operand in node.ops:
        if operand.op in ("eq", "ne"):
            continue
        numbers = all(map(_is_number, (node.expr, operand.expr)))
        if operand.op not in _ORDER or not numbers:
            return f"compare with == and !=; < and > only {', '.join(NUMBERS)} with a number"
    return ""


def _is_number(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Const):
        return isinstance(node.value, int)
    return isinstance(node, nodes.Name) and node.name in NUMBERS


def _unknown(name: str) -> str:
    known = [f"{owner}.{field}" for owner, fields in FIELDS.items() for field in sorted(fields)]
    return f'no variable "{name}"; there are {", ".join([*known, *NUMBERS, *LISTS])} and answers.NAME'


_FAULT_WORDS: Mapping[Fault, tuple[str, str]] = {
    Fault.REQUIRED: ("needs an answer", "harus diisi"),
    Fault.TOO_LONG: ("is too long", "terlalu panjang"),
    Fault.NOT_A_CHOICE: ("is none of the choices", "bukan salah satu pilihan"),
    Fault.NOT_DIGITS: ("takes digits only", "hanya boleh angka"),
    Fault.NOT_AN_AMOUNT: ("takes an amount, like 1500.00", "harus berupa jumlah, seperti 1500.00"),
    Fault.NOT_A_DATE: ("takes a date, like 2026-12-25", "harus berupa tanggal, seperti 2026-12-25"),
    Fault.NOT_AN_EMAIL: ("takes an e-mail address", "harus berupa alamat surel"),
    Fault.NOT_A_PHONE: ("takes a phone number", "harus berupa nomor telepon"),
    Fault.UNKNOWN_QUESTION: ("is not asked here", "tidak ditanyakan di sini"),
    Fault.ANOTHER_STEP: ("This page was already answered.", "Halaman ini sudah dijawab."),
    Fault.ANOTHER_VERSION: ("The script has changed; start again.", "Naskah berubah; mulai lagi."),
    Fault.TOO_MANY_PAGES: ("Too many pages; finish the script.", "Terlalu banyak halaman; akhiri naskah."),
}


def _words(
    problem: AnswerProblem, script: Script, step: str, values: Mapping[str, Any], language: str
) -> str:
    """A problem in the agent's language, led by the question it is about."""
    words = _FAULT_WORDS[problem.fault][language == "id"]
    if not problem.name:
        return words
    found = [block.text for block in script.step(step).blocks if block.name == problem.name]
    question = render(found[0], values, language) if found else problem.name
    return f"{question.rstrip('?:. ')}: {words}"
