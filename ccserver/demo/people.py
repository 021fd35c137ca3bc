"""Who is in the demo: users and customers, made as an administrator would make them.

Demo passwords exist only where the invented company does: with DEMO=0 there is one user, `admin`, with a
password made for this folder.
"""

from __future__ import annotations

import csv
import os
import secrets
from contextlib import suppress
from pathlib import Path

from ccserver.app import Server
from ccserver.config import Config
from ccserver.customers.importing import Rules, import_customers
from ccserver.data import shipped
from ccserver.demo.callers import Person
from ccserver.web.passwords import Passwords
from ccserver.web.ports import DemoLogin, NameTaken, Role, User

PASSWORD = "lampu-contoh"  # noqa: S105  of the demo only; printed, and shown on its log-in page
YOU = "you"


def logins(config: Config) -> tuple[DemoLogin, ...]:
    """Shown on the log-in page: your desk, a supervisor, an administrator."""
    yours = config.agents[YOU]
    return (
        DemoLogin(YOU, PASSWORD, Role.AGENT, yours.device),
        DemoLogin("supervisor", PASSWORD, Role.SUPERVISOR, None),
        DemoLogin("admin", PASSWORD, Role.ADMIN, None),
    )


async def invite(server: Server) -> None:
    """Users and customers of the invented company; those there already are left alone."""
    language = server.config.site.language
    hashed = await _hashed(PASSWORD)
    users = [
        User(agent.id, agent.id, agent.name, Role.AGENT, agent.language or language, hashed)
        for agent in server.config.agents.values()
    ]
    users.append(User("supervisor", "supervisor", "Supervisor (demo)", Role.SUPERVISOR, language, hashed))
    users.append(User("admin", "admin", "Administrator (demo)", Role.ADMIN, language, hashed))
    for user in users:
        with suppress(NameTaken):
            await server.store.create_user(user)
    rules = Rules(server.config.site.region, tuple(server.config.worth))
    await import_customers(server.store, _customers_file(), rules)


async def first_admin(server: Server, file: Path) -> None:
    """Without the demo's people: an administrator whose password is in `file` and nowhere else."""
    if await server.store.user_by_name("admin") is not None:
        return
    password = secrets.token_urlsafe(9)
    hashed = await _hashed(password)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as output:
        output.write(password + "\n")
    language = server.config.site.language
    await server.store.create_user(User("admin", "admin", "Administrator", Role.ADMIN, language, hashed))


async def _hashed(password: str) -> str:
    passwords = Passwords()
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()


def callers() -> list[Person]:
    """The customers, as people with a telephone."""
    with _customers_file().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Person(row["numbers"].split(";")[0].strip(), row["name"]) for row in rows if row["numbers"]]


def _customers_file() -> Path:
    return shipped("config") / "demo" / "customers.csv"
