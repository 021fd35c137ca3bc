"""Loading: a good file becomes a Config; a bad one is refused with file, line and what to write instead."""

from __future__ import annotations

import datetime as dt
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from ccserver.config import Config, ConfigError, load
from routing.model import Queue, Requirement

SECRETS = {"CCSERVER_PBX__MAIN__SECRET": "ami-secret", "CCSERVER_PBX__MAIN__FASTAGI_SECRET": "agi-secret"}
GOOD = """\
[site]
name = "Test"

[pbx.main]
host = "192.0.2.1"

[numbers."+62215550100"]
queue = "sales"
hours = "office"

[hours.office]
monday = ["08:00-12:00", "13:00-17:00"]
holidays = ["2026-01-05"]

[queues.sales]
label = { en = "Sales", id = "Penjualan" }
skills = { sales = 3, english = 1 }
wrap_up_s = 30

[agents.ayu]
name = "Ayu"
skills = { sales = 5, english = 2 }
device = "desk1"

[devices.desk1]
label = "Desk 1"
pbx = "main"
endpoint = "PJSIP/a1"

[reasons.lunch]
label = "Lunch"

[dispositions.sold]
label = "Sold"

[worth.gold]
label = "Gold"
stake_percent = 400
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ccserver.toml"
    path.write_text(GOOD, "utf-8")
    return path


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new), "utf-8")


def complaints(file: Path, environ: dict[str, str] | None = None) -> list[str]:
    """What is wrong, with the temporary folder's name taken out."""
    with pytest.raises(ConfigError) as caught:
        load(file, SECRETS | (environ or {}))
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem).replace(f"{file.parent}/", "") for problem in caught.value.problems]


def line_of(file: Path, text: str) -> int:
    return file.read_text("utf-8")[: file.read_text("utf-8").index(text)].count("\n") + 1


def test_a_good_file_becomes_a_config(file: Path) -> None:
    config = load(file, SECRETS)
    assert config.warnings == ()
    assert config.file == file
    assert config.folder == file.parent
    assert config.site.name == "Test"
    assert config.server.port == 8080
    assert config.server.data_dir == file.parent / "var"
    assert config.pbx["main"].id == "main"
    assert config.pbx["main"].secret.get_secret_value() == "ami-secret"
    assert config.fastagi.allow == (IPv4Network("127.0.0.0/8"),)
    assert config.queues["sales"].label.text("id") == "Penjualan"
    assert config.reasons["lunch"].label.text("id") == "Lunch"
    assert config.devices["desk1"].address == "main/PJSIP/a1"
    assert config.device_at("main/PJSIP/a1") is config.devices["desk1"]
    assert config.device_at("main/PJSIP/a2") is None


def test_a_config_cannot_be_changed(file: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(file, SECRETS).site.name = "Other"


def test_secrets_show_nowhere(file: Path) -> None:
    config = load(file, SECRETS | {"DATABASE_URL": "postgresql://u:topsecret@db/x"})
    shown = f"{config!r} {config} {config.model_dump_json()} {config.policy()!r}"
    assert "ami-secret" not in shown
    assert "agi-secret" not in shown
    assert "topsecret" not in shown


def test_the_policy_is_the_routers_and_its_hash_covers_all_of_it(file: Path) -> None:
    policy = load(file, SECRETS).policy()
    assert policy.queues == (
        Queue("sales", (Requirement("english", 1), Requirement("sales", 3)), wrap_up_s=30),
    )
    assert [(agent.id, agent.skills) for agent in policy.agents] == [("ayu", (("english", 2), ("sales", 5)))]
    assert policy.hash == load(file, SECRETS).policy().hash
    assert len(policy.hash) == 64
    changed = load(file, SECRETS | {"CCSERVER_ROUTING__LEASE_S": "61"}).policy()
    assert changed.lease_s == 61
    assert changed.hash != policy.hash


def test_the_environment_goes_before_the_file(file: Path) -> None:
    config = load(
        file,
        SECRETS
        | {
            "CCSERVER_SERVER__PORT": "9000",
            "CCSERVER_SERVER__DEMO": "true",
            "CCSERVER_SITE__NAME": "2026",
            "CCSERVER_FASTAGI__ALLOW": '["10.0.0.0/8"]',
            "CCSERVER_QUEUES__SALES__WRAP_UP_S": "45",
            "CCSERVER_QUEUES__SALES__LABEL__EN": "Shop",
            "CCSERVER_REASONS__LUNCH__LABEL__ID": "Makan",
            "CCSERVER_AGENTS__AYU__SKILLS": "{ sales = 9, english = 9 }",
            "CCSERVER_AGENTS__AYU__SKILLS__ENGLISH": "4",
            "CCSERVER_NUMBERS__62215550100__LANGUAGE": "id",
            "CCSERVER_CONFIG": "ignored when a path is given",
        },
    )
    assert (config.server.port, config.server.demo, config.site.name) == (9000, True, "2026")
    assert config.fastagi.allow == (IPv4Network("10.0.0.0/8"),)
    assert config.queues["sales"].wrap_up_s == 45
    assert config.queues["sales"].label.model_dump() == {"en": "Shop", "id": "Penjualan"}
    assert config.reasons["lunch"].label.model_dump() == {"en": "Lunch", "id": "Makan"}
    assert config.agents["ayu"].skills == {"sales": 9, "english": 4}
    assert config.numbers["+62215550100"].language == "id"


def test_the_file_is_found_by_the_environment(file: Path) -> None:
    assert load(environ=SECRETS | {"CCSERVER_CONFIG": str(file)}).file == file


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("sqlite:////tmp/x.db", "sqlite+aiosqlite:////tmp/x.db"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
    ],
)
def test_the_database_url_gets_its_driver(file: Path, url: str, wanted: str) -> None:
    assert load(file, SECRETS | {"DATABASE_URL": url}).database_url == wanted


def test_the_database_is_a_file_in_data_dir_by_default(file: Path) -> None:
    assert load(file, SECRETS).database_url == f"sqlite+aiosqlite:///{file.parent}/var/ccserver.db"


def test_the_sections_variable_goes_before_database_url(file: Path) -> None:
    environ = {"DATABASE_URL": "sqlite:///a.db", "CCSERVER_DATABASE__URL": "sqlite:///b.db"}
    assert load(file, SECRETS | environ).database_url == "sqlite+aiosqlite:///b.db"


def test_secret_files_are_read_and_warned_of_when_others_can_read_them(file: Path) -> None:
    change(file, "[pbx.main]", '[pbx.main]\nsecret_file = "s/ami"\nfastagi_secret_file = "s/agi"')
    (file.parent / "s").mkdir()
    for name, mode in (("ami", 0o600), ("agi", 0o644)):
        (file.parent / "s" / name).write_text(f"word-{name}\n")
        (file.parent / "s" / name).chmod(mode)
    config = load(file, {})
    assert config.pbx["main"].secret.get_secret_value() == "word-ami"
    assert config.pbx["main"].fastagi_secret.get_secret_value() == "word-agi"
    (warning,) = config.warnings
    assert warning.startswith(f"{file}:6: others can read")


def test_opening_hours_are_the_sites(file: Path) -> None:
    office = load(file, SECRETS).hours["office"]
    monday = dt.datetime(2026, 1, 12, 0, 0)
    moments = {"07:59": False, "08:00": True, "12:00": False, "16:59": True, "17:00": False}
    for moment, is_open in moments.items():
        hour, minute = map(int, moment.split(":"))
        assert office.open_at(monday.replace(hour=hour, minute=minute)) is is_open, moment
    assert not office.open_at(dt.datetime(2026, 1, 5, 9, 0)), "a holiday"
    assert not office.open_at(dt.datetime(2026, 1, 13, 9, 0)), "a Tuesday"


def test_midnight_is_the_sites(file: Path) -> None:
    site = load(file, SECRETS).site
    now = dt.datetime(2026, 1, 5, 18, 30, tzinfo=dt.UTC)  # 01:30 on the 6th in Jakarta
    assert site.midnight_before(now) == dt.datetime(2026, 1, 5, 17, 0, tzinfo=dt.UTC)
    new_york = load(file, SECRETS | {"CCSERVER_SITE__TIME_ZONE": "America/New_York"}).site
    after_spring_forward = dt.datetime(2026, 3, 8, 20, 0, tzinfo=dt.UTC)
    assert new_york.midnight_before(after_spring_forward) == dt.datetime(2026, 3, 8, 5, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("dialled", ["+62215550100", "0215550100", "62215550100", "(021) 555-0100"])
def test_a_number_is_known_in_every_form(file: Path, dialled: str) -> None:
    config = load(file, SECRETS)
    assert config.number_for(dialled) is config.numbers["+62215550100"]


@pytest.mark.parametrize("dialled", ["", "anonymous", "+", "x" * 500, "02155501000", "\xff\x00"])
def test_other_numbers_are_none_of_ours(file: Path, dialled: str) -> None:
    assert load(file, SECRETS).number_for(dialled) is None


def test_the_stake_follows_the_tier(file: Path) -> None:
    config = load(file, SECRETS)
    assert config.stake_cents("gold") == 20_000
    assert config.stake_cents("never heard of") == 5_000


# fmt: off
FAULTS = [  # what is written, instead of what, where the complaint points, and its words
    (
        '[site]\nname = "Test"',
        '[site]\nnmae = "T"',
        "nmae",
        'unknown key "nmae" in [site]; did you mean "name"',
    ),
    ("[site]", "[sit]", "[sit]", "unknown section [sit]; did you mean [site]?"),
    (
        "[site]",
        "colour = 1\n[site]",
        "colour",
        'unknown key "colour" outside any section; known',
    ),
    (
        "wrap_up_s = 30",
        'wrap_up_s = "30"',
        "wrap_up_s",
        "queues.sales.wrap_up_s must be a whole number",
    ),
    (
        "wrap_up_s = 30",
        "wrap_up_s = true",
        "wrap_up_s",
        "queues.sales.wrap_up_s must be a whole number",
    ),
    (
        "wrap_up_s = 30",
        "wrap_up_s = 3.5",
        "wrap_up_s",
        "queues.sales.wrap_up_s must be a whole number",
    ),
    ("wrap_up_s = 30", "wrap_up_s = -1", "wrap_up_s", "queues.sales.wrap_up_s must be at least 0, not -1"),
    (
        "wrap_up_s = 30",
        "wrap_up_s = 90000",
        "wrap_up_s",
        "wrap_up_s must be at most 86400, not 90000",
    ),
    ("wrap_up_s = 30", "transfer_only = 1", "transfer", "queues.sales.transfer_only must be true or false"),
    ("wrap_up_s = 30", "id = 7", "id = 7", 'unknown key "id" in [queues.sales]; known are:'),
    ('name = "Ayu"', "name = 5", "name = 5", "agents.ayu.name must be text in quotes, not 5"),
    ('name = "Ayu"', 'name = ""', 'name = ""', "agents.ayu.name must be at least 1 character long"),
    ('name = "Ayu"\n', "", "[agents.ayu]", '[agents.ayu] lacks "name"; add a line name = …'),
    ('name = "Test"', 'region = "XX"', "region", 'site.region: "XX" is no ISO 3166 country code'),
    ('name = "Test"', 'time_zone = "Mars"', "time_zone", 'site.time_zone: "Mars" is no IANA time zone'),
    ('name = "Test"', 'time_zone = "../x"', "time_zone", 'site.time_zone: "../x" is no IANA time zone'),
    ('name = "Test"', 'currency = "rp"', "currency", 'site.currency: "rp" is no currency'),
    ('name = "Test"', 'language = "de"', "language", "site.language must be one of 'en' or 'id', not \"de\""),
    ('"08:00-12:00"', '"8-12"', "monday", 'hours.office.monday: "8-12" is no span of a day'),
    ('"08:00-12:00"', '"12:00-08:00"', "monday", 'monday: "12:00-08:00" is no span of a day'),
    ('"2026-01-05"', '"5.1."', "holidays", 'hours.office.holidays: "5.1." is no date'),
    (
        "PJSIP/a1",
        "PJSIP/a1&PJSIP/a2",
        "endpoint",
        'endpoint: "PJSIP/a1&PJSIP/a2" is no endpoint',
    ),
    ('queue = "sales"', 'queue = "sale"', "queue =", 'there is no [queues.sale]; did you mean "sales"?'),
    ('hours = "office"', 'hours = "night"', "hours =", "there is no [hours.night]; known are: office"),
    (
        'device = "desk1"',
        'device = "desk2"',
        "device =",
        'there is no [devices.desk2]; did you mean "desk1"',
    ),
    ('pbx = "main"', 'pbx = "mian"', "pbx =", 'there is no [pbx.mian]; did you mean "main"?'),
    ("english = 1", "englich = 1", "skills", 'no agent has the skill "englich"; did you mean "english"?'),
    ("sales = 3", "sales = 6", "skills", 'no agent has the skill "sales" at level 6; the best has 5'),
    ("sales = 3", "sales = 11", "skills", "queues.sales.skills.sales must be at most 10, not 11"),
    ('"+62215550100"', '"rocket"', "[numbers", '"rocket" is no number'),
    ("[reasons.lunch]", '[reasons."a b"]', "[reasons", '"a b" is no name; use letters'),
    ("[devices.desk1]", "[queues.sales]\n[devices.desk1]", "[queues.sales]\n[dev", "no TOML: Cannot declare"),
    ("[pbx.main]", "[pbx.main", "[pbx.main", "no TOML: "),
    ("[pbx.main]", '[pbx.main]\nsecret = "hush"', "secret", "a secret does not belong in this file"),
    ("[pbx.main]", '[pbx.main]\ntls_ca = "no.pem"', "tls_ca", "tls_ca: there is no file "),
    (
        "[site]",
        '[server]\nhost = "0.0.0.0"\n[site]',
        "host",
        "plain HTTP on 0.0.0.0 would send",
    ),
    ("[site]", "[server]\nport = 4573\n[site]", "[site]", "fastagi.port = 4573 is server.port already"),
    (
        "[site]",
        '[database]\nurl = "postgresql://u:pw@h/d"\n[site]',
        "url",
        "a password does not belong in this file",
    ),
    ("[site]", '[blocked]\nnumbers = ["0812"]\n[site]', "numbers", '"0812" is no E.164 number'),
    ("[site]", '[fastagi]\nallow = ["me"]\n[site]', "allow", '"me" is no network'),
    ("[site]", '[scripts]\nfolder = "nowhere"\n[site]', "folder", "there is no folder"),
    ("[site]", '[fastagi]\ndialogue_folder = "no"\n[site]', "dialogue_folder", "there is no folder"),
    ("wrap_up_s = 30", 'script = "sails"', "script", 'there is no script "sails"; did you mean "sales"'),
    ('hours = "office"', 'dialogue = "identity"', "dialogue", 'there is no dialogue "identity"; did you'),
    ("[site]", 'include = "a.toml"\n[site]', "include", "include must be a list"),
    ("[site]", 'include = ["a.toml"]\n[site]', "include", "cannot read a.toml: No such file"),
    ("[site]", "server = 5\n[site]", "server = 5", "server must be a table of keys and values, not 5"),
    (
        "[site]",
        "worth.gold2 = 5\n[site]",
        "worth.gold2",
        "worth.gold2 must be a table of keys and values, not 5",
    ),
]


@pytest.mark.parametrize(("old", "new", "at", "words"), FAULTS, ids=[fault[1] for fault in FAULTS])
def test_a_fault_is_named_with_file_line_and_remedy(
    file: Path, old: str, new: str, at: str, words: str
) -> None:
    change(file, old, new)
    found = complaints(file)
    line = 1 if "fastagi.port" in words else line_of(file, at)
    assert len(found) == 1, found
    assert found[0].startswith(f"ccserver.toml:{line}: "), found[0]
    assert words in found[0]
    assert "hush" not in found[0]
    assert ":pw@" not in found[0]


def test_several_faults_are_listed_at_once(file: Path) -> None:
    change(file, 'name = "Test"', 'nmae = "Test"')
    change(file, "wrap_up_s = 30", 'wrap_up_s = "long"')
    assert [complaint.split(": ")[0] for complaint in complaints(file)] == [
        "ccserver.toml:2",
        f"ccserver.toml:{line_of(file, 'wrap_up_s')}",
    ]


def test_a_queue_that_no_number_leads_to_is_refused_unless_for_transfers(file: Path) -> None:
    file.write_text(GOOD + '[queues.second]\nlabel = "Second"\n', "utf-8")
    (found,) = complaints(file)
    assert 'no number leads to queue "second"' in found
    assert "transfer_only = true" in found
    file.write_text(GOOD + '[queues.second]\nlabel = "Second"\ntransfer_only = true\n', "utf-8")
    assert load(file, SECRETS).queues["second"].transfer_only


def test_skills_that_no_single_agent_has_together_are_refused(file: Path) -> None:
    file.write_text(
        GOOD
        + '[agents.budi]\nname = "Budi"\nskills = { dutch = 5 }\n'
        + '[queues.nl]\nlabel = "NL"\ntransfer_only = true\nskills = { dutch = 1, sales = 1 }\n',
        "utf-8",
    )
    (found,) = complaints(file)
    assert "no agent has all of dutch 1, sales 1" in found


def test_one_phone_is_one_device_and_one_number_is_one_door(file: Path) -> None:
    file.write_text(
        GOOD
        + '[devices.desk9]\nlabel = "9"\npbx = "main"\nendpoint = "PJSIP/A1"\n'
        + '[numbers."0215550100"]\nqueue = "sales"\n',
        "utf-8",
    )
    found = "\n".join(complaints(file))
    assert "is already [devices.desk1]" in found
    assert '"0215550100" is the same number as [numbers."+62215550100"]' in found


def test_missing_secrets_are_asked_for(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert [problem.message.split(",")[0] for problem in caught.value.problems] == [
        '[pbx.main] needs secret_file = "secrets/main-secret"',
        '[pbx.main] needs fastagi_secret_file = "secrets/main-fastagi_secret"',
    ]


@pytest.mark.parametrize("content", [b"", b"two\nlines", b"\xff\xfe", b"x" * 2000])
def test_a_secret_file_must_hold_one_line(file: Path, content: bytes) -> None:
    change(file, "[pbx.main]", '[pbx.main]\nsecret_file = "ami"')
    (file.parent / "ami").write_bytes(content)
    environ = {"CCSERVER_PBX__MAIN__FASTAGI_SECRET": "x"}
    with pytest.raises(ConfigError, match="must hold one line"):
        load(file, environ)


VARIABLES = [
    ("CCSERVER_SERVR__PORT", "1", 'unknown key "SERVR"; did you mean "server"?'),
    ("CCSERVER_SERVER__PRT", "1", 'unknown key "PRT"; did you mean "port"?'),
    (
        "CCSERVER_QUEUES__SALE__WRAP_UP_S",
        "1",
        'there is no [queues.sale] in the files; did you mean "sales"?',
    ),
    ("CCSERVER_SERVER__PORT", "http", 'server.port must be a whole number without quotes, not "http"'),
    ("CCSERVER_SERVER__PORT__X", "1", 'unknown key "X"; there is none'),
    ("CCSERVER_SERVER__HOST", "::", "plain HTTP on :: would send passwords in clear"),
]


@pytest.mark.parametrize(("variable", "value", "words"), VARIABLES, ids=[entry[0] for entry in VARIABLES])
def test_a_fault_in_the_environment_names_the_variable(
    file: Path, variable: str, value: str, words: str
) -> None:
    (found,) = complaints(file, {variable: value})
    assert found == f"environment variable {variable}: {words}" or (
        found.startswith(f"environment variable {variable}: ") and words in found
    )


def test_included_files_stand_beside_the_main_one(file: Path) -> None:
    change(file, "[site]", 'include = ["more.toml"]\n[site]')
    more = file.parent / "more.toml"
    more.write_text('[agents.budi]\nname = "Budi"\n[announce]\nevery_s = 9\n', "utf-8")
    config = load(file, SECRETS)
    assert list(config.agents) == ["ayu", "budi"]
    assert config.announce.every_s == 9
    more.write_text('\n[agents.ayu]\nname = "Ayu"\n[site]\nname = "B"\n[queues.sales.oops]\n', "utf-8")
    found = complaints(file)
    assert len(found) == 3
    assert found[0].startswith("more.toml:2: [agents.ayu] is already at ")
    assert found[1].startswith("more.toml:4: [site] is already at ")
    assert found[2].startswith("more.toml:6: [queues.sales] is already at ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = 1\n\xff", ":2: not UTF-8"),
        (b"a = 1\nb = [\n", ":2: no TOML"),
        (b"a = " + b"[" * 5000, ":1: no TOML"),
        (b"#" * 4_000_001, "larger than"),
    ],
)
def test_what_is_no_toml_is_refused(file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    (found,) = complaints(file)
    assert words in found


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"cannot read .*none.toml: No such.*ccserver init DIR"
    ) as caught:
        load(tmp_path / "none.toml", {})
    assert len(caught.value.problems) == 1


def test_what_is_probably_not_meant_is_a_warning(file: Path) -> None:
    text = GOOD[: GOOD.index("[reasons.lunch]")]
    file.write_text(text, "utf-8")
    assert [warning.split("yet: ")[1] for warning in load(file, SECRETS).warnings] == [
        "agents cannot say why they are not ready",
        "agents cannot say what came of a conversation",
    ]


ROOT = Path(__file__).resolve().parents[2]


def test_the_shipped_configuration_wants_only_its_secrets() -> None:
    assert_loads(ROOT / "config" / "ccserver.toml", "MAIN")


def test_the_demo_configuration_is_good_and_has_six_agents_and_two_queues() -> None:
    config = assert_loads(ROOT / "config" / "demo" / "ccserver.toml", "DEMO")
    assert config.server.demo
    assert (len(config.queues), len(config.agents)) == (2, 6)


def assert_loads(file: Path, pbx: str) -> Config:
    config = load(file, {f"CCSERVER_PBX__{pbx}__{key}": "x" for key in ("SECRET", "FASTAGI_SECRET")})
    assert config.warnings == ()
    return config
