"""``tracker worker`` and ``tracker beat``: the work in the background, on Celery."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from tracker import heartbeat, logs, wiring
from tracker import worker as background
from tracker.cli import Unusable
from tracker.cli.opening import load_settings
from tracker.cli.server import exposing
from tracker.database_url import without_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from celery import Celery

    from tracker.settings import Settings

    Jobs = Callable[[Settings], Iterable[str]]

_log = logging.getLogger("tracker")


@click.command()
@click.option("--concurrency", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes.")
def worker(concurrency: int) -> None:
    """Do the work that beat says is due. Run as many as you like."""
    run_worker(concurrency, background.job_names, background.open_ticks)


@click.command()
def beat() -> None:
    """Say every few seconds what is due. One is enough, more do no harm."""
    run_beat(background.job_names)


def run_worker(concurrency: int, jobs: Jobs, open_: Callable[[Settings], background.Tick]) -> None:
    """Make ticks of these jobs until SIGTERM; exit code 0 if all went well."""
    settings = load_settings()
    app = _app(settings, jobs, partial(open_, settings))
    with exposing(settings):
        code = background.work(app, concurrency)
    sys.exit(code)


def run_beat(jobs: Jobs) -> None:
    """Send ticks of these jobs until SIGTERM."""
    settings = load_settings()
    app = _app(settings, jobs, partial(background.open_ticks, settings))
    with exposing(settings):
        metrics = wiring.metrics(settings)
        background.beat(app, *([metrics.round_sent] if metrics else []))


def _app(settings: Settings, jobs: Jobs, open_: Callable[[], background.Tick]) -> Celery:
    url = settings.celery_broker_url
    if url is None:
        raise Unusable("CELERY_BROKER_URL is not given; without a broker the server does this work itself")
    logs.set_up(settings)
    if settings.heartbeat_file is not None:
        _show_that_we_get_on(settings.heartbeat_file)
    _log.info("meeting at %s", without_password(url))
    return background.celery_app(url, jobs(settings), open_)


def _show_that_we_get_on(file: Path) -> None:
    def touch(**_: object) -> None:
        heartbeat.touch(file)

    touch()
    background.alive.connect(touch, weak=False)
