"""Who may do what: one table of permissions by role, one function for objects.

`*_any` permissions are for objects that are not one's own; without them an object must name the user among
its `agents`. What one may not see is answered like what does not exist.
"""

from __future__ import annotations

from collections.abc import Collection

from ccserver.web.ports import Role, User

EVERYONE: frozenset[Role] = frozenset(Role)
LEADERS: frozenset[Role] = frozenset({Role.SUPERVISOR, Role.ADMIN})
ADMINS: frozenset[Role] = frozenset({Role.ADMIN})

PERMISSIONS: dict[str, frozenset[Role]] = {
    "desk": EVERYONE,
    "login_without_device": LEADERS,
    "wallboard": EVERYONE,
    "wallboard_names": LEADERS,
    "interaction": EVERYONE,
    "interaction_any": LEADERS,
    "customer": EVERYONE,
    "customer_any": LEADERS,
    "money": LEADERS,
    "users": ADMINS,
}


def may(role: Role, permission: str) -> bool:
    """Whether the role has the permission. An unknown permission is a fault of ours: KeyError."""
    return role in PERMISSIONS[permission]


def may_see(user: User, permission: str, agents: Collection[str]) -> bool:
    """Object-level access: anybody's with `PERMISSION_any`, else one's own."""
    return may(user.role, f"{permission}_any") or (may(user.role, permission) and user.id in agents)
