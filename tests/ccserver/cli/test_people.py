"""`ccserver user add`: somebody who may log in, or one line that says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccserver.cli import people, records
from ccserver.cli.faults import OperatorFault
from ccserver.cli.initialise import initialise
from ccserver.config import Config, load
from ccserver.store.store import Store
from ccserver.web.passwords import WeakPassword
from ccserver.web.ports import Role, User
from tests.ccserver.cli.helpers import in_thread

added = in_thread(people.added)
migrated = in_thread(records.migrated)

PASSWORD = "a long enough one"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    initialise(tmp_path)
    found = load(tmp_path / "config" / "ccserver.toml", {})
    migrated(found)
    return found


def stored(config: Config, login: str) -> User | None:
    async def work(store: Store) -> User | None:
        return await store.user_by_name(login)

    return in_thread(records.with_store)(config, work)


def test_an_agent_takes_name_and_language_from_the_configuration(config: Config) -> None:
    assert added(config, " Agent1 ", "agent", "", "", PASSWORD) == "agent agent1 may log in."
    user = stored(config, "agent1")
    assert user is not None
    assert (user.id, user.label, user.role, user.language) == ("agent1", "First agent", Role.AGENT, "en")
    assert user.password_hash.startswith("$argon2id$")


def test_an_administrator_needs_no_section(config: Config) -> None:
    assert added(config, "root.one", "admin", "The Admin", "id", PASSWORD) == "admin root.one may log in."
    user = stored(config, "root.one")
    assert user is not None
    assert (user.label, user.role, user.language) == ("The Admin", Role.ADMIN, "id")


@pytest.mark.parametrize(
    ("login", "role", "language", "words"),
    [
        ("nobody", "agent", "", r"needs a section in the configuration: \[agents.nobody\]"),
        ("x", "boss", "", "write agent, supervisor or admin"),
        ("a b", "admin", "", "a login name has letters"),
        ("x" * 65, "admin", "", "a login name has letters"),
        ("x", "admin", "de", "write en or id"),
    ],
)
def test_what_makes_no_user_is_one_line(
    config: Config, login: str, role: str, language: str, words: str
) -> None:
    with pytest.raises(OperatorFault, match=words):
        added(config, login, role, "", language, PASSWORD)


def test_a_weak_password_is_refused(config: Config) -> None:
    with pytest.raises(WeakPassword):
        added(config, "chief", "admin", "", "", "short")


def test_a_name_that_is_taken_is_one_line(config: Config) -> None:
    added(config, "chief", "admin", "", "", PASSWORD)
    with pytest.raises(OperatorFault, match="there is a user chief already"):
        added(config, "Chief", "supervisor", "", "", PASSWORD)
