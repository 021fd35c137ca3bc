"""The rendered part of an instance's configuration."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest

from channels.asterisk.pbx import site_files
from channels.asterisk.pbx.ports import PortBlock
from channels.asterisk.pbx.provision import AsteriskBuild
from channels.asterisk.pbx.site_files import AmiAccess, Phone

PORTS = PortBlock(10_000, io.StringIO())


def test_every_path_lies_in_the_folder_but_the_modules() -> None:
    build = AsteriskBuild(Path("/opt/asterisk"), Path("/opt/modules"), Path("/opt/data"), "Asterisk 22.1")
    lines = site_files.asterisk_conf(Path("/instance"), build).splitlines()
    assert lines[0] == "[directories]"  # `[directories](!)` would silently be ignored
    paths = [line.split(" = ")[1] for line in lines if line.startswith("ast")]
    assert [path for path in paths if not path.startswith("/instance")] == ["/opt/modules"]
    assert "live_dangerously = no" in lines


@pytest.mark.parametrize(
    ("name", "number"),
    [("a1]", "201"), ("A1", "201"), ("a1", "2"), ("a1", "20x"), ("", "201"), ("a1\n", "201")],
)
def test_a_phone_that_would_break_the_configuration_is_refused(name: str, number: str) -> None:
    with pytest.raises(ValueError, match="phone"):
        Phone(name, number)


def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(Phone("a1", "201", password="hush"))
    assert "hush" not in repr(AmiAccess("127.0.0.1", 5038, "ccserver", "hush"))


def test_a_made_up_password_is_long_and_new_each_time() -> None:
    first, second = (Phone("a1", "201").with_password().password for _ in range(2))
    assert first != second
    assert len(first) >= 20


def test_phones_get_number_hint_and_template() -> None:
    dialplan = site_files.extensions_conf({"CCSERVER_AGI": "127.0.0.1:10003"}, [Phone("a1", "201")])
    assert "exten => 201,hint,PJSIP/a1" in dialplan
    assert "exten => 201,1,Gosub(ccserver-ring,s,1(a1))" in dialplan
    assert "CCSERVER_AGI = 127.0.0.1:10003" in dialplan
    assert "ACD_BEAT" not in dialplan  # a reload would reset it
    endpoints = site_files.pjsip_conf(
        "127.0.0.1", PORTS, [Phone("a1", "201"), Phone("w1", "301", browser=True)]
    )
    assert "[a1](ccserver-phone)" in endpoints
    assert "[w1](ccserver-browser-phone)" in endpoints
    assert "match = 127.0.0.4" in endpoints


def test_only_the_common_account_unless_asked() -> None:
    ours = AmiAccess("127.0.0.1", 10_001, "ccserver", "one")
    text = site_files.manager_conf([ours])
    assert "secret = one" in text
    assert "read = all" not in text
    assert "write = all" in site_files.manager_conf([ours, AmiAccess("127.0.0.1", 10_001, "admin", "two")])


def test_files_with_secrets_are_for_our_eyes_only(tmp_path: Path) -> None:
    path = tmp_path / "manager.conf"
    path.write_text("old")
    path.chmod(0o644)
    site_files.write_private(path, "secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "secret"
