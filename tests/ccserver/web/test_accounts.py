"""Accounts: logins, sessions and their ends, changes of users. Time is moved by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from ccserver.web.accounts import BadName, Login, TooManyAttempts, WrongLogin, hash_token
from ccserver.web.passwords import WeakPassword
from ccserver.web.ports import NameTaken, Role, User
from tests.fakes.web import PASSWORD, Rig


async def logged_in(rig: Rig, name: str = "ayu", device: str | None = "d1") -> tuple[str, Login]:
    """(token, login) of a fresh login."""
    user = await rig.accounts.check(name, PASSWORD, "10.0.0.1")
    token, session = rig.accounts.new_session(user, device, "10.0.0.1")
    return token, await rig.accounts.keep(user, token, session)


async def test_login_gives_a_token_of_which_only_the_hash_is_stored() -> None:
    rig = Rig()
    token, login = await logged_in(rig)
    assert len(token) >= 43
    assert list(rig.users.sessions) == [hash_token(token)]
    assert token not in repr(rig.users.sessions)
    assert await rig.accounts.resume(token) == login
    assert (login.user.id, login.device) == ("ayu", "d1")


async def test_name_is_taken_in_any_case_and_with_blanks() -> None:
    assert (await Rig().accounts.check(" AYU ", PASSWORD, "x")).id == "ayu"


WRONG = [("ayu", "wrong"), ("nobody", PASSWORD), ("", ""), ("ayu\0", "x")]


@pytest.mark.parametrize(("name", "password"), WRONG)
async def test_wrong_logins_are_all_the_same(name: str, password: str) -> None:
    rig = Rig()
    with pytest.raises(WrongLogin):
        await rig.accounts.check(name, password, "10.0.0.1")
    assert [entry.what for entry in rig.audit.entries] == ["login_refused"]
    assert password == "" or password not in repr(rig.audit.entries)


async def test_disabled_user_is_like_nobody() -> None:
    rig = Rig()
    token, login = await logged_in(rig)
    await rig.users.update_user(replace(login.user, disabled=True))
    assert await rig.accounts.resume(token) is None
    with pytest.raises(WrongLogin):
        await rig.accounts.check("ayu", PASSWORD, "x")


async def test_guesses_at_one_name_are_limited_from_wherever_they_come() -> None:
    rig = Rig().with_settings(logins_per_minute_and_name=3)
    for i in range(3):
        with pytest.raises(WrongLogin):
            await rig.accounts.check("ayu", "wrong", f"10.0.0.{i}")
    with pytest.raises(TooManyAttempts) as caught:
        await rig.accounts.check("ayu", PASSWORD, "10.0.0.9")
    assert 0 < caught.value.retry_s <= 20
    rig.clock.now_s += 20
    assert await rig.accounts.check("ayu", PASSWORD, "10.0.0.9")


async def test_guesses_from_one_address_are_limited_whatever_the_name() -> None:
    rig = Rig().with_settings(logins_per_minute_and_address=3)
    for i in range(3):
        with pytest.raises(WrongLogin):
            await rig.accounts.check(f"name{i}", "wrong", "10.0.0.1")
    with pytest.raises(TooManyAttempts):
        await rig.accounts.check("ayu", PASSWORD, "10.0.0.1")
    assert await rig.accounts.check("ayu", PASSWORD, "10.0.0.2")


async def test_good_logins_are_not_limited() -> None:
    rig = Rig().with_settings(logins_per_minute_and_name=2, logins_per_minute_and_address=2)
    for _ in range(10):
        await rig.accounts.check("ayu", PASSWORD, "10.0.0.1")


async def test_session_ends_when_idle_but_use_keeps_it() -> None:
    rig = Rig().with_settings(session_idle_s=600, session_absolute_s=3600)
    token, _ = await logged_in(rig)
    for _ in range(5):
        rig.clock.now_s += 599
        assert await rig.accounts.resume(token) is not None
    rig.clock.now_s += 600
    assert await rig.accounts.resume(token) is None


async def test_session_ends_absolutely_however_it_is_used() -> None:
    rig = Rig().with_settings(session_idle_s=600, session_absolute_s=1000)
    token, _ = await logged_in(rig)
    rig.clock.now_s += 500
    assert await rig.accounts.resume(token) is not None
    rig.clock.now_s += 500
    assert await rig.accounts.resume(token) is None


async def test_sessions_that_ran_out_are_cleared_at_the_next_login() -> None:
    rig = Rig().with_settings(session_idle_s=600)
    await logged_in(rig)
    rig.clock.now_s += 700
    token, _ = await logged_in(rig)
    assert list(rig.users.sessions) == [hash_token(token)]


@pytest.mark.parametrize("token", ["", "made-up", "x" * 10_000])
async def test_made_up_tokens_are_nobodys(token: str) -> None:
    rig = Rig()
    await logged_in(rig)
    assert await rig.accounts.resume(token) is None


async def test_logout_ends_the_session() -> None:
    rig = Rig()
    token, login = await logged_in(rig)
    await rig.accounts.end(login, "x")
    assert await rig.accounts.resume(token) is None


async def test_hash_of_old_parameters_is_renewed_at_login() -> None:
    rig = Rig()
    old_hash = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    await rig.users.create_user(User("old", "old", "Old", Role.AGENT, "en", old_hash))
    await rig.accounts.check("old", PASSWORD, "x")
    renewed = await rig.users.user_by_id("old")
    assert renewed is not None
    assert "t=1," in renewed.password_hash
    assert await rig.accounts.check("old", PASSWORD, "x")


async def test_new_user_can_log_in() -> None:
    rig = Rig()
    user = await rig.accounts.create_user("Dewi", "Dewi", Role.AGENT, "id", "blue elephant 42", by="tono")
    assert (user.id, user.name) == ("dewi", "dewi")
    assert (await rig.accounts.check("dewi", "blue elephant 42", "x")).id == "dewi"
    assert rig.audit.entries[0].what == "user_created"


async def test_names_and_passwords_that_cannot_be() -> None:
    rig = Rig()

    async def create(name: str, password: str) -> None:
        await rig.accounts.create_user(name, "X", Role.AGENT, "en", password, by="tono")

    for name in ("", "a b", "-a", "x" * 65, "<script>", "é"):
        with pytest.raises(BadName):
            await create(name, "blue elephant 42")
    with pytest.raises(WeakPassword):
        await create("dewi", "short")
    with pytest.raises(NameTaken):
        await create("AYU", "blue elephant 42")


async def test_new_password_ends_the_logins_made_with_the_old_one() -> None:
    rig = Rig()
    token, login = await logged_in(rig)
    await rig.accounts.change_user(login.user, login.user, "blue elephant 42", by="tono")
    assert await rig.accounts.resume(token) is None
    assert await rig.accounts.check("ayu", "blue elephant 42", "x")
    with pytest.raises(WrongLogin):
        await rig.accounts.check("ayu", PASSWORD, "x")


async def test_new_role_ends_logins_and_a_new_label_does_not() -> None:
    rig = Rig()
    token, login = await logged_in(rig)
    relabelled = await rig.accounts.change_user(login.user, replace(login.user, label="A"), None, by="tono")
    assert await rig.accounts.resume(token) is not None
    await rig.accounts.change_user(relabelled, replace(relabelled, role=Role.ADMIN), None, by="tono")
    assert await rig.accounts.resume(token) is None
    assert [entry.detail for entry in rig.audit.entries if entry.what == "user_changed"] == ["label", "role"]
