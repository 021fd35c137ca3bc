"""The AMI actions of a logged-in session in the stand-in: a table of what each does, in Asterisk's words.

An action answers first, its events follow. What the account of `asterisk-dialplan/manager.conf` may not do is
refused as Asterisk refuses it; what Asterisk knows and the stand-in does not is refused as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from channels.asterisk.standin.dialling import (
    bridge_application,
    converse,
    go_on,
    hang_up,
    leave_conversation,
    ring,
)
from channels.asterisk.standin.dialplan import withdraw
from channels.asterisk.standin.exchange import Exchange
from channels.asterisk.standin.model import Action, Answer, Channel, Headers, Input, Leg, State

# Rights that our account lacks (system, command, config).
FORBIDDEN = frozenset(
    {"command", "dbput", "dbget", "dbdel", "dbdeltree", "getconfig", "updateconfig", "reload", "moduleload"}
    | {"mixmonitor", "stopmixmonitor", "pjsipshowendpoints", "pjsipshowendpoint", "pjsipshowcontacts"}
)
BLACKLISTED = frozenset({"agi", "externalivr", "mixmonitor", "originate", "reload", "system", "trysystem"})
_CALLER_ID = re.compile(r'"?(?P<name>[^"<]*)"?\s*<(?P<number>[^>]*)>')
Act = Callable[[Exchange, Action], None]


def action(x: Exchange, item: Input) -> None:
    """Look the action up and run it."""
    if not isinstance(item, Action):
        raise TypeError(f"not an action: {item}")
    name = item.get("Action").lower()
    if name in FORBIDDEN:
        _refuse(x, item, "Permission denied")
    elif name in ACTIONS:
        ACTIONS[name](x, item)
    else:
        known = "Use Action: ListCommands to show available commands."
        _refuse(x, item, f"Invalid/unknown command: {item.get('Action')}. {known}")


def _respond(x: Exchange, item: Action, response: str, *more: tuple[str, str]) -> None:
    x.put(Answer(item.session, [("Response", response), *_id(item), *more]))


def _accept(x: Exchange, item: Action, message: str) -> None:
    _respond(x, item, "Success", ("Message", message))


def _refuse(x: Exchange, item: Action, message: str) -> None:
    _respond(x, item, "Error", ("Message", message))


def _id(item: Action) -> Headers:
    own = item.get("ActionID")
    return [("ActionID", own)] if own else []


def _list(x: Exchange, item: Action, message: str, row: str, rows: list[Headers], end: str = "") -> None:
    _respond(x, item, "Success", ("EventList", "start"), ("Message", message))
    for headers in rows:
        x.put(Answer(item.session, [("Event", row), *_id(item), *headers]))
    count = [("EventList", "Complete"), ("ListItems", str(len(rows)))]
    x.put(Answer(item.session, [("Event", end or f"{row}Complete"), *_id(item), *count]))


def _channel(x: Exchange, item: Action, missing: str = "No such channel") -> Channel | None:
    channel = x.find(item.get("Channel"))
    if channel is None:
        _refuse(x, item, missing)
    return channel


def _ping(x: Exchange, item: Action) -> None:
    _respond(x, item, "Success", ("Ping", "Pong"), ("Timestamp", f"{x.epoch + x.now:.6f}"))


def _set_variable(x: Exchange, item: Action) -> None:
    if not item.get("Variable"):
        _refuse(x, item, "No variable specified")
        return
    variables = x.globals
    if item.get("Channel"):
        channel = _channel(x, item)
        if channel is None:
            return
        variables = channel.variables
    variables[item.get("Variable")] = item.get("Value")
    _accept(x, item, "Variable Set")


def _get_variable(x: Exchange, item: Action) -> None:
    variables = x.globals
    if item.get("Channel"):
        channel = _channel(x, item)
        if channel is None:
            return
        variables = channel.variables
    name = item.get("Variable")
    _respond(x, item, "Success", ("Variable", name), ("Value", variables.get(name, "")))


def _status(x: Exchange, item: Action) -> None:
    chosen = list(x.channels.values())
    if item.get("Channel"):
        channel = _channel(x, item)
        if channel is None:
            return
        chosen = [channel]
    names = [name for name in item.get("Variables").split(",") if name]
    rows = [_status_row(x, channel, names) for channel in chosen]
    _list(x, item, "Channel status will follow", "Status", rows)


def _status_row(x: Exchange, channel: Channel, names: list[str]) -> Headers:
    more = [
        ("Type", "PJSIP"),
        ("DNID", channel.dnid),
        ("TimeToHangup", "0"),
        ("BridgeID", channel.bridge.id if channel.bridge else ""),
        ("Application", channel.application),
        ("Data", channel.data),
        ("Seconds", str(int(x.now - channel.born_at))),
    ]
    variables = [("Variable", f"{name}={channel.variables.get(name, '(null)')}") for name in names]
    return [("Privilege", "Call"), *channel.headers(), *more, *variables]


def _show_channels(x: Exchange, item: Action) -> None:
    rows = []
    for channel in x.channels.values():
        seconds = int(x.now - channel.born_at)
        duration = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        more = [("Application", channel.application), ("ApplicationData", channel.data)]
        bridge = channel.bridge.id if channel.bridge else ""
        rows.append([*channel.headers(), *more, ("Duration", duration), ("BridgeId", bridge)])
    _list(x, item, "Channels will follow", "CoreShowChannel", rows, "CoreShowChannelsComplete")


def _device_states(x: Exchange, item: Action) -> None:
    devices = {phone.device for phone in x.phones.values()} | set(x.device_states)
    rows = [[("Device", device), ("State", x.device_state(device))] for device in sorted(devices)]
    _list(
        x,
        item,
        "Device State Changes will follow",
        "DeviceStateChange",
        rows,
        "DeviceStateListComplete",
    )


def _hang_up(x: Exchange, item: Action) -> None:
    channel = _channel(x, item)
    if channel is None:
        return
    _accept(x, item, "Channel Hungup")
    cause = item.get("Cause")
    usual = 16 if channel.state is State.UP else 0
    hang_up(x, channel, int(cause) if cause.isdigit() else usual)


def _redirect(x: Exchange, item: Action) -> None:
    channel = _channel(x, item, f"Channel does not exist: {item.get('Channel')}")
    if channel is None:
        return
    _accept(x, item, "Redirect successful")
    _send_to(x, channel, item)


def _send_to(x: Exchange, channel: Channel, item: Action) -> None:
    """Out of where it is, to context and extension; who talked with it goes on by itself."""
    channel.on_unbridged = None
    channel.context, channel.exten = item.get("Context"), item.get("Exten")
    others = leave_conversation(x, channel)
    go_on(x, others)
    if not x.goto(channel, item.get("Context"), item.get("Exten")):
        hang_up(x, channel, 0)


def _bridge(x: Exchange, item: Action) -> None:
    found = []
    for key in ("Channel1", "Channel2"):
        channel = x.find(item.get(key))
        if channel is None:
            _refuse(x, item, f"{key} does not exist: {item.get(key)}")
            return
        found.append(channel)
    _accept(x, item, "Channels have been bridged")
    first, second = found
    converse(x, first, second)
    for channel in found:
        _continue_in_dialplan(x, channel)


def _continue_in_dialplan(x: Exchange, channel: Channel) -> None:
    """Trap, as in Asterisk: after an AMI Bridge a waiting caller goes on in the waiting loop."""
    if channel.context == "acd-wait":
        channel.on_unbridged = lambda: (x.goto(channel, "acd-wait"), None)[1]


def _blind_transfer(x: Exchange, item: Action) -> None:
    channel = _channel(x, item, "Channel specified does not exist")
    if channel is None:
        return
    bridge = channel.bridge
    if bridge is None or bridge.holding:
        _refuse(x, item, "Transfer not permitted")  # nobody to transfer
        return
    _accept(x, item, "Transfer succeeded")
    transferees = [member for member in bridge.members if member is not channel]
    for transferee in transferees:
        who = [("Result", "Success"), *channel.headers("Transferer"), *transferee.headers("Transferee")]
        where = [("IsExternal", "Yes"), ("Context", item.get("Context")), ("Extension", item.get("Exten"))]
        x.event("BlindTransfer", who, bridge.headers(), where)
        transferee.on_unbridged = lambda who=transferee: _send_to(x, who, item)
    hang_up(x, channel, 16)


def _withdraw(x: Exchange, item: Action) -> None:
    channel = x.find(item.get("Caller"))
    if channel is None or not withdraw(x, channel):
        _refuse(x, item, "Unable to request withdraw from queue: No such caller")
        return
    _accept(x, item, "Withdraw requested successfully")


def _originate(x: Exchange, item: Action) -> None:
    if not item.get("Channel"):
        _refuse(x, item, "Channel not specified")
    elif item.get("Application").lower() in BLACKLISTED:
        _refuse(x, item, "Originate Access Forbidden: app or data blacklisted")
    elif not item.get("Application") and not (item.get("Exten") and item.get("Context")):
        _refuse(x, item, "Originate with 'Exten' requires 'Context' and 'Priority'")
    else:
        _accept(x, item, "Originate successfully queued")
        _dial_phone(x, item)


def _dial_phone(x: Exchange, item: Action) -> None:
    phone = x.phones.get(item.get("Channel").removeprefix("PJSIP/"))
    own_id = item.get("ChannelId")
    if phone is None or not phone.registered or own_id in x.channels:
        _originate_response(x, item, None, own_id, 0)
        return
    channel = x.new_channel(
        phone.device, State.DOWN, phone.number, phone.name, "ccserver-phones", "s", own_id
    )
    x.event("Newchannel", channel.headers())
    _show_caller_id(x, channel, item.get("CallerID"))
    for pair in item.fields.get("variable", []):
        name, _, value = pair.partition("=")
        channel.variables[name] = value
    leg = Leg(
        on_answer=lambda: _answered(x, item, channel),
        on_failure=lambda reason: _originate_response(x, item, None, channel.uniqueid, reason),
    )
    timeout = item.get("Timeout")
    ring(x, channel, phone, leg, int(timeout) / 1000 if timeout.isdigit() else 30.0)


def _show_caller_id(x: Exchange, channel: Channel, caller_id: str) -> None:
    """What the phone displays."""
    parts = _CALLER_ID.match(caller_id)
    if parts is None:
        return
    channel.caller_name, channel.number = parts["name"].strip(), parts["number"]
    allowed = [("CID-CallingPres", "0 (Presentation Allowed, Not Screened)")]
    x.event("NewCallerid", channel.headers(), allowed)
    channel.connected = (channel.number, channel.caller_name)
    x.event("NewConnectedLine", channel.headers())


def _answered(x: Exchange, item: Action, channel: Channel) -> None:
    """The phone's user is on the line: run what the Originate was for."""

    def tell() -> None:
        _originate_response(x, item, channel, channel.uniqueid, 4)

    application, data = item.get("Application"), item.get("Data")
    channel.application, channel.data = application, data
    if application.lower() == "bridge":
        bridge_application(x, channel, data, tell)
        return
    tell()
    if not application and not x.goto(channel, item.get("Context"), item.get("Exten")):
        hang_up(x, channel, 0)


def _originate_response(
    x: Exchange, item: Action, channel: Channel | None, uniqueid: str, reason: int
) -> None:
    caller = _CALLER_ID.match(item.get("CallerID"))
    headers = [
        *_id(item),
        ("Response", "Success" if channel else "Failure"),
        ("Channel", channel.name if channel else item.get("Channel")),
        ("Context", item.get("Context")),
        ("Exten", item.get("Exten")),
        ("Application", item.get("Application")),
        ("Data", item.get("Data")),
        ("Reason", str(reason)),
        ("Uniqueid", uniqueid or "<null>"),
        ("CallerIDNum", caller["number"] if caller else "<unknown>"),
        ("CallerIDName", caller["name"].strip() if caller else "<unknown>"),
    ]
    x.event("OriginateResponse", headers)


ACTIONS: dict[str, Act] = {
    "ping": _ping,
    "setvar": _set_variable,
    "getvar": _get_variable,
    "status": _status,
    "coreshowchannels": _show_channels,
    "devicestatelist": _device_states,
    "hangup": _hang_up,
    "redirect": _redirect,
    "bridge": _bridge,
    "blindtransfer": _blind_transfer,
    "queuewithdrawcaller": _withdraw,
    "originate": _originate,
}
