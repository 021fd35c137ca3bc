"""Users and web sessions: the promises of `ccserver.web.ports.UserStore`, on real databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ccserver.store import Store, StoreConflict
from ccserver.web.ports import NameTaken, NoSuchUser, Role, User, UserStore, WebSession

AYU = User("ayu", "ayu", "Ayu Contoh", Role.AGENT, "id", "$argon2id$x")
BUDI = User("budi", "budi", "Budi Contoh", Role.SUPERVISOR, "en", "$argon2id$y")
SESSION = WebSession("hash1", "ses_1", "ayu", "main/a1", 1_000, 2_000, "127.0.0.1")


def test_the_store_is_what_the_web_asks_for(store: Store) -> None:
    port: UserStore = store
    assert port is store


async def test_a_user_is_found_by_id_and_by_name_in_any_case(store: Store) -> None:
    await store.create_user(AYU)
    assert await store.user_by_id("ayu") == AYU
    assert await store.user_by_name("AYU") == AYU
    assert await store.user_by_name("nobody") is None


async def test_all_users_by_name(store: Store) -> None:
    await store.create_user(BUDI)
    await store.create_user(AYU)
    assert tuple(await store.users()) == (AYU, BUDI)


@pytest.mark.parametrize(
    "double", [replace(AYU, id="other"), replace(AYU, name="other"), replace(AYU, name="Ayu")]
)
async def test_names_and_ids_are_taken_once(store: Store, double: User) -> None:
    await store.create_user(AYU)
    with pytest.raises(NameTaken):
        await store.create_user(double)
    assert tuple(await store.users()) == (AYU,)


async def test_a_user_is_changed_whole(store: Store) -> None:
    await store.create_user(AYU)
    await store.create_user(BUDI)
    changed = replace(AYU, label="Ayu C.", role=Role.ADMIN, password_hash="$argon2id$z", disabled=True)
    await store.update_user(changed)
    assert await store.user_by_id("ayu") == changed
    with pytest.raises(NoSuchUser):
        await store.update_user(replace(AYU, id="nobody", name="nobody"))
    with pytest.raises(NameTaken):
        await store.update_user(replace(changed, name="budi"))


async def test_a_session_lives_from_login_to_logout(store: Store) -> None:
    await store.create_user(AYU)
    await store.add_web_session(SESSION)
    await store.add_web_session(
        replace(SESSION, token_hash="hash2", id="ses_2", device=None, created_utc_ms=1_500)
    )
    await store.touch_web_session("hash1", 3_000)
    await store.touch_web_session("unknown", 3_000)
    assert await store.web_session("hash1") == replace(SESSION, seen_utc_ms=3_000)
    assert [session.id for session in await store.web_sessions_of("ayu")] == ["ses_1", "ses_2"]
    await store.delete_web_session("hash1")
    await store.delete_web_session("hash1")
    assert await store.web_session("hash1") is None


async def test_a_session_needs_a_user_and_its_own_id(store: Store) -> None:
    with pytest.raises(StoreConflict):
        await store.add_web_session(SESSION)
    await store.create_user(AYU)
    await store.add_web_session(SESSION)
    with pytest.raises(StoreConflict):
        await store.add_web_session(replace(SESSION, token_hash="hash2"))


async def test_old_sessions_go(store: Store) -> None:
    await store.create_user(AYU)
    for n, (created, seen) in enumerate([(100, 900), (500, 600), (500, 900)]):
        await store.add_web_session(WebSession(f"h{n}", f"s{n}", "ayu", None, created, seen))
    assert await store.delete_web_sessions_before(200, 700) == 2
    assert [session.id for session in await store.web_sessions_of("ayu")] == ["s2"]


def test_hashes_are_not_in_what_is_printed(store: Store) -> None:
    assert "argon2id" not in repr(AYU)
    assert "hash1" not in repr(SESSION)
