"""``tracker serve``, ``migrate`` and ``demo``."""

from __future__ import annotations

import logging
import signal
import sys
import tempfile

import click

from tracker.app import passwords, tokens
from tracker.cli.opening import load_settings, migrated_store
from tracker.cli.probe import resolved
from tracker.cli.server import free_port, is_free, listen
from tracker.database_url import without_password
from tracker.demo import PASSWORD, PEOPLE, Demo, seed
from tracker.environment import hand_down, is_given
from tracker.settings import Environment

_log = logging.getLogger("tracker")


@click.command()
@click.option("--host", help="The address to listen at; the setting HOST if not given.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen at; the setting PORT if not given.")
@click.option("--workers", type=click.IntRange(1, 64), help="How many processes; the setting WORKERS if not given.")
@click.option("--development", is_flag=True, help="Run for development, unless TRACKER_ENV says otherwise.")
def serve(*, development: bool, **options: str | int | None) -> None:
    """Migrate the database, then answer requests."""
    hand_down(**{name: value for name, value in options.items() if value is not None})
    if development and not is_given("TRACKER_ENV"):
        hand_down(tracker_env=Environment.DEVELOPMENT)
    settings = load_settings()
    with migrated_store(settings):
        pass  # nothing stays open across the fork

    def tell(url: str) -> None:
        database = without_password(settings.database_url)
        _log.info("ready: %s (docs: %s/docs), %s workers, %s", url, url, settings.workers, database)

    if settings.key_is_weak:
        click.echo("tracker: SECRET_KEY is short; in production it would be refused", err=True)
    listen(settings, when_alive=tell)


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    settings = load_settings()
    with migrated_store(settings) as store:
        store.ping()
    click.echo(f"The schema of {without_password(settings.database_url)} is up to date.")


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen at; a free one if PORT is taken.")
def demo(port: int | None) -> None:
    """Serve a throw-away database full of lifelike tasks."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder goes also when we are stopped early
    with tempfile.TemporaryDirectory(prefix="tracker-demo-") as folder:
        _prepare_demo(folder, port)
        settings = load_settings()
        with migrated_store(settings) as store:
            made = seed(store, passwords(settings), tokens(settings))
        listen(settings, when_alive=lambda url: click.echo(_welcome(made, url)))


def _prepare_demo(folder: str, port: int | None) -> None:
    comforts = {"TRACKER_ENV": Environment.DEVELOPMENT, "ACCESS_TOKEN_EXPIRE_MINUTES": 1440}
    logins = ",".join(f"{name}:{PASSWORD}" for name in PEOPLE)
    hand_down(database_url=f"sqlite:///{folder}/tracker.db", demo_logins=logins)
    hand_down(**{name: value for name, value in comforts.items() if not is_given(name)})
    settings = load_settings()
    address = resolved(settings.host)
    if port is None and not is_given("PORT") and not is_free(address, settings.port):
        port = free_port(address)
    hand_down(port=port or settings.port)


def _welcome(made: Demo, url: str) -> str:
    logins = "   ".join(f"{name} / {password} ({role})" for name, password, role in made.logins)
    return f"""
A demo with {made.projects} projects and {made.tasks} tasks; all of it goes when you stop it (Ctrl-C).

  Try it    {url}/docs (it offers these logins)
  Read it   {url}/reference
  Login     {logins}
  Token     {made.token}
  Calendar  {url}{made.calendar}

  curl -s -H 'Authorization: Bearer {made.token}' '{url}/tasks?limit=3'
"""
