"""Which session of an agent holds their desk: the last that logged in.

A login with a device ends the agent's earlier session (Accounts.keep). Its socket may be reconnecting at that
very moment, and must not take the desk back. After a restart nobody holds a seat, and the first socket with a
valid session gets it.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import HTTPConnection

from ccserver.desk.stream import Subscriber
from ccserver.web.accounts import Login
from ccserver.web.ports import Desks, NoDesk, User


class TakenOver(Exception):
    """A later login of the same agent holds the desk."""


class Seats:
    """In memory; bounded by the number of users."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks
        self._holder: dict[str, str] = {}

    async def take(self, user: User, session: str, device: str | None) -> None:
        """Open the desk for a new login, if it has a device. Raises what `Desks.open` raises."""
        if device is not None:
            await self._desks.open(user, session, device)
            self._holder[user.id] = session

    async def leave(self, agent: str, session: str, reason: str) -> None:
        """Close the desk, if this session holds it."""
        if self._holder.get(agent) == session:
            del self._holder[agent]
        await self._desks.close(agent, session, reason)

    async def leave_all(self, agent: str, reason: str) -> None:
        """Close whatever desk the agent has."""
        session = self._holder.get(agent)
        if session is not None:
            await self.leave(agent, session, reason)

    async def attach(
        self, login: Login, device: str, epoch: str, last: int, wake: Callable[[], None]
    ) -> Subscriber:
        """Look at the desk; opens it again if it was forgotten meanwhile. Raises TakenOver, and what
        `Desks.open` raises."""
        user, session = login.user, login.session
        if self._holder.setdefault(user.id, session) != session:
            raise TakenOver
        try:
            return self._desks.attach(user.id, session, epoch, last, wake)
        except NoDesk:
            await self.take(user, session, device)
            return self._desks.attach(user.id, session, epoch, last, wake)


def seats_of(connection: HTTPConnection) -> Seats:
    """The app's seats."""
    seats: Seats = connection.app.state.seats
    return seats
