"""``tracker doctor``: what is configured, what answers, and what to do about the rest."""

from __future__ import annotations

import stat
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import click

from tracker.cli.probe import base_url, resolved, status_of
from tracker.domain import clock
from tracker.domain.refusals import Refusal
from tracker.edge.shared_redis import SharedRedis
from tracker.environment import Misconfigured
from tracker.keys import WEAK_BELOW, Key
from tracker.settings import Settings, is_loopback, sqlite_file, without_password
from tracker.wiring import jobs, open_store
from tracker.worker import broker_answers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracker.store.contract import Reader

_OK = 200
_SILENCE = timedelta(minutes=5)  # the rarest of those jobs that leave a run each time runs every minute
_DISTINCT = 12  # fewer different characters in a key were hardly made by a random generator


class Verdict(StrEnum):
    """How a finding is: ``bad`` ends with exit code 1, a ``note`` does not."""

    GOOD = "ok"
    NOTE = "note"
    BAD = "BAD"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, and what to do about it where there is something to do."""

    verdict: Verdict
    subject: str
    text: str


@click.command()
@click.option(
    "--repair",
    is_flag=True,
    help="First bring the schema up to date, and settle what a crash left half done in a MongoDB without transactions.",
)
def doctor(*, repair: bool) -> None:
    """Say what is configured, what answers, and what to do about the rest. Exit code 1 if something is bad."""
    try:
        settings = Settings()
    except Misconfigured as wrong:
        findings = [Finding(Verdict.BAD, "settings", str(wrong))]
    else:
        for name, value in settings.shown():
            click.echo(f"      {name} = {value}")
        repaired = [_repaired(settings)] if repair else []
        findings = [*repaired, *_findings(settings)]
    for finding in findings:
        click.echo(f"{finding.verdict:<5} {finding.subject}: {finding.text}")
    sys.exit(any(finding.verdict is Verdict.BAD for finding in findings))


def _findings(settings: Settings) -> Iterator[Finding]:
    yield _secret(settings)
    yield from _keys(settings)
    yield from _database(settings)
    if settings.redis_url is not None:
        yield _redis(settings.redis_url)
    if settings.celery_broker_url is not None:
        yield _broker(settings.celery_broker_url)
    yield _server(settings)
    if settings.development and not is_loopback(settings.host):
        yield Finding(
            Verdict.NOTE, "HOST", "others can reach a development server; set TRACKER_ENV=production for them"
        )
    if not settings.auth_enable:
        yield Finding(Verdict.NOTE, "AUTH_ENABLE", "whoever reaches this port is an administrator; remove it when done")


def _secret(settings: Settings) -> Finding:
    key = settings.secret_key.get_secret_value()
    if settings.key_is_weak:
        return Finding(Verdict.NOTE, "SECRET_KEY", f"shorter than {WEAK_BELOW} bytes: production will refuse it")
    if _is_typed(key):
        return Finding(Verdict.BAD, "SECRET_KEY", "long, but not random; make one with: openssl rand -base64 48")
    return Finding(Verdict.GOOD, "SECRET_KEY", f"{len(key.encode())} bytes")


def _keys(settings: Settings) -> Iterator[Finding]:
    ring = settings.key_ring
    yield Finding(Verdict.GOOD, "signing key", _described(ring.signing))
    if _others_read(settings.signing_key_file):
        advice = "everybody on this machine can read it; chmod 600, and change the key if somebody may have"
        yield Finding(Verdict.NOTE, "SIGNING_KEY_FILE", advice)
    if any(_is_typed(key.get_secret_value()) for key in settings.old_secret_keys):
        yield Finding(Verdict.BAD, "OLD_SECRET_KEYS", "long, but not random: whoever guesses one can make tokens")
    if others := ring.all[1:]:
        kept = "; ".join(_described(key) for key in others)
        minutes = settings.access_token_expire_minutes
        advice = f"an old one can go {minutes} minutes after it last signed"
        yield Finding(Verdict.NOTE, "other keys", f"{len(others)} verify and sign nothing ({advice}): {kept}")


def _described(key: Key) -> str:
    return f"{key.algorithm} ({key.strength}), kid {key.kid}"


def _is_typed(key: str) -> bool:
    return len(set(key)) < _DISTINCT


def _others_read(file: Path | None) -> bool:
    return file is not None and bool(file.stat().st_mode & stat.S_IROTH)


def _database(settings: Settings) -> Iterator[Finding]:
    place, file = without_password(settings.database_url), sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        yield Finding(Verdict.BAD, "database", f"{place} does not exist yet; make it with: tracker migrate")
        return
    try:
        with closing(open_store(settings, connections=1)) as store:
            store.ping()
            by_itself = _jobs(settings, store)
    except Refusal as refusal:
        advice = "if it is down, start it; if it is elsewhere, mend DATABASE_URL; if it is old, run: tracker migrate"
        yield Finding(Verdict.BAD, "database", f"{place}: {refusal.detail} ({advice})")
        return
    yield Finding(Verdict.GOOD, "database", f"{place} answers, its schema is up to date")
    yield by_itself


def _jobs(settings: Settings, store: Reader) -> Finding:
    begun = [run.started_at for job in jobs(settings) for run in store.job_runs(job.name, limit=1)]
    if begun and clock.now() - max(begun) < _SILENCE:
        return Finding(Verdict.GOOD, "jobs", "what is to happen by itself happens")
    who = "tracker beat and tracker worker" if settings.celery_broker_url else "tracker serve"
    since = f"since {max(begun):%Y-%m-%d %H:%M}Z" if begun else "yet"
    return Finding(Verdict.NOTE, "jobs", f"nothing has happened by itself {since}; that takes: {who}")


def _repaired(settings: Settings) -> Finding:
    try:
        with closing(open_store(settings, connections=1)) as store:
            store.migrate()
    except Refusal as refusal:
        return Finding(Verdict.BAD, "repair", refusal.detail)
    return Finding(Verdict.GOOD, "repair", "the schema is up to date, and nothing is half done")


def _redis(url: str) -> Finding:
    if not SharedRedis(url).answers():
        advice = "until it does, each process counts and remembers by itself; start it, or mend REDIS_URL"
        return Finding(Verdict.BAD, "redis", f"{without_password(url)} does not answer ({advice})")
    return Finding(Verdict.GOOD, "redis", f"{without_password(url)} answers")


def _broker(url: str) -> Finding:
    if not broker_answers(url):
        advice = "until it does, nothing is done in the background; start it, or mend CELERY_BROKER_URL"
        return Finding(Verdict.BAD, "broker", f"{without_password(url)} does not answer ({advice})")
    return Finding(Verdict.GOOD, "broker", f"{without_password(url)} answers")


def _server(settings: Settings) -> Finding:
    url = base_url(resolved(settings.host), settings.port)
    status = status_of(url, "/readyz")
    if status is None:
        return Finding(Verdict.NOTE, "server", f"nothing answers at {url}; start it with: tracker serve")
    if status != _OK:
        return Finding(Verdict.BAD, "server", f"{url}/readyz answers {status}; its log says why")
    return Finding(Verdict.GOOD, "server", f"{url} is ready")
