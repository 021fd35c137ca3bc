"""The users in memory keep the same promises as the database: its contract tests, run on the fake."""

from __future__ import annotations

import pytest

from ccserver.web.ports import UserStore
from tests.ccserver.store.test_users import (  # noqa: F401 - collected here a second time
    test_a_session_lives_from_login_to_logout,
    test_a_session_needs_a_user_and_its_own_id,
    test_a_user_is_changed_whole,
    test_a_user_is_found_by_id_and_by_name_in_any_case,
    test_all_users_by_name,
    test_names_and_ids_are_taken_once,
    test_old_sessions_go,
    test_the_store_is_what_the_web_asks_for,
)
from tests.fakes.users import MemoryUsers


@pytest.fixture
def store() -> UserStore:
    """What the contract tests ask for."""
    return MemoryUsers()
