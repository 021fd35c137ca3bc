"""The AMI codec: every split gives the same messages, every byte survives, every limit has a name."""

from __future__ import annotations

from typing import Any

import pytest
from asterisk.manager import ManagerMsg
from hypothesis import given
from hypothesis import strategies as st

from channels.asterisk.ami_codec import (
    AmiDecoder,
    AmiFieldError,
    AmiLimits,
    AmiMessage,
    AmiPeerError,
    encode_action,
    encode_message,
)

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
# As Asterisk 22.10 sends them; numbers and names invented.
PACKETS = {
    "login": b"Response: Success\r\nActionID: login\r\nMessage: Authentication accepted\r\n\r\n",
    "event": (
        b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: PJSIP/trunk-00000001\r\nChannelState: 4\r\n"
        b"ChannelStateDesc: Ring\r\nCallerIDNum: +62215550101\r\nCallerIDName: <unknown>\r\n"
        b"ConnectedLineNum: <unknown>\r\nConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\n"
        b"Context: ccserver-in\r\nExten: 1500\r\nPriority: 1\r\nUniqueid: 1763800000.1\r\n"
        b"Linkedid: 1763800000.1\r\n\r\n"
    ),
    "repeated": (
        b"Event: OriginateResponse\r\nChanVariable: ACD_ID=i-1\r\nChanVariable: ACD_MODE=wait\r\n"
        b"ChanVariable: EMPTY=\r\nUniqueid: 1.2\r\n\r\n"
    ),
    "latin-1": b"Event: Newstate\r\nCallerIDName: M\xfcller\r\nUniqueid: 1.3\r\n\r\n",
    "utf-8": "Event: Newstate\r\nCallerIDName: Müller \U0001f600\r\n\r\n".encode(),
    "odd": b"Event: Odd\r\nNoSpace:value\r\nEmpty:\r\nColons: a: b: c\r\nBlank: \r\na bare line\r\n\r\n",
    "control": b"Event: Odd\r\nBytes: \x00\x01\x7f\x85\xff \n lone LF and \r lone CR\r\n\r\n",
    "command": (
        b"Response: Success\r\nActionID: 7\r\nMessage: Command output follows\r\n"
        b"Output:   indented: yes\r\nOutput: \r\nOutput: 2 active channels\r\n\r\n"
    ),
    "old command": (
        b"Response: Follows\r\nPrivilege: Command\r\nActionID: 8\r\nName: Value\n\r\n\r\nafter a gap\n"
        b"--END COMMAND--\r\n\r\n"
    ),
    "no headers": b"Event: Bare\r\n\r\n",
    "extra empty line": b"\r\nEvent: Late\r\n\r\n",
    "only empty": b"\r\n\r\n",
}
STREAM = BANNER + b"".join(PACKETS.values())


def decode(data: bytes, **options: Any) -> list[AmiMessage]:
    return AmiDecoder(with_banner=False, **options).feed(data)


def outcome(decoder: AmiDecoder, pieces: list[bytes]) -> tuple[list[AmiMessage], str]:
    """What comes out, and the fault if any."""
    messages: list[AmiMessage] = []
    try:
        for piece in pieces:
            messages += decoder.feed(piece)
    except AmiPeerError as fault:
        return messages + fault.messages, str(fault)
    return messages, ""


@pytest.mark.parametrize("name", PACKETS)
def test_each_packet_whole_by_byte_and_at_every_split(name: str) -> None:
    packet = PACKETS[name]
    whole = decode(packet)
    by_byte, fault = outcome(AmiDecoder(with_banner=False), [bytes([byte]) for byte in packet])
    assert (by_byte, fault) == (whole, "")
    for cut in range(len(packet) + 1):
        assert outcome(AmiDecoder(with_banner=False), [packet[:cut], packet[cut:]]) == (whole, "")


def test_a_stream_gives_the_same_messages_in_any_pieces() -> None:
    whole = AmiDecoder().feed(STREAM)
    assert len(whole) == len(PACKETS) - 1
    for size in (1, 2, 3, 5, 7, 64, 1000):
        pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
        decoder = AmiDecoder()
        assert outcome(decoder, pieces) == (whole, "")
        assert decoder.banner == "Asterisk Call Manager/11.0.0"


def test_headers_are_found_in_any_case_and_repeated_ones_are_kept() -> None:
    (message,) = decode(PACKETS["repeated"])
    assert (message.kind, message.name) == ("event", "OriginateResponse")
    assert message["uniqueid"] == message.get("UNIQUEID") == message.get("Uniqueid") == "1.2"
    assert message.all("chanvariable") == ["ACD_ID=i-1", "ACD_MODE=wait", "EMPTY="]
    assert message.variables() == {"ACD_ID": "i-1", "ACD_MODE": "wait", "EMPTY": ""}
    assert message.get("ChanVariable") == "ACD_ID=i-1"  # the first: a forged later one changes nothing
    assert "ChanVariable" in message
    assert "Channel" not in message
    assert message.get("Channel") == ""
    assert message.get("Channel", "none") == "none"
    with pytest.raises(KeyError):
        message["Channel"]


def test_variables_of_two_channels_in_one_event() -> None:
    (message,) = decode(b"Event: Status\r\nChanVariable(PJSIP/a1-1): A=1\r\nDestChanVariable: B=2\r\n\r\n")
    assert message.variables() == {"A": "1"}


@pytest.mark.parametrize(
    ("packet", "header", "value"),
    [
        ("latin-1", "CallerIDName", "Müller"),
        ("utf-8", "CallerIDName", "Müller \U0001f600"),
        ("control", "Bytes", "\x00\x01\x7f\x85ÿ \n lone LF and \r lone CR"),
        ("odd", "NoSpace", "value"),
        ("odd", "Empty", ""),
        ("odd", "Colons", "a: b: c"),
        ("odd", "Blank", ""),
        ("odd", "Output", "a bare line"),
        ("event", "AccountCode", ""),
        ("command", "Output", "  indented: yes"),
    ],
)
def test_values_survive(packet: str, header: str, value: str) -> None:
    (message,) = decode(PACKETS[packet])
    assert message[header] == value


def test_old_command_output_with_an_empty_line_is_one_message() -> None:
    (message,) = decode(PACKETS["old command"])
    assert message["ActionID"] == "8"
    assert message.get("Name") == ""  # output, not a header
    assert message.all("Output") == ["Name: Value", "", "", "after a gap"]


def test_unwanted_events_are_dropped_and_responses_never() -> None:
    decoder = AmiDecoder(frozenset({b"Newchannel", b"Late"}))
    names = [message.name for message in decoder.feed(STREAM)]
    assert names == ["Success", "Newchannel", "Success", "Follows", "Late"]
    assert (decoder.seen, decoder.dropped) == (13, 6)


def test_rows_of_a_list_come_through_while_they_are_kept() -> None:
    headers = b"Header: value\r\n" * 30  # Asterisk writes the ActionID of a Status row last
    rows = b"Event: Status\r\n" + headers + b"ActionID: 4\r\n\r\nEvent: Newexten\r\nPrivilege: call\r\n\r\n"
    decoder = AmiDecoder(frozenset(), with_banner=False)
    assert decoder.feed(rows) == []
    decoder.keep_rows = True
    assert [message.name for message in decoder.feed(rows)] == ["Status"]


SMALL = AmiLimits(line_bytes=50, message_bytes=200, headers=5)
FAULTS = {
    "line of more than 50 bytes": b"Event: X\r\nData: " + b"x" * 60 + b"\r\n\r\n",
    "message of more than 200 bytes": b"Event: X\r\n" + b"A: 0123456789\r\n" * 15 + b"\r\n",
    "message of more than 5 headers": b"Event: X\r\n" + b"A: 1\r\n" * 6 + b"\r\n",
    "neither Event nor Response": b"Channel: X\r\nEvent: Y\r\n\r\n",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_each_limit_has_a_name_in_any_pieces(fault: str, size: int) -> None:
    good = b"Event: Good\r\n\r\n"
    data = good + FAULTS[fault] + good
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    messages, said = outcome(AmiDecoder(limits=SMALL, with_banner=False), pieces)
    assert fault in said
    assert [message.name for message in messages] == ["Good"]


@pytest.mark.parametrize("endless", [b"x" * 1000, b"Event: X\r\n" * 1000, b"Response: Follows\r\n" * 1000])
def test_a_message_that_does_not_end_is_refused_before_it_ends(endless: bytes) -> None:
    with pytest.raises(AmiPeerError, match="of more than"):
        decode(endless, limits=SMALL)


def test_old_output_without_end_is_bounded() -> None:
    with pytest.raises(AmiPeerError, match="message of more than 200 bytes"):
        decode(b"Response: Follows\r\n\r\n" + b"output\r\n\r\n" * 100, limits=SMALL)


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH\r\n", b"\r\n", b"HTTP/1.1 400", b"\xff"])
def test_another_greeting_is_no_ami(greeting: bytes) -> None:
    with pytest.raises(AmiPeerError, match="no AMI here"):
        AmiDecoder().feed(greeting)


def test_a_greeting_without_end_is_refused() -> None:
    with pytest.raises(AmiPeerError, match="does not end"):
        AmiDecoder().feed(b"Asterisk Call Manager/" + b"1" * 500)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CallerID", "x\r\nApplication: System"),
        ("CallerID", "x\ny"),
        ("CallerID", "x\ry"),
        ("CallerID", "x\0y"),
        ("Caller\r\nID", "x"),
        ("Caller:ID", "x"),
        ("", "x"),
        (" CallerID", "x"),
        ("Käse", "x"),
        ("CallerID", "\ud800"),
        ("CallerID", "x" * 2000),
    ],
)
def test_a_field_that_would_break_its_line_is_refused(key: str, value: str) -> None:
    with pytest.raises(AmiFieldError):
        encode_action("Originate", [(key, value)])


def test_an_action_name_is_checked_and_headers_are_counted() -> None:
    with pytest.raises(AmiFieldError):
        encode_action("Ping\r\nAction: Originate", [])
    with pytest.raises(AmiFieldError, match="headers"):
        encode_action("Ping", [("Variable", "a=1")] * 128)


def test_an_action_on_the_wire() -> None:
    data = encode_action("Setvar", [("Channel", "PJSIP/a1-1"), ("Value", "ü")])
    assert data == b"Action: Setvar\r\nChannel: PJSIP/a1-1\r\nValue: \xc3\xbc\r\n\r\n"


KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), min_size=1)
VALUES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=80)


@given(st.sampled_from(["Event", "Response"]), VALUES, st.lists(st.tuples(KEYS, VALUES), max_size=30))
def test_what_is_written_is_read_back(kind: str, name: str, fields: list[tuple[str, str]]) -> None:
    headers = [(kind, f"x{name}"), *fields]
    (message,) = decode(encode_message(headers))
    assert message.headers == headers
    assert encode_message(message.headers) == message.raw + b"\r\n\r\n"


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([*PACKETS.values(), b"\r\n", b"Event: "]))))
def test_any_bytes_in_any_pieces_give_the_same_outcome_and_only_peer_errors(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    whole = outcome(AmiDecoder(with_banner=False), [data])
    assert outcome(AmiDecoder(with_banner=False), pieces) == whole
    for message in whole[0]:
        assert all(isinstance(value, str) for _, value in message.headers)
        message.get("Channel")


@pytest.mark.parametrize("name", ["login", "event", "utf-8", "command", "no headers"])
def test_pyst2_reads_the_same_headers(name: str) -> None:
    """An independent reader, within its limits: it takes lines, keeps the last repeat, strips values."""
    (message,) = decode(PACKETS[name])
    lines = PACKETS[name].decode().split("\r\n")[:-2]
    theirs = ManagerMsg([f"{line}\r\n" for line in lines]).headers
    assert theirs == {key: value.strip() for key, value in message.headers}
