"""Users and web sessions in memory; passes the same contract test as the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ccserver.store import StoreConflict
from ccserver.web.ports import NameTaken, NoSuchUser, User, WebSession


class MemoryUsers:
    """`ccserver.web.ports.UserStore`."""

    def __init__(self, *users: User) -> None:
        self._users = {user.id: user for user in users}
        self.sessions: dict[str, WebSession] = {}

    async def user_by_name(self, name: str) -> User | None:
        return next((user for user in self._users.values() if user.name == name.lower()), None)

    async def user_by_id(self, user: str) -> User | None:
        return self._users.get(user)

    async def users(self) -> Sequence[User]:
        return tuple(sorted(self._users.values(), key=lambda user: user.name))

    async def create_user(self, user: User) -> None:
        if user.id in self._users or await self.user_by_name(user.name):
            raise NameTaken(user.name)
        self._users[user.id] = user

    async def update_user(self, user: User) -> None:
        if user.id not in self._users:
            raise NoSuchUser(user.id)
        other = await self.user_by_name(user.name)
        if other is not None and other.id != user.id:
            raise NameTaken(user.name)
        self._users[user.id] = user

    async def add_web_session(self, session: WebSession) -> None:
        taken = any(other.id == session.id for other in self.sessions.values())
        if taken or session.token_hash in self.sessions or session.user not in self._users:
            raise StoreConflict(session.id)
        self.sessions[session.token_hash] = session

    async def web_session(self, token_hash: str) -> WebSession | None:
        return self.sessions.get(token_hash)

    async def touch_web_session(self, token_hash: str, seen_utc_ms: int) -> None:
        if token_hash in self.sessions:
            self.sessions[token_hash] = replace(self.sessions[token_hash], seen_utc_ms=seen_utc_ms)

    async def delete_web_session(self, token_hash: str) -> None:
        self.sessions.pop(token_hash, None)

    async def web_sessions_of(self, user: str) -> Sequence[WebSession]:
        found = [session for session in self.sessions.values() if session.user == user]
        return sorted(found, key=lambda session: session.created_utc_ms)

    async def delete_web_sessions_before(self, created_utc_ms: int, seen_utc_ms: int) -> int:
        old = [
            key
            for key, session in self.sessions.items()
            if session.created_utc_ms < created_utc_ms or session.seen_utc_ms < seen_utc_ms
        ]
        for key in old:
            del self.sessions[key]
        return len(old)
