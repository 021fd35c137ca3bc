"""Every state can be reached, every pair outside a table is refused, the drawings in the README are true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from routing.agent_state import AGENT, SLOT
from routing.interaction import INTERACTION
from routing.offer import OFFER
from routing.tables import RefusedInput, Table

TABLES: list[Table[Any]] = [AGENT, SLOT, INTERACTION, OFFER]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_all_states_are_reachable(table: Table[Any]) -> None:
    assert table.states() == set(type(table.start))


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_pair_outside_the_table_is_refused(table: Table[Any]) -> None:
    inputs = {given for _, given in table.transitions}
    for state in type(table.start):
        for given in inputs | {"nonsense"}:
            if table.allows(state, given):
                assert table.next(state, given) is table.transitions[state, given]
            else:
                with pytest.raises(RefusedInput, match=table.name):
                    table.next(state, given)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_the_readme_shows_the_table_as_it_is(table: Table[Any]) -> None:
    readme = Path(__file__).parents[2].joinpath("routing", "README.md").read_text(encoding="utf-8")
    assert table.mermaid() in readme, f"copy this into routing/README.md:\n{table.mermaid()}"
