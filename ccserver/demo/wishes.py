"""What the one who types `make run` may wish for, from the environment; and the configuration that follows.

    PORT=8090            another port for the pages            DATABASE_URL=…      PostgreSQL
    ASTERISK=HOST:PORT   the AMI of an Asterisk of your own    DEMO=0              nobody invented
    HEADLESS=1           opens no browser                      CCSERVER_DEMO_DIR=… the folder for everything

Any key of the configuration can be set too: CCSERVER_SECTION__KEY.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ccserver.cli.faults import OperatorFault
from ccserver.config import Config, load
from ccserver.config_sections import Server
from ccserver.data import shipped
from ccserver.demo.switchboard import AnySwitchboard, Line, RealSwitchboard

AMI_PORT = "5038"


@dataclass(frozen=True)
class Wishes:
    """The environment, understood."""

    environ: Mapping[str, str]
    folder: Path
    port: int
    asterisk: str
    alive: bool
    headless: bool

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Wishes:
        """Raises OperatorFault for a port that is none."""
        alive = environ.get("DEMO", "1") != "0"
        folder = environ.get("CCSERVER_DEMO_DIR") or ("var/demo" if alive else "var/empty")
        return cls(
            environ,
            Path(folder).absolute(),
            _port(environ),
            environ.get("ASTERISK", ""),
            alive,
            environ.get("HEADLESS", "0") not in ("", "0"),
        )

    def need_port(self) -> None:
        """Raises OperatorFault when somebody listens there: better told now than after a minute."""
        host = self.environ.get("CCSERVER_SERVER__HOST", Server().host)
        try:
            socket.create_server((host, self.port)).close()
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise OperatorFault(
                f"port {self.port} of {host} cannot be opened ({why}); "
                f"choose another one: PORT={self.port + 10} make run"
            ) from error

    def configure(self, board: AnySwitchboard | None) -> Config:
        """The demo's configuration with these wishes in it. Raises ConfigError."""
        values = {key: value for key, value in self.environ.items() if key.startswith("CCSERVER_")}
        values["CCSERVER_SERVER__DATA_DIR"] = str(self.folder)
        values["CCSERVER_SERVER__PORT"] = str(self.port)
        if self.environ.get("DATABASE_URL"):
            values["DATABASE_URL"] = self.environ["DATABASE_URL"]
        if not self.alive:
            values["CCSERVER_SERVER__DEMO"] = "false"
        if isinstance(board, RealSwitchboard):
            values["CCSERVER_FASTAGI__SOUNDS_FOLDER"] = str(self.folder / "sounds")
            values["CCSERVER_FASTAGI__ASTERISK_SOUNDS_FOLDER"] = str(board.sounds)
        if board is not None:
            values |= _line_values(board.line)
        else:
            host, _, port = self.asterisk.partition(":")
            values |= {"CCSERVER_PBX__DEMO__HOST": host, "CCSERVER_PBX__DEMO__PORT": port or AMI_PORT}
        return load(shipped("config") / "demo" / "ccserver.toml", values)


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT") or environ.get("CCSERVER_SERVER__PORT") or str(Server().port)
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65_536):
        raise OperatorFault(f"PORT={text[:20]}: write a port from 1 to 65535, like PORT=8090")
    return int(text)


def _line_values(line: Line) -> dict[str, str]:
    values = {
        "CCSERVER_PBX__DEMO__HOST": line.host,
        "CCSERVER_PBX__DEMO__PORT": str(line.port),
        "CCSERVER_PBX__DEMO__USER": line.user,
        "CCSERVER_PBX__DEMO__SECRET": line.secret,
        "CCSERVER_PBX__DEMO__FASTAGI_SECRET": line.agi_secret,
    }
    return values | ({"CCSERVER_FASTAGI__PORT": str(line.agi_port)} if line.agi_port else {})
