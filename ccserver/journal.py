"""The journal: every fact and what was decided, in order; the truth that everything else is a view of.

A folder of files `journal-<first seq>.log`, one record a line:

    <crc32, 8 hex digits> <JSON>\n

    {"v":1,"header":{"release":...,"epoch":...}}                             first line of a file
    {"v":1,"n":seq,"at":µs,"e":type,"d":{fact},"x":[[type,{effect}],...]}    a record
    {"v":1,"n":seq,"at":µs,"e":type,"d":{fact},"x":[],"fault":true}          raised: not replayed
    {"v":1,"gap":{"from":seq,"to":seq,"why":...}}                            could not be written

A record is `write()`n before its effects run, so it survives kill -9; `fdatasync` follows in groups off the
loop within 20 ms, and what promises something outside waits for it (`durable`). A torn last line, the mark of
a power cut, is dropped; damage anywhere else is refused with file and line. Records carry ids, never numbers,
names or text. Snapshots (`snapshot-<seq>.json`) bound recovery: the newest readable one, then the tail.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from zlib import crc32

import msgspec
import structlog

from routing import effects as routing_effects
from routing import events as routing_events
from routing.effects import Effect
from routing.events import Event

VERSION = 1
FILE_BYTES = 64 * 1024 * 1024
SYNC_WITHIN_S = 0.02
REOPEN_EVERY_S = 1.0
_SEQ = re.compile(rb'[0-9a-f]{8} \{"v":\d+,"n":(\d+),')
_NAME = re.compile(r"journal-(\d{12})\.log$")
_EVENTS: dict[str, type] = {cls.__name__: cls for cls in get_args(routing_events.Event)}
_EFFECTS: dict[str, type] = {cls.__name__: cls for cls in get_args(routing_effects.Effect)}
_encoder = msgspec.json.Encoder()
log = structlog.get_logger()


class JournalDamaged(Exception):
    """A line in the middle of the journal cannot be read; the message names file and line."""


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """One fact, and the effects it had. `fault`: handling it raised, so it changed nothing."""

    seq: int
    at: int
    event: Event
    effects: tuple[Effect, ...]
    fault: bool = False


def encode_record(record: JournalRecord) -> bytes:
    """The line of a record."""
    body: dict[str, Any] = {
        "v": VERSION,
        "n": record.seq,
        "at": record.at,
        "e": type(record.event).__name__,
        "d": record.event,
        "x": [(type(effect).__name__, effect) for effect in record.effects],
    }
    if record.fault:
        body["fault"] = True
    return _line(body)


def _line(body: dict[str, Any]) -> bytes:
    data = _encoder.encode(body)
    return b"%08x %s\n" % (crc32(data), data)


def decode_line(line: bytes) -> dict[str, Any]:
    """The JSON of one line. Raises ValueError when the checksum does not fit."""
    if len(line) < 10 or not line.endswith(b"\n") or line[8:9] != b" ":
        raise ValueError("torn line")
    data = line[9:-1]
    if int(line[:8], 16) != crc32(data):
        raise ValueError("checksum does not fit")
    decoded: dict[str, Any] = msgspec.json.decode(data)
    return decoded


def decode_record(body: dict[str, Any]) -> JournalRecord:
    """The record in the JSON of a line. Raises ValueError for a type this release does not know."""
    try:
        event: Event = msgspec.convert(body["d"], _EVENTS[body["e"]])
        effects: tuple[Effect, ...] = tuple(
            msgspec.convert(fields, _EFFECTS[name]) for name, fields in body["x"]
        )
        return JournalRecord(body["n"], body["at"], event, effects, body.get("fault", False))
    except (KeyError, msgspec.ValidationError) as error:
        raise ValueError(f"not a record: {error}") from error


def files(folder: Path) -> list[tuple[int, Path]]:
    """(first seq, path) of each journal file, in order."""
    found = ((_NAME.match(path.name), path) for path in folder.glob("journal-*.log"))
    return sorted((int(match[1]), path) for match, path in found if match)


def read(folder: Path, since: int = 0) -> Iterator[JournalRecord]:
    """Every record after `since`, in order. Raises JournalDamaged."""
    listed = files(folder)
    for index, (_, path) in enumerate(listed):
        if index + 1 < len(listed) and listed[index + 1][0] <= since + 1:
            continue
        yield from _read_file(path, since)


def _read_file(path: Path, since: int) -> Iterator[JournalRecord]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            known = _SEQ.match(line)
            if known and int(known[1]) <= since:
                continue  # without decoding: whoever follows the journal asks at its end, on the loop
            try:
                body = decode_line(line)
                if "n" in body:
                    yield decode_record(body)
            except ValueError as error:
                if not file.read(1):
                    return  # the torn end of a power cut: it was never promised to anybody
                raise JournalDamaged(
                    f"{path.name}:{number}: {error}; restore this file from a backup"
                ) from error


def _drop_torn_end(path: Path) -> None:
    """Cut what a crash left behind the last whole line, before anything is written after it."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)


class Journal:
    """The writer. One per process; used on the loop only, but for the sync itself."""

    def __init__(self, folder: Path, epoch: str, release: str, last_seq: int) -> None:
        self.folder, self.epoch, self.last_seq = folder, epoch, last_seq
        self.failed: str = ""
        self.synced_seq = last_seq
        self._header = {"v": VERSION, "header": {"release": release, "epoch": epoch}}
        self._fd = -1
        self._size = self._unsynced = 0
        self.on_sync: Callable[[int, float], None] = lambda _written, _took_s: None
        """Called after each group that reached the disk, with its bytes and how long that took, s."""
        self._gap_from = 0
        self._retry_at = 0.0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._sync: asyncio.Task[None] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        path = self.folder / f"journal-{self.last_seq + 1:012d}.log"
        _drop_torn_end(path)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._fd).st_size
        self._write(_line(self._header))

    def _write(self, data: bytes) -> None:
        written = os.write(self._fd, data)
        if written != len(data):
            raise OSError(f"short write: {written} of {len(data)} bytes")
        self._size += written
        self._unsynced += written

    def path(self) -> Path:
        """The file written last."""
        return files(self.folder)[-1][1]

    def append(self, record: JournalRecord) -> None:
        """Write the record; when that fails, say so once, go on without, and mark the gap later."""
        self.last_seq = record.seq
        line = encode_record(record)
        try:
            self._reopen_if_needed(record)
            self._write(line)
        except OSError as error:
            self._fail(record.seq, error)
            return
        self._sync_soon()

    def _reopen_if_needed(self, record: JournalRecord) -> None:
        if self._fd >= 0 and self._size < FILE_BYTES:
            return
        if self._fd < 0 and asyncio.get_running_loop().time() < self._retry_at:
            raise OSError(self.failed)
        self._close_file()
        self.last_seq = record.seq - 1
        self._open()
        self.last_seq = record.seq
        if self._gap_from:
            gap = {"from": self._gap_from, "to": record.seq - 1, "why": self.failed}
            self._write(_line({"v": VERSION, "gap": gap}))
            log.warning("journal written again", gap_from=self._gap_from, gap_to=record.seq - 1)
            self.failed, self._gap_from = "", 0

    def _fail(self, seq: int, error: OSError) -> None:
        if not self._gap_from:
            self._gap_from, self.failed = seq, str(error)
            log.error("journal cannot be written; calls go on, recovery will miss them", why=str(error))
        self._close_file()
        self._retry_at = asyncio.get_running_loop().time() + REOPEN_EVERY_S

    def _close_file(self) -> None:
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
        self._fd = -1

    # -- durability -----------------------------------------------------------------------------------------

    def _sync_soon(self) -> None:
        if self._sync is None or self._sync.done():
            self._sync = asyncio.get_running_loop().create_task(self._sync_group())

    async def _sync_group(self) -> None:
        """One fdatasync for everything written in the last 20 ms, in a thread."""
        await asyncio.sleep(SYNC_WITHIN_S)
        while self._fd >= 0 and self.synced_seq < self.last_seq:
            upto, fd = self.last_seq, os.dup(self._fd)
            unsynced, began = self._unsynced, time.monotonic()
            try:
                await asyncio.get_running_loop().run_in_executor(None, os.fdatasync, fd)
            except OSError as error:
                self._fail(upto, error)
                return
            finally:
                os.close(fd)
            self.synced_seq = upto
            self._unsynced -= unsynced
            self.on_sync(unsynced, time.monotonic() - began)
            self._wake(upto)

    def _wake(self, upto: int) -> None:
        ready = [future for seq, future in self._waiters if seq <= upto and not future.done()]
        self._waiters = [(seq, future) for seq, future in self._waiters if seq > upto]
        for future in ready:
            future.set_result(None)

    async def durable(self, seq: int, timeout_s: float = 5.0) -> None:
        """Return when record `seq` is on the disk. Raises TimeoutError."""
        if seq <= self.synced_seq:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((seq, future))
        await asyncio.wait_for(future, timeout_s)

    async def close(self) -> None:
        """Sync what is written and let go of the file."""
        if self._sync is not None:
            await asyncio.gather(self._sync, return_exceptions=True)
        if self._fd >= 0:
            os.fdatasync(self._fd)
        self._close_file()
