"""A numbered, resumable stream of frames to any number of subscribers. Pure: no loop, no clock.

    push ──▶ number, encode once ──▶ kept (bounded) ──▶ each subscriber's own queue (bounded)

Lifecycle of a subscriber: `attach` with the epoch and number the client saw last. If everything after it is
still kept, those frames are queued and `resumed` is true; else one whole snapshot is queued. Then every
pushed frame follows. The shell calls `take` until None, and waits for `wake`. A queue that overflows marks
the subscriber TOO_SLOW and drops what is queued: the client comes back and resumes.

An epoch is `BASE.k`. Numbers count up through all k; a client that is too far behind gets k + 1, so that it
knows a new epoch began, while the others' numbers stay good.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ccserver.desk.protocol import Board, DeskFrame, encode

Frame = DeskFrame | Board
MakeFrame = Callable[[int], Frame]

TOO_SLOW = 4008
"""Close code: the client did not read fast enough; come back and resume."""

SUBSCRIBER_FRAMES = 512
SUBSCRIBER_CHARS = 512 * 1024


class Subscriber:
    """One socket's view of a stream: what it still has to send, and whether it is to be closed."""

    def __init__(self, epoch: str, resumed: bool, n: int, wake: Callable[[], None]) -> None:
        self.epoch = epoch
        self.resumed = resumed
        self.n = n
        """The stream's number at attach."""
        self.closed: tuple[int, str] | None = None
        """Close code and reason; set once."""
        self._wake = wake
        self._queue: deque[str] = deque()
        self._chars = 0

    @property
    def queued(self) -> int:
        """How many frames wait to be taken."""
        return len(self._queue)

    def put(self, text: str) -> None:
        """Queue one encoded frame (or an answer that only this socket gets)."""
        if self.closed is not None:
            return
        # One frame always fits, however large: a snapshot must not close what it should start.
        if self._queue and (
            len(self._queue) >= SUBSCRIBER_FRAMES or self._chars + len(text) > SUBSCRIBER_CHARS
        ):
            self._queue.clear()
            self.close(TOO_SLOW, "too slow: come back and resume")
            return
        self._queue.append(text)
        self._chars += len(text)
        if len(self._queue) == 1:
            self._wake()

    def take(self) -> str | None:
        """The next frame to send, None when there is none."""
        if not self._queue:
            return None
        text = self._queue.popleft()
        self._chars -= len(text)
        return text

    def close(self, code: int, reason: str) -> None:
        """Send what is queued, then close. A second call changes nothing."""
        if self.closed is None:
            self.closed = (code, reason)
            self._wake()


class Stream:
    """Frames of one desk (or one board), numbered from 1. `epoch` names this run of numbers."""

    def __init__(self, epoch: str, limit: int = 1024, limit_chars: int = 64 * 1024) -> None:
        if "." in epoch:
            raise ValueError(f"epoch {epoch!r} may not contain a dot")
        self.n = 0
        self._base = epoch
        self._renewals = 0
        self._limit = limit
        self._limit_chars = limit_chars
        self._kept: deque[str] = deque()
        self._chars = 0
        self._subscribers: dict[Subscriber, None] = {}

    @property
    def epoch(self) -> str:
        """What a client says when it comes back."""
        return f"{self._base}.{self._renewals}"

    @property
    def subscribers(self) -> int:
        """How many sockets look at it."""
        return len(self._subscribers)

    def push(self, make_frame: MakeFrame) -> str:
        """Number, encode, keep and queue one frame; the text that goes over the wire."""
        text = encode(make_frame(self.n + 1)).decode()
        self.n += 1
        self._keep(text)
        for subscriber in tuple(self._subscribers):
            subscriber.put(text)
        return text

    def _keep(self, text: str) -> None:
        self._kept.append(text)
        self._chars += len(text)
        while len(self._kept) > self._limit or self._chars > self._limit_chars:
            self._chars -= len(self._kept.popleft())

    def resume(self, epoch: str, last: int) -> list[str] | None:
        """The frames after number `last`; None: not all are kept (or not ours), a snapshot is needed."""
        missed = self.n - last
        if not self._is_ours(epoch) or not 0 <= missed <= len(self._kept):
            return None
        return [self._kept[i] for i in range(len(self._kept) - missed, len(self._kept))]

    def attach(self, epoch: str, last: int, wake: Callable[[], None], snapshot: MakeFrame) -> Subscriber:
        """A new subscriber with its missed frames, or with `snapshot(n)` (not a numbered frame of its own:
        it is the state as of `n`) queued. `wake` is called whenever there is something to take or close."""
        missed = self.resume(epoch, last)
        if missed is None and self._is_ours(epoch):
            self._renewals += 1
        subscriber = Subscriber(self.epoch, missed is not None, self.n, wake)
        for text in missed if missed is not None else [encode(snapshot(self.n)).decode()]:
            subscriber.put(text)
        self._subscribers[subscriber] = None
        return subscriber

    def detach(self, subscriber: Subscriber) -> None:
        """Unknown subscribers are ignored."""
        self._subscribers.pop(subscriber, None)

    def close(self, code: int, reason: str) -> None:
        """Close every subscriber, after what is queued."""
        for subscriber in tuple(self._subscribers):
            subscriber.close(code, reason)
        self._subscribers.clear()

    def _is_ours(self, epoch: str) -> bool:
        base, dot, renewal = epoch.partition(".")
        return dot == "." and base == self._base and renewal.isascii() and renewal.isdigit()
