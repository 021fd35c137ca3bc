"""The FastAGI codec: every split gives the same events, every limit holds, nothing unfit is ever rendered."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.asterisk.fastagi_codec import (
    Environment,
    Event,
    FastAgiCodec,
    HungUp,
    Limits,
    Line,
    LocalProtocolError,
    RemoteProtocolError,
    Reply,
    check_application,
    check_command,
    check_variable,
    parse_reply,
    parse_script,
    quote,
    render_command,
)
from tests.fakes.agi_peer import environment

REQUEST = environment("call?secret=s&ext=5001", {"agi_calleridname": "Jané"})
REPLIES = {
    b"200 result=1\n": Reply(200, "1", None, None, "result=1"),
    b"200 result=0 endpos=1600\n": Reply(200, "0", None, 1600, "result=0 endpos=1600"),
    b"200 result=1 (a value)\n": Reply(200, "1", "a value", None, "result=1 (a value)"),
    b"200 result=1 ()\n": Reply(200, "1", "", None, "result=1 ()"),
    b"200 result= (timeout)\n": Reply(200, "", "timeout", None, "result= (timeout)"),
    b"200 result=12 (timeout)\r\n": Reply(200, "12", "timeout", None, "result=12 (timeout)"),
    b"200 result=1 ((a) b) endpos=7\n": Reply(200, "1", "(a) b", 7, "result=1 ((a) b) endpos=7"),
    b"200 result=1 (two\nlines)\n": Reply(200, "1", "two\nlines", None, "result=1 (two\nlines)"),
    b"200 result=1 (\xe9)\n": Reply(200, "1", "é", None, "result=1 (é)"),
    b"510 Invalid or unknown command\n": Reply(510, "", None, None, "Invalid or unknown command"),
    b"511 Command Not Permitted on a dead channel or intercept routine\n": Reply(
        511, "", None, None, "Command Not Permitted on a dead channel or intercept routine"
    ),
    b"520-Invalid command syntax.  Proper usage follows:\nUsage: ANSWER\n520 End of proper usage.\n": Reply(
        520,
        "",
        None,
        None,
        "Invalid command syntax.  Proper usage follows:\nUsage: ANSWER\n520 End of proper usage.",
    ),
}


def events_of(*pieces: bytes) -> list[Event]:
    codec = FastAgiCodec()
    return [event for piece in pieces for event in codec.receive_data(piece)]


def test_environment_is_read() -> None:
    (event,) = events_of(REQUEST)
    assert isinstance(event, Environment)
    assert event.values["agi_uniqueid"] == "1763800000.1"
    assert event.values["agi_calleridname"] == "Jané"
    assert event.values["agi_accountcode"] == ""


@pytest.mark.parametrize("raw", REPLIES)
def test_reply_is_read_whole_and_at_every_split(raw: bytes) -> None:
    wire = REQUEST + raw + b"HANGUP\n"
    whole = events_of(wire)
    assert whole[1:] == [REPLIES[raw], HungUp()]
    for split in range(len(REQUEST) - 2, len(wire)):
        assert events_of(wire[:split], wire[split:]) == whole


def test_everything_byte_by_byte() -> None:
    wire = REQUEST + b"".join(REPLIES)
    pieces = [wire[index : index + 1] for index in range(len(wire))]
    assert events_of(*pieces)[1:] == list(REPLIES.values())


def test_lines_are_handed_on_when_taken() -> None:
    codec = FastAgiCodec()
    codec.receive_data(REQUEST)
    codec.take_lines()
    assert codec.receive_data(b"200 result=1\r\n520-x\nHANGUP\n") == [
        Line(b"200 result=1"),
        Line(b"520-x"),
        HungUp(),
    ]
    codec.take_replies()
    assert codec.receive_data(b"200 result=1\n") == [parse_reply("200 result=1")]


def test_lines_cannot_be_taken_before_the_environment_is_complete() -> None:
    with pytest.raises(LocalProtocolError):
        FastAgiCodec().take_lines()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n",
        b"agi_x\n",
        b"\n",
        b"\x16\x03\x01\x02\x00\n",
        b"agi_channel: x\n\n",
        b"agi_x: " + b"y" * 9_000,
        b"z" * 9_000,
        b"agi_x: y\n" * 200,
        (b"agi_x: " + b"y" * 8_000 + b"\n") * 9,
        REQUEST + b"rubbish\n",
        REQUEST + b"200 nothing\n",
        REQUEST + b"299 result=1\n",
        REQUEST + b"200 result=1 (never\n" + b"ends\n" * 70,
        REQUEST + b"520-never\n" + b"ends\n" * 70,
    ],
)
def test_rubbish_is_the_peers_fault(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        events_of(raw)


def test_an_endless_line_is_refused_before_it_is_kept() -> None:
    codec = FastAgiCodec(Limits(line_bytes=100))
    assert codec.receive_data(b"x" * 50) + codec.receive_data(b"x" * 50) == []
    with pytest.raises(RemoteProtocolError, match="100 bytes"):
        codec.receive_data(b"x")


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_give_events_or_the_peers_fault(raw: bytes, split: int) -> None:
    try:
        assert events_of(REQUEST, raw[:split], raw[split:]) == events_of(REQUEST, raw)
    except RemoteProtocolError:
        with pytest.raises(RemoteProtocolError):
            events_of(REQUEST, raw)


def test_script_is_read_and_hides_its_secret() -> None:
    script = parse_script({"agi_network_script": "dialogue/identify?secret=s3cret&ext=%2B62&x="})
    assert (script.route, script.secret, dict(script.query)) == (
        "dialogue/identify",
        "s3cret",
        {"ext": "+62", "x": ""},
    )
    assert "s3cret" not in repr(script)


def test_script_is_read_from_the_url_when_it_stands_nowhere_else() -> None:
    assert parse_script({"agi_request": "agi://h:1/call?secret=s"}).route == "call"


def test_a_key_cannot_be_given_twice_nor_many() -> None:
    with pytest.raises(RemoteProtocolError, match="twice"):
        parse_script({"agi_network_script": "call?queue=a&queue=vip"})
    with pytest.raises(RemoteProtocolError, match="more than"):
        parse_script({"agi_network_script": "call?" + "&".join(f"k{n}=1" for n in range(40))})


@given(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=300))
def test_what_is_rendered_is_read_back_the_same(value: str) -> None:
    line = render_command("SET VARIABLE", "X", value).decode()
    assert shlex.split(line) == ["SET", "VARIABLE", "X", value]


@pytest.mark.parametrize("value", ["a\nHANGUP", "a\rb", "a\0b"])
def test_a_command_cannot_be_smuggled_in(value: str) -> None:
    with pytest.raises(LocalProtocolError):
        render_command("SET VARIABLE", "X", value)
    with pytest.raises(LocalProtocolError):
        quote(value)
    with pytest.raises(LocalProtocolError):
        check_command(f"SET VARIABLE X {value}\n".encode())


def test_a_command_that_asterisk_would_cut_is_refused() -> None:
    render_command("NOOP", "x" * 2_030)
    with pytest.raises(LocalProtocolError, match="2047"):
        render_command("NOOP", "x" * 2_050)
    with pytest.raises(LocalProtocolError):
        render_command("NOOP; HANGUP")


@pytest.mark.parametrize("name", ["ACD_ID", "_X", "CHANNEL(language)", "TIMEOUT(absolute)"])
def test_variables_that_may_be_written(name: str) -> None:
    assert check_variable(name, writing=True) == name


@pytest.mark.parametrize("name", ["SHELL(id)", "DB(x/y)", "A B", "", "9", "X" * 81, "CALLERID(all)", "${X}"])
def test_variables_that_may_not_be_written(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        check_variable(name, writing=True)


def test_variables_that_may_be_read() -> None:
    assert check_variable("CALLERID(num)", writing=False)
    assert check_variable("PJSIP_HEADER(read,X-Id)", writing=False)
    for name in ("SHELL(id)", "CURL(http)", "CALLERID(${X})", "ENV(HOME)"):
        with pytest.raises(LocalProtocolError):
            check_variable(name, writing=False)


def test_applications_are_names() -> None:
    assert check_application("Playback") == "Playback"
    with pytest.raises(LocalProtocolError):
        check_application("System(rm)")
