"""Users, logins and web sessions.

    password ──throttle──▶ argon2id (thread) ──▶ new session: random token in a cookie, its SHA-256 stored
    cookie ──▶ session (idle and absolute end) ──▶ user (not disabled) ──▶ Login

A token is made at login and never taken from the client, so a planted cookie gains nothing. An unknown name,
a wrong password and a disabled user get the same answer after the same work.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ccserver.web.passwords import Passwords, check_strength
from ccserver.web.ports import Audit, AuditEntry, Role, User, UserStore, WebSession, WebSettings
from ccserver.web.throttle import Throttle

TOUCH_EVERY_MS = 60_000
MAX_TOKEN_CHARS = 128
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class WrongLogin(Exception):
    """Unknown name, wrong password or disabled user: which, is nobody's business."""


class TooManyAttempts(Exception):
    """Too many wrong logins by this name or from this address."""

    def __init__(self, retry_s: float) -> None:
        super().__init__(f"too many attempts, wait {retry_s:.0f} s")
        self.retry_s = retry_s


class BadName(ValueError):
    """A login name that cannot be; the message says what can."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who is asking. `session` is the session of routing; `device` None: logged in without one."""

    user: User
    session: str
    device: str | None
    csrf: str = field(repr=False)
    token_hash: str = field(repr=False)


def hash_token(token: str) -> str:
    """What is stored of a cookie's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """What a page must say beside the cookie. It follows from the token, which scripts cannot read."""
    return hashlib.sha256(b"csrf:" + token.encode()).hexdigest()


def clean_name(name: str) -> str:
    """A login name as it is stored and looked up."""
    return name.strip().lower()


class Accounts:
    """Everything that needs a password or a session. Its methods raise StoreUnavailable as the store does."""

    def __init__(
        self,
        store: UserStore,
        passwords: Passwords,
        settings: WebSettings,
        audit: Audit,
        utc_ms: Callable[[], int],
        monotonic_s: Callable[[], float],
    ) -> None:
        self.store = store
        self._passwords = passwords
        self._idle_ms = settings.session_idle_s * 1000
        self._absolute_ms = settings.session_absolute_s * 1000
        self._audit = audit
        self._utc_ms = utc_ms
        self._monotonic_s = monotonic_s
        by_name, by_address = settings.logins_per_minute_and_name, settings.logins_per_minute_and_address
        self._by_name = Throttle(by_name, by_name / 60)
        self._by_address = Throttle(by_address, by_address / 60)

    async def check(self, name: str, password: str, address: str) -> User:
        """The user with this name and password. Raises WrongLogin, TooManyAttempts, Busy."""
        name = clean_name(name)[:128]
        self._count_attempt(name, address)
        user = await self.store.user_by_name(name)
        # A disabled user's password is checked like nobody's, so that the answer says nothing.
        known_hash = user.password_hash if user is not None and not user.disabled else None
        if not await self._passwords.verify(known_hash, password) or user is None:
            self._audit.record(AuditEntry("login_refused", user.id if user else "", address))
            raise WrongLogin
        self._by_name.give_back(name, self._monotonic_s())
        self._by_address.give_back(address, self._monotonic_s())
        if self._passwords.is_outdated(user.password_hash):
            user = replace(user, password_hash=await self._passwords.hash(password))
            await self.store.update_user(user)
        return user

    def _count_attempt(self, name: str, address: str) -> None:
        now_s = self._monotonic_s()
        wait_s = max(self._by_address.take(address, now_s), self._by_name.take(name, now_s))
        if wait_s:
            self._audit.record(AuditEntry("login_refused", "", address, detail="too many attempts"))
            raise TooManyAttempts(wait_s)

    def new_session(self, user: User, device: str | None, address: str) -> tuple[str, WebSession]:
        """A fresh token for the cookie, and the session that `keep` stores. Ids are in order of time."""
        token, now_ms = secrets.token_urlsafe(32), self._utc_ms()
        session = WebSession(
            token_hash=hash_token(token),
            id=f"s{now_ms:011x}{secrets.token_hex(4)}",
            user=user.id,
            device=device,
            created_utc_ms=now_ms,
            seen_utc_ms=now_ms,
            address=address,
        )
        return token, session

    async def keep(self, user: User, token: str, session: WebSession) -> Login:
        """The session is valid from now on. Those that ran out are cleared away, and with a device the user's
        others with one: an agent has one desk, the last."""
        now_ms = self._utc_ms()
        await self.store.delete_web_sessions_before(now_ms - self._absolute_ms, now_ms - self._idle_ms)
        if session.device is not None:
            for other in await self.store.web_sessions_of(user.id):
                if other.device is not None:
                    await self.store.delete_web_session(other.token_hash)
        await self.store.add_web_session(session)
        self._audit.record(AuditEntry("login", user.id, session.address, subject=session.device or ""))
        return _login(user, token, session)

    async def resume(self, token: str) -> Login | None:
        """Whose cookie this is; None when nobody's any more. Counts as use."""
        if not 0 < len(token) <= MAX_TOKEN_CHARS:
            return None
        session = await self.store.web_session(hash_token(token))
        if session is None or self._is_over(session):
            return None
        user = await self.store.user_by_id(session.user)
        if user is None or user.disabled:
            return None
        if self._utc_ms() - session.seen_utc_ms >= TOUCH_EVERY_MS:
            await self.store.touch_web_session(session.token_hash, self._utc_ms())
        return _login(user, token, session)

    def _is_over(self, session: WebSession) -> bool:
        now_ms = self._utc_ms()
        return (
            now_ms - session.seen_utc_ms >= self._idle_ms
            or now_ms - session.created_utc_ms >= self._absolute_ms
        )

    async def end(self, login: Login, address: str) -> None:
        """Logged out: the token is worth nothing from now on."""
        await self.store.delete_web_session(login.token_hash)
        self._audit.record(AuditEntry("logout", login.user.id, address))

    async def create_user(
        self, name: str, label: str, role: Role, language: str, password: str, *, by: str, address: str = ""
    ) -> User:
        """A new user; the id is the name. Raises BadName, WeakPassword, NameTaken, Busy."""
        name = clean_name(name)
        if NAME.fullmatch(name) is None:
            raise BadName("A login name has letters a–z, digits, dot, dash and underscore, 64 at most.")
        check_strength(password, name)
        user = User(name, name, label, role, language, await self._passwords.hash(password))
        await self.store.create_user(user)
        self._audit.record(AuditEntry("user_created", by, address, subject=user.id, detail=role))
        return user

    async def change_user(
        self, old: User, new: User, password: str | None, *, by: str, address: str = ""
    ) -> User:
        """Replace `old` by `new`, with a new password if there is one. When role, password or disabled
        change, all their logins end. Raises WeakPassword, NoSuchUser, NameTaken, Busy."""
        if password is not None:
            check_strength(password, new.name)
            new = replace(new, password_hash=await self._passwords.hash(password))
        await self.store.update_user(new)
        if (new.role, new.password_hash, new.disabled) != (old.role, old.password_hash, old.disabled):
            for session in await self.store.web_sessions_of(new.id):
                await self.store.delete_web_session(session.token_hash)
        fields = ("label", "role", "language", "password_hash", "disabled")
        changed = ",".join(name for name in fields if getattr(old, name) != getattr(new, name))
        self._audit.record(AuditEntry("user_changed", by, address, subject=new.id, detail=changed))
        return new

    def close(self) -> None:
        """Lets go of the password threads."""
        self._passwords.close()


def _login(user: User, token: str, session: WebSession) -> Login:
    return Login(user, session.id, session.device, csrf_of(token), session.token_hash)
