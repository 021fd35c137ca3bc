"""Users and web sessions: `ccserver.web.ports.UserStore`, kept in the database. Hashes only, no secret."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Row, delete, insert, or_, select, update

from ccserver.store.database import Database, StoreConflict
from ccserver.store.schema import users, web_sessions
from ccserver.store.texts import clean
from ccserver.web.ports import NameTaken, NoSuchUser, Role, User, WebSession


def _user(row: Row[tuple[object, ...]]) -> User:
    fields = row._mapping
    return User(
        id=fields["id"],
        name=fields["name"],
        label=fields["label"],
        role=Role(fields["role"]),
        language=fields["language"],
        password_hash=fields["password_hash"],
        disabled=fields["disabled"],
    )


def _user_values(user: User) -> dict[str, object]:
    return {
        "name": clean(user.name).lower(),
        "label": clean(user.label),
        "role": user.role.value,
        "language": clean(user.language),
        "password_hash": clean(user.password_hash),
        "disabled": user.disabled,
    }


def _session(row: Row[tuple[object, ...]]) -> WebSession:
    fields = dict(row._mapping)
    fields["user"] = fields.pop("user_id")
    return WebSession(**fields)


class UserQueries(Database):
    """Every method raises StoreUnavailable when the database is away or too slow."""

    async def user_by_name(self, name: str) -> User | None:
        """`name` in any case."""
        return await self._one_user(users.c.name == clean(name).lower())

    async def user_by_id(self, user: str) -> User | None:
        return await self._one_user(users.c.id == clean(user))

    async def _one_user(self, condition: object) -> User | None:
        async with self.reading() as connection:
            row = (await connection.execute(select(users).where(condition))).first()  # type: ignore[arg-type]
        return None if row is None else _user(row)

    async def users(self) -> Sequence[User]:
        """All of them, by name."""
        async with self.reading() as connection:
            rows = await connection.execute(select(users).order_by(users.c.name))
        return tuple(_user(row) for row in rows)

    async def create_user(self, user: User) -> None:
        """Raises NameTaken when the id or the name is somebody's."""
        try:
            async with self.writing() as connection:
                await connection.execute(insert(users).values(id=clean(user.id), **_user_values(user)))
        except StoreConflict as error:
            raise NameTaken(user.name) from error

    async def update_user(self, user: User) -> None:
        """Replaces all fields of the user with that id. Raises NoSuchUser, NameTaken."""
        change = update(users).where(users.c.id == clean(user.id)).values(**_user_values(user))
        try:
            async with self.writing() as connection:
                if (await connection.execute(change)).rowcount == 0:
                    raise NoSuchUser(user.id)
        except StoreConflict as error:
            raise NameTaken(user.name) from error

    async def add_web_session(self, session: WebSession) -> None:
        """Raises StoreConflict when the token or the id exists, or the user does not."""
        async with self.writing() as connection:
            await connection.execute(
                insert(web_sessions).values(
                    token_hash=session.token_hash,
                    id=session.id,
                    user_id=session.user,
                    device=None if session.device is None else clean(session.device),
                    created_utc_ms=session.created_utc_ms,
                    seen_utc_ms=session.seen_utc_ms,
                    address=clean(session.address),
                )
            )

    async def web_session(self, token_hash: str) -> WebSession | None:
        """Expiry is the caller's to judge, by the two times."""
        query = select(web_sessions).where(web_sessions.c.token_hash == clean(token_hash))
        async with self.reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _session(row)

    async def touch_web_session(self, token_hash: str, seen_utc_ms: int) -> None:
        """Unknown sessions are ignored."""
        change = update(web_sessions).where(web_sessions.c.token_hash == clean(token_hash))
        async with self.writing() as connection:
            await connection.execute(change.values(seen_utc_ms=seen_utc_ms))

    async def delete_web_session(self, token_hash: str) -> None:
        """Unknown sessions are ignored."""
        async with self.writing() as connection:
            await connection.execute(
                delete(web_sessions).where(web_sessions.c.token_hash == clean(token_hash))
            )

    async def web_sessions_of(self, user: str) -> Sequence[WebSession]:
        """Oldest first."""
        query = select(web_sessions).where(web_sessions.c.user_id == clean(user))
        async with self.reading() as connection:
            rows = await connection.execute(query.order_by(web_sessions.c.created_utc_ms))
        return tuple(_session(row) for row in rows)

    async def delete_web_sessions_before(self, created_utc_ms: int, seen_utc_ms: int) -> int:
        """Deletes those created before the one or last seen before the other; how many they were."""
        old = or_(web_sessions.c.created_utc_ms < created_utc_ms, web_sessions.c.seen_utc_ms < seen_utc_ms)
        async with self.writing() as connection:
            return (await connection.execute(delete(web_sessions).where(old))).rowcount
