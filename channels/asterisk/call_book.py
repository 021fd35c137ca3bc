"""The calls told of, by id, and the changes on their way out."""

from __future__ import annotations

import itertools
from collections import OrderedDict

from channels.asterisk.call_picture import Call, Change, Kind, Leg, State

NAMES_KEPT = 100_000


class CallBook:
    """`calls` are those under way; `changes` gathers until `take`. Ids of calls begin with `prefix`."""

    def __init__(self, prefix: str) -> None:
        self.calls: dict[str, Call] = {}
        self.changes: list[Change] = []
        self.now = 0  # events seen
        self._prefix = prefix
        self._orders = itertools.count()
        self._named: OrderedDict[str, None] = OrderedDict()  # the latest ids, of calls over too

    def new_call(self, unique: str) -> Call:
        """A call that nothing has been told of yet, named after its first leg; no name is given twice."""
        order = next(self._orders)
        name = self._prefix + unique
        if name in self._named:  # a late leg of a call that is over
            name = f"{name}-{order}"
        self._named[name] = None
        if len(self._named) > NAMES_KEPT:
            self._named.popitem(last=False)
        return Call(name, order)

    def enter(self, call: Call, state: State) -> None:
        """`call` is in this state from now on."""
        if call.state != state:
            call.state, call.since = state, self.now

    def tell(self, kind: Kind, call: Call, *, by: Leg | None = None, reason: str | None = None) -> None:
        """Something happened, between those whom the call names now."""
        person = by.person() if by is not None else None
        self.changes.append(Change(kind, call.id, call.frm, call.to, person, reason))

    def take(self) -> list[Change]:
        """What was told since the last time."""
        changes, self.changes = self.changes, []
        return changes
