"""Sockets on a real port: who gets in, what is missed after a cut, what is refused, who is cut off."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ccserver.desk.protocol import MAX_COMMAND_BYTES
from ccserver.desk.stream import SUBSCRIBER_FRAMES
from ccserver.store import StoreUnavailable
from ccserver.web.api import sockets
from ccserver.web.api.seats import Seats, TakenOver
from ccserver.web.server import WebServer
from tests.fakes.web import PASSWORD, Browser, Rig, board, served, surfer

WAIT_S = 20


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; the time-out is generous, the machine may be busy."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def looking(
    server: WebServer, cookie: str = "", query: str = "", path: str = "/ws/desk", origin: str | None = "own"
) -> AsyncIterator[ClientConnection]:
    """A socket, as a browser opens it."""
    url = f"{server.url.replace('http', 'ws')}{path}{query}"
    headers = {"Cookie": cookie} if cookie else {}
    given: Any = server.url if origin == "own" else origin
    async with connect(url, origin=given, additional_headers=headers, compression=None) as opened:
        yield opened


async def frame(opened: ClientConnection) -> dict[str, Any]:
    """The next frame."""
    async with asyncio.timeout(WAIT_S):
        text = await opened.recv()
    assert isinstance(text, str)
    return dict(json.loads(text))


async def ended(opened: ClientConnection) -> tuple[int, str]:
    """Code and reason of the close, after whatever comes before it."""

    async def read_on() -> None:
        while True:
            await opened.recv()

    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(read_on(), WAIT_S)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


@asynccontextmanager
async def ayu_at(rig: Rig) -> AsyncIterator[tuple[WebServer, Browser]]:
    """A server, and ayu logged in at d1."""
    async with served(rig) as server, surfer(server) as ayu:
        assert (await ayu.login("ayu", "d1")).status_code == 200
        yield server, ayu


async def test_hello_then_the_snapshot_then_what_happens() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), looking(server, ayu.cookie) as desk:
        hello, snapshot = await frame(desk), await frame(desk)
        rig.desks.notice("ayu", "first")
        happened = await frame(desk)
    assert (hello["type"], hello["resumed"], hello["n"]) == ("hello", False, 0)
    assert (snapshot["type"], snapshot["agent"]) == ("snapshot", "ayu")
    assert (happened["n"], happened["params"]) == (1, {"words": "first"})


async def test_after_a_cut_what_was_missed_comes_exactly_once() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu):
        async with looking(server, ayu.cookie) as desk:
            epoch = (await frame(desk))["epoch"]
            await frame(desk)
            rig.desks.notice("ayu", "seen")
            last = (await frame(desk))["n"]
        for words in ("missed 1", "missed 2", "missed 3"):
            rig.desks.notice("ayu", words)
        async with looking(server, ayu.cookie, f"?epoch={epoch}&last={last}") as desk:
            hello = await frame(desk)
            rig.desks.notice("ayu", "live")
            found = [(await frame(desk)) for _ in range(4)]
    assert (hello["resumed"], hello["n"]) == (True, 4)
    assert [(f["n"], f["params"]["words"]) for f in found] == [
        (2, "missed 1"),
        (3, "missed 2"),
        (4, "missed 3"),
        (5, "live"),
    ]


PASTS = ["?epoch=other.0&last=1", "?epoch=e1.0&last=-1", "?last=9", "?epoch=%00&last=x"]


@pytest.mark.parametrize("query", PASTS)
async def test_nonsense_about_the_past_gets_a_snapshot(query: str) -> None:
    async with ayu_at(Rig()) as (server, ayu), looking(server, ayu.cookie, query) as desk:
        assert (await frame(desk))["resumed"] is False
        assert (await frame(desk))["type"] == "snapshot"


async def test_command_is_carried_out_once_even_over_two_sockets() -> None:
    rig = Rig()
    ready = '{"id":"c1","cmd":"ready"}'
    async with ayu_at(rig) as (server, ayu):
        for _ in range(2):
            async with looking(server, ayu.cookie) as desk:
                await frame(desk), await frame(desk)
                await desk.send(ready)
                assert await frame(desk) == {"type": "ack", "id": "c1", "ok": True, "error": "", "v": 1}
    assert rig.events.count(("command", "ayu", "Ready", "c1")) == 1


async def test_commands_start_in_order_and_frames_come_before_their_answers() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), looking(server, ayu.cookie) as desk:
        await frame(desk), await frame(desk)
        for i in range(20):
            await desk.send(json.dumps({"id": f"c{i}", "cmd": "note", "interaction": "i", "text": str(i)}))
        found = [await frame(desk) for _ in range(40)]
    assert [f["params"]["words"] for f in found if f["type"] == "notice"] == [str(i) for i in range(20)]
    assert [f["id"] for f in found if f["type"] == "ack"] == [f"c{i}" for i in range(20)]
    first = [f["type"] for f in found].index("ack")
    assert found[first - 1]["type"] == "notice"


async def test_ping_is_answered_with_the_servers_time() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), looking(server, ayu.cookie) as desk:
        await frame(desk), await frame(desk)
        await desk.send('{"id":"p","cmd":"ping"}')
        assert await frame(desk) == {"type": "pong", "server_utc_ms": rig.clock.utc_ms(), "v": 1}


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
async def test_socket_of_another_site_is_refused_before_it_opens(origin: str | None) -> None:
    async with ayu_at(Rig()) as (server, ayu):
        with pytest.raises(InvalidStatus) as refused:
            async with looking(server, ayu.cookie, origin=origin):
                pass
    assert refused.value.response.status_code == 403
    assert b"wrong_origin" in refused.value.response.body


@pytest.mark.parametrize("cookie", ["", "ccserver=made-up"])
@pytest.mark.parametrize("path", ["/ws/desk", "/ws/wallboard"])
async def test_without_a_session_the_socket_says_so(cookie: str, path: str) -> None:
    async with served(Rig()) as server, looking(server, cookie, path=path) as desk:
        assert (await ended(desk))[0] == 4401


async def test_supervisor_without_a_device_has_no_desk_but_a_wallboard_with_names() -> None:
    rig = Rig()
    async with served(rig) as server, surfer(server) as sari:
        await sari.login("sari")
        async with looking(server, sari.cookie) as desk:
            assert (await ended(desk))[0] == 4403
        async with looking(server, sari.cookie, path="/ws/wallboard") as wall:
            assert (await frame(wall))["type"] == "hello"
            assert (await frame(wall))["waiting"] == 1


async def test_agent_sees_the_wallboard_without_names_and_commands_nothing() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), looking(server, ayu.cookie, path="/ws/wallboard") as wall:
        await frame(wall)
        assert (await frame(wall))["waiting"] == 0
        rig.boards.streams[False].push(lambda n: board(n, 7))
        assert (await frame(wall))["waiting"] == 7
        await wall.send('{"id":"c1","cmd":"ready"}')
        assert (await frame(wall))["error"].startswith("not_here")
    assert not any("command" in str(event) for event in rig.events)


async def test_second_login_takes_over_and_the_first_desk_is_told() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), surfer(server) as elsewhere:
        async with looking(server, ayu.cookie) as first:
            await frame(first), await frame(first)
            assert (await elsewhere.login("ayu", "d2")).status_code == 200
            assert (await frame(first))["code"] == "taken_over"
            assert (await ended(first))[0] == 4001
        async with looking(server, ayu.cookie) as back:
            assert (await ended(back))[0] == 4401
        async with looking(server, elsewhere.cookie) as second:
            assert (await frame(second))["type"] == "hello"
            assert (await frame(second))["device"]["id"] == "d2"


async def test_socket_that_reconnects_while_taken_over_does_not_take_back() -> None:
    rig = Rig()
    app = rig.app()
    seats: Seats = app.state.seats
    user = await rig.accounts.check("ayu", PASSWORD, "x")
    logins = []
    for device in ("d1", "d2"):
        token, session = rig.accounts.new_session(user, device, "x")
        await seats.take(user, session.id, device)
        logins.append(await rig.accounts.keep(user, token, session))
    with pytest.raises(TakenOver):
        await seats.attach(logins[0], "d1", "", 0, lambda: None)
    assert (await seats.attach(logins[1], "d2", "", 0, lambda: None)).resumed is False


async def test_database_away_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()

    async def away(token_hash: str) -> None:
        raise StoreUnavailable("away")

    async with ayu_at(rig) as (server, ayu):
        monkeypatch.setattr(rig.users, "web_session", away)
        async with looking(server, ayu.cookie) as desk:
            assert (await ended(desk))[0] == 1013
        answer = await ayu.get("/api/v1/me")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_away")


async def test_fault_of_ours_ends_the_socket_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    async with ayu_at(rig) as (server, ayu):
        monkeypatch.setattr(rig.desks, "attach", broken)
        async with looking(server, ayu.cookie) as desk:
            assert (await ended(desk))[0] == 1011
    assert rig.metrics.registry.get_sample_value("ccserver_errors_total", {"where": "socket"}) == 1


async def test_forgotten_desk_is_opened_again_by_its_session() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu):
        rig.desks.desks.clear()
        async with looking(server, ayu.cookie) as desk:
            assert (await frame(desk))["type"] == "hello"
    assert rig.events.count(("open", "ayu", "d1")) == 2


async def test_forgotten_desk_whose_phone_somebody_took_says_who() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), surfer(server) as budi:
        rig.desks.desks.clear()
        await budi.login("budi", "d1")
        async with looking(server, ayu.cookie) as desk:
            assert await ended(desk) == (4009, "phone in use by Budi")


async def test_logout_ends_the_socket() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), looking(server, ayu.cookie) as desk:
        await frame(desk), await frame(desk)
        await ayu.post("/api/v1/logout")
        assert (await ended(desk))[0] == 4401


async def test_session_that_ran_out_ends_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "WATCH_EVERY_S", 0.01)
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), looking(server, ayu.cookie, path="/ws/wallboard") as wall:
        await frame(wall)
        rig.clock.now_s += rig.settings.session_absolute_s
        assert (await ended(wall))[0] == 4401


async def test_open_socket_keeps_its_session_from_running_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "WATCH_EVERY_S", 0.01)
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), looking(server, ayu.cookie) as desk:
        await frame(desk)
        rig.clock.now_s += 60
        (session,) = rig.users.sessions.values()
        await until(lambda: rig.users.sessions[session.token_hash].seen_utc_ms == rig.clock.utc_ms())


RUBBISH = [
    "",
    "rubbish",
    "[]",
    "null",
    '{"cmd":"ready"}',
    '{"id":"x","cmd":"format_disk"}',
    '{"id":1,"cmd":"ready"}',
]


@pytest.mark.parametrize("bad", RUBBISH)
async def test_what_is_no_command_is_answered_and_harms_nobody(bad: str) -> None:
    async with ayu_at(Rig()) as (server, ayu), looking(server, ayu.cookie) as desk:
        await frame(desk), await frame(desk)
        await desk.send(bad)
        answer = await frame(desk)
        assert (answer["ok"], answer["error"].startswith("bad_command: ")) == (False, True)
        await desk.send('{"id":"c1","cmd":"ready"}')
        assert (await frame(desk))["ok"] is True


async def test_command_too_large_is_refused_and_far_too_large_ends_the_socket() -> None:
    async with ayu_at(Rig()) as (server, ayu), looking(server, ayu.cookie) as desk:
        await frame(desk), await frame(desk)
        await desk.send("x" * (MAX_COMMAND_BYTES + 1))
        assert "too large" in (await frame(desk))["error"]
        await desk.send("x" * (2 * MAX_COMMAND_BYTES + 1))
        assert (await ended(desk))[0] == 1009


async def test_who_sends_only_rubbish_is_shut_out() -> None:
    async with ayu_at(Rig()) as (server, ayu), looking(server, ayu.cookie) as desk:
        for _ in range(sockets.MAX_STRIKES):
            await desk.send(b"\x00binary")
        assert (await ended(desk))[0] == 1003


async def test_flood_of_commands_is_shut_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "COMMANDS_BURST", 10)
    monkeypatch.setattr(sockets, "COMMANDS_PER_S", 0.001)
    async with ayu_at(Rig()) as (server, ayu), looking(server, ayu.cookie) as desk:
        for _ in range(11):
            await desk.send('{"id":"p","cmd":"ping"}')
        assert (await ended(desk))[0] == 1008


async def test_two_sockets_of_one_agent_both_see_and_one_answer_counts() -> None:
    rig = Rig()
    async with (
        ayu_at(rig) as (server, ayu),
        looking(server, ayu.cookie) as left,
        looking(server, ayu.cookie) as right,
    ):
        for desk in (left, right):
            await frame(desk), await frame(desk)
        rig.desks.notice("ayu", "offer")
        assert await frame(left) == await frame(right)
        for desk in (left, right):
            await desk.send('{"id":"same","cmd":"accept","offer":"o1"}')
            assert (await frame(desk))["ok"] is True
    assert rig.events.count(("command", "ayu", "Accept", "same")) == 1


async def test_socket_that_is_gone_is_detached_and_counted() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu):
        async with looking(server, ayu.cookie) as desk:
            await frame(desk)
            assert rig.metrics.registry.get_sample_value("ccserver_sockets", {"kind": "desk"}) == 1
        await until(lambda: ("detach", "ayu") in rig.events)
        await until(lambda: rig.metrics.registry.get_sample_value("ccserver_sockets", {"kind": "desk"}) == 0)


async def raw_upgrade(server: WebServer, cookie: str) -> socket.socket:
    """A socket that is opened and then never read: something no websocket library does."""
    loop = asyncio.get_running_loop()
    raw = socket.socket()
    raw.setblocking(False)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await loop.sock_connect(raw, ("127.0.0.1", server.port))
    head = (
        f"GET /ws/desk HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: {server.url}\r\n"
        f"Cookie: {cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await loop.sock_sendall(raw, head.encode())
    assert (await loop.sock_recv(raw, 12)).endswith(b"101")
    return raw


async def test_client_that_does_not_read_is_cut_off_and_others_miss_nothing() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), looking(server, ayu.cookie) as quick:
        slow = await raw_upgrade(server, ayu.cookie)
        await until(lambda: rig.events.count(("attach", "ayu")) == 2)
        await frame(quick), await frame(quick)
        large = "x" * 100_000
        for n in range(1, SUBSCRIBER_FRAMES):
            rig.desks.notice("ayu", large)
            assert (await frame(quick))["n"] == n
            if ("detach", "ayu") in rig.events:
                break
        await until(lambda: ("detach", "ayu") in rig.events)
        assert rig.desks.desks["ayu"].stream.subscribers == 1
        rig.desks.notice("ayu", "after")
        assert (await frame(quick))["params"]["words"] == "after"
        slow.close()


async def test_client_that_falls_behind_and_catches_up_misses_nothing() -> None:
    rig = Rig()
    async with ayu_at(rig) as (server, ayu), looking(server, ayu.cookie) as desk:
        await frame(desk), await frame(desk)
        (subscriber,) = rig.desks.desks["ayu"].stream._subscribers
        # Not read meanwhile: the client stops reading at 16 messages, then the buffers on the way fill.
        pushed = 0
        async with asyncio.timeout(WAIT_S):
            while not subscriber.queued:
                rig.desks.notice("ayu", "x" * 100_000)
                pushed += 1
                for _ in range(5):
                    await asyncio.sleep(0)
        rig.desks.notice("ayu", "last")
        numbers = [(await frame(desk))["n"] for _ in range(pushed + 1)]
        assert numbers == list(range(1, pushed + 2))
        rig.desks.notice("ayu", "live again")
        assert (await frame(desk))["params"]["words"] == "live again"


async def test_server_that_stops_tells_the_sockets_and_stops_in_time() -> None:
    rig = Rig().with_settings(stop_timeout_s=1)
    async with ayu_at(rig) as (server, ayu), looking(server, ayu.cookie) as desk:
        await frame(desk)
        async with asyncio.timeout(WAIT_S):
            await server.stop()
        assert (await ended(desk))[0] == 1012
