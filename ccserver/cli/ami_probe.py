"""A program of its own: log in to an AMI once with pyst2, and say what answered. `doctor` runs it.

    stdin:  {"host", "port", "user", "secret", "tls", "tls_ca", "timeout_s"}      stdout: {"ok", "words"}

Its own process, because a pyst2 manager that meets a silent or odd peer waits for ever in threads that
cannot be stopped; here the caller's time-out ends all of it. Guarded further: MD5 login (no secret travels),
`Events: off` (an event with ChanVariable would kill pyst2's reader), a buffered socket with a time-out (pyst2
reads byte by byte), and no line break in any field.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl
import sys
from typing import Any

from asterisk.manager import Manager, ManagerException


class OneOffManager(Manager):  # type: ignore[misc]  # pyst2 has no types
    """pyst2's manager over a socket that we opened; `connect` of the base class would read unbuffered."""

    def attach(self, stream: socket.socket) -> None:
        """Use a connected socket and wait for the greeting."""
        self._sock = stream.makefile("rwb", buffering=16_384)
        stream.close()  # the file keeps it open
        self._connected.set()
        self._running.set()
        self.message_thread.start()
        self.event_dispatch_thread.start()
        self._response_queue.get()


def probe(target: dict[str, Any]) -> dict[str, Any]:
    """What came of it: `ok`, and `words` that say whose fault it is."""
    where = f"AMI at {target['host']}:{target['port']}"
    if any("\r" in str(value) or "\n" in str(value) for value in target.values()):
        return {"ok": False, "words": f"{where}: a line break in a field of the configuration"}
    try:
        stream = _connected(target)
    except ssl.SSLError as error:
        return {"ok": False, "words": f"{where}: TLS failed ({error.reason}); check tls and tls_ca"}
    except OSError as error:
        return {"ok": False, "words": f"{where}: {error}; is Asterisk up, and enabled = yes in manager.conf?"}
    manager = OneOffManager()
    try:
        manager.attach(stream)
        return _logged_in(manager, target, where)
    except ManagerException as error:
        return {"ok": False, "words": f"{where}: the connection ended ({error}); is this AMI?"}


def _connected(target: dict[str, Any]) -> socket.socket:
    stream = socket.create_connection((target["host"], target["port"]), target["timeout_s"])
    if not target["tls"]:
        return stream
    context = ssl.create_default_context(cafile=target["tls_ca"])
    return context.wrap_socket(stream, server_hostname=target["host"])


def _logged_in(manager: OneOffManager, target: dict[str, Any], where: str) -> dict[str, Any]:
    challenge = manager.send_action({"Action": "Challenge", "AuthType": "MD5"})
    # MD5 is what AMI speaks, not our choice.
    word = challenge.get_header("Challenge", "") + target["secret"]
    key = hashlib.md5(word.encode(), usedforsecurity=False).hexdigest()
    login = {"Action": "Login", "AuthType": "MD5", "Username": target["user"], "Key": key, "Events": "off"}
    if manager.send_action(login).get_header("Response") != "Success":
        return {"ok": False, "words": f'{where}: user "{target["user"]}" or its secret was refused'}
    settings = manager.send_action({"Action": "CoreSettings"})
    version = settings.get_header("AsteriskVersion", "")
    return {"ok": True, "words": f"{where}: logged in" + (f", Asterisk {version}" if version else "")}


if __name__ == "__main__":
    json.dump(probe(json.load(sys.stdin)), sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # pyst2's threads may still wait; the process ends here, whatever they do
