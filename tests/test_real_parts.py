"""Tests of missing parts: deselected and named, or run and failed where all is required."""

from __future__ import annotations

import pytest

from tests.real_parts import without_missing_parts

PARTS = {"pbx": lambda: "no Asterisk here", "postgres": lambda: ""}


def items_of(pytester_request: pytest.FixtureRequest) -> list[pytest.Item]:
    return [item for item in pytester_request.session.items if item.name.startswith("test_part_")]


@pytest.mark.postgres
def test_part_that_is_there() -> None:
    """Only its marker counts, for the test below."""


def test_part_less() -> None:
    """Only that it has no marker counts."""


def test_missing_parts_are_named(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CCSERVER_TEST_REQUIRE_ALL", raising=False)
    items = items_of(request)
    marked = {"postgres": lambda: "no PostgreSQL here"}
    kept, missing = without_missing_parts(items, marked)
    assert [item.name for item in kept] == ["test_part_less"]
    assert list(missing) == ["no PostgreSQL here"]
    assert without_missing_parts(items, PARTS) == (items, {})


def test_where_all_is_required_nothing_is_left_out(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCSERVER_TEST_REQUIRE_ALL", "1")
    kept, missing = without_missing_parts(items_of(request), {"postgres": lambda: "no PostgreSQL here"})
    assert (len(kept), missing) == (len(items_of(request)), {})
