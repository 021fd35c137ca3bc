"""The permission table, and access to objects."""

from __future__ import annotations

import pytest

from ccserver.web.access import PERMISSIONS, may, may_see
from ccserver.web.ports import Role, User
from tests.fakes.web import user


def test_table_as_a_whole() -> None:
    letters = {Role.AGENT: "a", Role.SUPERVISOR: "s", Role.ADMIN: "A"}

    def who(permission: str) -> str:
        return "".join(letter for role, letter in letters.items() if may(role, permission))

    assert {permission: who(permission) for permission in PERMISSIONS} == {
        "desk": "asA",
        "login_without_device": "sA",
        "wallboard": "asA",
        "wallboard_names": "sA",
        "interaction": "asA",
        "interaction_any": "sA",
        "customer": "asA",
        "customer_any": "sA",
        "money": "sA",
        "users": "A",
    }


def test_unknown_permission_is_a_fault_and_not_a_no() -> None:
    with pytest.raises(KeyError):
        may(Role.ADMIN, "everything")


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        (user("ayu"), True),
        (user("budi"), False),
        (user("sari", Role.SUPERVISOR), True),
        (user("tono", Role.ADMIN), True),
    ],
)
def test_agents_see_their_own_and_leaders_see_all(who: User, seen: bool) -> None:
    assert may_see(who, "interaction", frozenset({"ayu"})) is seen
    assert may_see(who, "customer", frozenset({"ayu"})) is seen
