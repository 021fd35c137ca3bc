"""`ccserver user add`: somebody who may log in."""

from __future__ import annotations

import asyncio
import re

from ccserver.cli.faults import OperatorFault
from ccserver.cli.records import with_store
from ccserver.config import Config
from ccserver.store.store import Store
from ccserver.web.passwords import Passwords, check_strength
from ccserver.web.ports import NameTaken, Role, User

LANGUAGES = ("en", "id")
LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def added(config: Config, login: str, role: str, name: str, language: str, password: str) -> str:
    """Raises OperatorFault, WeakPassword, StoreUnavailable."""
    login = login.strip().lower()
    agent = config.agents.get(login)
    if LOGIN.fullmatch(login) is None:
        raise OperatorFault(f"{login!r}: a login name has letters a-z, digits, dot, dash, underscore")
    if role not in list(Role):
        raise OperatorFault(f"{role!r}: write agent, supervisor or admin")
    if role == Role.AGENT and agent is None:
        raise OperatorFault(f"an agent needs a section in the configuration: [agents.{login}]")
    language = language or (agent.language if agent else None) or config.site.language
    if language not in LANGUAGES:
        raise OperatorFault(f"{language!r}: write en or id")
    check_strength(password, login)
    label = name or (agent.name if agent else login)
    user = User(login, login, label, Role(role), language, _hashed(password))

    async def work(store: Store) -> None:
        try:
            await store.create_user(user)
        except NameTaken as error:
            raise OperatorFault(f"there is a user {login} already; choose another login name") from error

    with_store(config, work)
    return f"{role} {login} may log in."


def _hashed(password: str) -> str:
    passwords = Passwords()
    try:
        return asyncio.run(passwords.hash(password))
    finally:
        passwords.close()
