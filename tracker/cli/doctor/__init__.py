"""``tracker doctor``: what is configured, what answers, and what to do about the rest. One module for each subject."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click
import orjson

from tracker.cli.doctor import (
    broker,
    clocks,
    configuration,
    contract,
    database,
    disk,
    exposure,
    files,
    keys,
    machine,
    mail,
    redis,
    server,
)
from tracker.cli.doctor.findings import Finding, Verdict, look_at_all
from tracker.domain.refusals import Refusal
from tracker.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.settings import Settings

LOOKS = (
    *keys.LOOKS,
    *database.LOOKS,
    *redis.LOOKS,
    *broker.LOOKS,
    *clocks.LOOKS,
    *mail.LOOKS,
    *server.LOOKS,
    *contract.LOOKS,
    *exposure.LOOKS,
    *files.LOOKS,
    *disk.LOOKS,
    *machine.LOOKS,
)


@click.command()
@click.option(
    "--repair",
    is_flag=True,
    help="First bring the schema up to date, and settle what a crash left half done in a MongoDB without transactions.",
)
@click.option("--json", "as_json", is_flag=True, help="Print {ok, settings, findings: [{verdict, subject, text}]}.")
def doctor(*, repair: bool, as_json: bool) -> None:
    """Say what is configured, what answers, and what to do about the rest. Exit code 1 if something is bad."""
    settings, findings, broken = configuration.read()
    if settings is not None:
        findings += [_repaired(settings)] if repair and not broken else []
        findings += look_at_all([look for look in LOOKS if not look.needs & broken], settings)
    shown = {} if settings is None or broken else dict(settings.shown())
    (_print_json if as_json else _print)(shown, findings)
    sys.exit(any(finding.verdict is Verdict.BAD for finding in findings))


def _print(shown: dict[str, str], findings: Sequence[Finding]) -> None:
    for name, value in shown.items():
        click.echo(f"      {name} = {value}")
    for finding in findings:
        click.echo(f"{finding.verdict:<5} {finding.subject}: {finding.text}")


def _print_json(shown: dict[str, str], findings: Sequence[Finding]) -> None:
    listed = [
        {"verdict": finding.verdict.lower(), "subject": finding.subject, "text": finding.text} for finding in findings
    ]
    well = not any(finding.verdict is Verdict.BAD for finding in findings)
    made = orjson.dumps({"ok": well, "settings": shown, "findings": listed}, option=orjson.OPT_INDENT_2)
    click.echo(made.decode())


def _repaired(settings: Settings) -> Finding:
    try:
        with closing(open_store(settings, connections=1)) as store:
            store.migrate()
    except Refusal as refusal:
        return Finding(Verdict.BAD, "repair", refusal.detail)
    return Finding(Verdict.GOOD, "repair", "the schema is up to date, and nothing is half done")
