"""The command line. Each command is imported when it is asked for, so that ``tracker --help`` costs next to nothing."""

from __future__ import annotations

import importlib
import keyword
import sys
import warnings
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from typing import Any

COMMANDS = {  # name -> (module, what it does, in a line)
    "serve": ("tracker.cli.serve", "Migrate the database, then answer requests."),
    "demo": ("tracker.cli.serve", "Serve a throw-away database full of lifelike tasks."),
    "worker": ("tracker.cli.worker", "Do the work that is due, through a broker (CELERY_BROKER_URL)."),
    "beat": ("tracker.cli.worker", "Say every few seconds what is due, through that broker."),
    "migrate": ("tracker.cli.serve", "Bring the database's schema up to date."),
    "user": ("tracker.cli.accounts", "Create users, change their role, shut them out, let them back in."),
    "token": ("tracker.cli.accounts", "Print an access token for a user."),
    "doctor": ("tracker.cli.doctor", "Say what is configured, what answers, and what to do about the rest."),
    "health": ("tracker.cli.health", "Say whether the server is alive, or a worker or a beat; for probes."),
    "backup": ("tracker.cli.backup", "Copy the SQLite database to a file while the server goes on."),
    "restore": ("tracker.cli.backup", "Put such a file in the place of the SQLite database."),
    "export": ("tracker.cli.transfer", "Write everything that is kept into a file, from any database."),
    "import": ("tracker.cli.transfer", "Read such a file into an empty database, of any kind."),
    "jobs": ("tracker.cli.jobs", "Show what happened by itself, or have it happen now."),
    "settings": ("tracker.cli.listing", "List the settings, their defaults and what they mean."),
    "openapi": ("tracker.cli.document", "Print the OpenAPI document, or check it."),
}


class Refused(click.ClickException):
    """What a command cannot do, said in one line; exit code 1."""

    def show(self, file: Any = None) -> None:
        click.echo(f"tracker: {self.message}", file=file, err=True)


class Unusable(Refused):
    """Settings that cannot be used; exit code 2, as for a wrong option."""

    exit_code = 2


class Commands(click.Group):
    """A group that knows what each command is for without having imported it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), name)
        assert isinstance(command, click.Command)  # noqa: S101 - a programming error, not input
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose) for name, (_, purpose) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def tracker() -> None:
    """Tracker: a self-hosted, OpenAPI-first task-tracking API."""


def main() -> None:
    """Run the command line. Warnings are for whoever works on Tracker: ``python -W default -m tracker`` shows them."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    tracker(prog_name="tracker")
