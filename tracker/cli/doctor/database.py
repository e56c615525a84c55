"""The database: whether it answers, at which step its schema is, and whether things happen by themselves."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.database_url import sqlite_file, without_password
from tracker.domain import clock
from tracker.domain.refusals import Refusal, Unavailable
from tracker.wiring import jobs, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.settings import Settings
    from tracker.store.contract import Reader

_SILENCE = timedelta(minutes=5)  # the rarest of those jobs that leave a run each time runs every minute


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
        yield Finding(Verdict.BAD, "database", f"{place}: {refusal.detail}{_advice(refusal)}")
        return
    yield Finding(Verdict.GOOD, "database", f"{place} answers, its schema is up to date")
    yield by_itself


def _advice(refusal: Refusal) -> str:
    if refusal.detail == Unavailable.detail:
        return " (if it is down, start it; if it is elsewhere, mend DATABASE_URL)"
    return " (with: tracker migrate)" if refusal.detail.endswith("run the migrations.") else ""


def _jobs(settings: Settings, store: Reader) -> Finding:
    begun = [run.started_at for job in jobs(settings) for run in store.job_runs(job.name, limit=1)]
    if begun and clock.now() - max(begun) < _SILENCE:
        return Finding(Verdict.GOOD, "jobs", "what is to happen by itself happens")
    who = "tracker beat and tracker worker" if settings.celery_broker_url else "tracker serve"
    since = f"since {max(begun):%Y-%m-%d %H:%M}Z" if begun else "yet"
    return Finding(Verdict.NOTE, "jobs", f"nothing has happened by itself {since}; that takes: {who}")


LOOKS = (Look("database", _database, frozenset({"DATABASE_URL", "MONGO_DB"})),)
