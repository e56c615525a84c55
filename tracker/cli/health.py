"""``tracker health``: what probes and health checks run every few seconds, so it reads three settings and no more."""

from __future__ import annotations

from pathlib import Path

import click

from tracker import heartbeat
from tracker.cli import Refused, Unusable
from tracker.cli.probe import base_url, resolved, status_of
from tracker.environment import Misconfigured, given

_OK = 200
# As settings.py has them, which takes ten times as long to import as all that is done here.
DEFAULTS = {"host": "127.0.0.1", "port": "8000"}


@click.command()
@click.option("--ready", is_flag=True, help="Whether it is ready for requests, too.")
@click.option("--heartbeat", "listens_nowhere", is_flag=True, help="Of a worker or a beat, by its HEARTBEAT_FILE.")
def health(*, ready: bool, listens_nowhere: bool) -> None:
    """Say whether the server on this machine is alive, or a worker or a beat; exit code 1 if not."""
    try:
        settings = DEFAULTS | given([*DEFAULTS, "heartbeat_file"])
    except Misconfigured as wrong:
        raise Unusable(str(wrong)) from None
    if listens_nowhere:
        _look_at(settings.get("heartbeat_file"))
    else:
        _ask(settings["host"], settings["port"], "/readyz" if ready else "/livez")


def _look_at(name: str | None) -> None:
    if name is None:
        raise Unusable("HEARTBEAT_FILE is not given")
    age = heartbeat.age(Path(name))
    if age is None:
        raise Refused("HEARTBEAT_FILE is not there: no worker and no beat has touched it")
    if age > heartbeat.FRESH:
        raise Refused(f"HEARTBEAT_FILE was touched {age:.0f} seconds ago: whoever does so is stuck, or gone")
    click.echo(f"got on {max(age, 0):.0f} seconds ago")


def _ask(host: str, port: str, path: str) -> None:
    if not (port.isascii() and port.isdecimal()):
        raise Unusable("PORT must be a number")
    url = base_url(resolved(host), int(port))
    status = status_of(url, path)
    if status != _OK:
        raise Refused(f"{url}{path} answers {status}" if status else f"nothing answers at {url}")
    click.echo(f"{url}{path} answers {status}")
