"""What can be typed after `ccserver`. Every command imports its work when it is called, and only then.

Exit codes: 0 done, 1 done but something was found (`doctor`, `replay`), 2 the operator's fault, in one line.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ccserver.cli.faults import EXIT_CODE, is_known

if TYPE_CHECKING:
    from ccserver.config import Config

app = typer.Typer(
    name="ccserver",
    help="A contact-centre server for Asterisk. Begin with `ccserver init DIR`, or look at `ccserver demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help is shown as written: markup would swallow "[agents.NAME]"
)
journal_app = typer.Typer(
    help="The journal of everything that happened.", no_args_is_help=True, rich_markup_mode=None
)
user_app = typer.Typer(help="People who log in.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(journal_app, name="journal")
app.add_typer(user_app, name="user")

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Main file; default: CCSERVER_CONFIG, else config/ccserver.toml."),
]


def main() -> None:
    """Run the command line."""
    try:
        app()
    except Exception as error:
        if not is_known(error):
            raise
        typer.echo(f"ccserver: {error}" if "\n" not in str(error) else str(error), err=True)
        sys.exit(EXIT_CODE)


def _load(file: Path | None) -> Config:
    from ccserver.config import load

    config = load(file)
    for warning in config.warnings:
        typer.echo(f"warning: {warning}", err=True)
    return config


@app.command()
def run(config: ConfigFile = None) -> None:
    """Start the server; Ctrl-C or SIGTERM ends it."""
    from ccserver.app import run as run_server

    raise typer.Exit(run_server(_load(config)))


@app.command()
def demo() -> None:
    """Start a whole invented contact centre, with callers.

    \b
    PORT=8090             another port for the pages
    DATABASE_URL=URL      PostgreSQL instead of the embedded database
    ASTERISK=HOST:PORT    the AMI of your own PBX (secrets: CCSERVER_PBX__DEMO__SECRET, …__FASTAGI_SECRET)
    DEMO=0                nobody calls, no robots, no logins shown
    HEADLESS=1            opens no browser
    """
    from ccserver.demo import main as run_demo

    raise typer.Exit(run_demo())


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or present folder.")]) -> None:
    """Copy configuration, dialplan and scripts into DIR. Secrets are made new; nothing is overwritten."""
    from ccserver.cli.initialise import initialise

    for line in initialise(folder):
        typer.echo(line)


@app.command(name="check-config")
def check_config(config: ConfigFile = None) -> None:
    """List what is wrong in the configuration. Scripts and dialogues are read too."""
    from ccserver.cli.check import summary

    typer.echo(summary(_load(config)))


@app.command()
def doctor(config: ConfigFile = None) -> None:
    """Look for what would keep the server from running well. Exit code 1 when something is found."""
    from ccserver.cli.doctor import examine

    findings = examine(config)
    for finding in findings:
        typer.echo(str(finding))
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


@app.command()
def explain(
    interaction: Annotated[
        str, typer.Argument(metavar="INTERACTION", help="Its id, as the API and the log show it.")
    ],
    language: Annotated[str, typer.Option(help="en or id.")] = "en",
    config: ConfigFile = None,
) -> None:
    """Say in words why an interaction went where it went."""
    from ccserver.cli.records import explained

    typer.echo(explained(_load(config), interaction, language))


@app.command()
def replay(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Folder of a journal; default: this site's.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Feed a journal to this release's router. Exit code 1 when it would decide otherwise anywhere."""
    from ccserver.cli.records import replayed

    result = replayed(folder or _load(config).journal_folder)
    typer.echo(result.words)
    if result.differences:
        raise typer.Exit(1)


@app.command()
def migrate(config: ConfigFile = None) -> None:
    """Bring the database to this release."""
    from ccserver.cli.records import migrated

    typer.echo(migrated(_load(config)))


@app.command(name="import")
def import_customers(
    file: Annotated[Path, typer.Argument(metavar="CSV", help="UTF-8, commas, a header line.")],
    config: ConfigFile = None,
) -> None:
    """Take customers from a CSV file, all or none.

    Columns: external_id and name; if you have them language, tier (a [worth.NAME]), worth_cents,
    churn_per_mille, since (2019-05-31), remarks, numbers and emails (several with ; between).
    A known external_id is changed.
    """
    from ccserver.cli.records import imported

    typer.echo(imported(_load(config), file))


@journal_app.command(name="export")
def journal_export(
    since: Annotated[int, typer.Option(metavar="N", help="Only records after this number.")] = 0,
    folder: Annotated[Path | None, typer.Option(help="Folder of a journal; default: this site's.")] = None,
    config: ConfigFile = None,
) -> None:
    """Write the journal as JSON lines with made-up names for agents and customers."""
    from ccserver.cli.records import exported

    for line in exported(folder or _load(config).journal_folder, since):
        typer.echo(line)


@user_app.command(name="add")
def user_add(
    login: Annotated[
        str, typer.Argument(metavar="LOGIN", help="Login name; for an agent the NAME of [agents.NAME].")
    ],
    role: Annotated[str, typer.Option(help="agent, supervisor or admin.")] = "agent",
    name: Annotated[str, typer.Option(help="Shown to others; default: from [agents.NAME].")] = "",
    language: Annotated[str, typer.Option(help="en or id; default: from [agents.NAME], or the site's.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input: its first line.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Add somebody who may log in; the password is asked for."""
    from ccserver.cli.people import added

    if password_stdin:
        password = sys.stdin.readline(1_000).rstrip("\r\n")
    else:
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    typer.echo(added(_load(config), login, role, name, language, password))
