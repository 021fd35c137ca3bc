"""The environment of `make run`, understood."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ccserver.cli.faults import OperatorFault
from ccserver.config import ConfigError
from ccserver.demo.wishes import Wishes

SECRETS = {"CCSERVER_PBX__DEMO__SECRET": "a", "CCSERVER_PBX__DEMO__FASTAGI_SECRET": "b"}


def test_without_wishes() -> None:
    wishes = Wishes.of({})
    assert (wishes.port, wishes.asterisk, wishes.alive, wishes.headless) == (8080, "", True, False)
    assert wishes.folder == Path("var/demo").absolute()


def test_without_the_demo_its_folder_is_another() -> None:
    assert Wishes.of({"DEMO": "0"}).folder == Path("var/empty").absolute()


@pytest.mark.parametrize("text", ["0", "65536", "x", "-1", "99999999999999999999", "٨٠"])
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(OperatorFault, match="write a port from 1 to 65535"):
        Wishes.of({"PORT": text})


def test_an_empty_wish_is_none() -> None:
    assert Wishes.of({"PORT": "", "ASTERISK": "", "CCSERVER_DEMO_DIR": ""}) == Wishes(
        {"PORT": "", "ASTERISK": "", "CCSERVER_DEMO_DIR": ""},
        Path("var/demo").absolute(),
        8080,
        "",
        True,
        False,
    )


def test_a_port_that_is_taken_is_said_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with pytest.raises(OperatorFault, match=rf"port {port} of 127.0.0.1 .* PORT={port + 10} make run"):
            Wishes.of({"PORT": str(port)}).need_port()
    Wishes.of({"PORT": str(port)}).need_port()


@pytest.mark.parametrize(
    ("asterisk", "host", "port"), [("pbx:5039", "pbx", 5039), ("10.0.0.7", "10.0.0.7", 5038)]
)
def test_an_asterisk_of_ones_own(asterisk: str, host: str, port: int, tmp_path: Path) -> None:
    environ = {"ASTERISK": asterisk, "PORT": "8099", "DEMO": "0", "CCSERVER_DEMO_DIR": str(tmp_path)}
    config = Wishes.of(environ | SECRETS).configure(None)
    assert (config.pbx["demo"].host, config.pbx["demo"].port) == (host, port)
    assert (config.server.port, config.server.demo, config.server.data_dir) == (8099, False, tmp_path)


def test_secrets_that_are_missing_are_named() -> None:
    with pytest.raises(ConfigError, match="secret"):
        Wishes.of({"ASTERISK": "pbx"}).configure(None)
