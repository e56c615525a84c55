"""The clock of this machine against those of the servers it works with: tokens and deadlines are compared with it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.cli.doctor.redis import client
from tracker.database_url import sqlite_file
from tracker.store.sql.engine import open_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracker.settings import Settings

_NOTED, _BAD = timedelta(seconds=2), timedelta(seconds=30)


def _clock_of_database(settings: Settings) -> Iterator[Finding]:
    url = settings.database_url
    if sqlite_file(url) is None and not url.startswith("mongodb"):
        yield from compared("the database", lambda: _now_in_postgresql(url))


def _clock_of_redis(settings: Settings) -> Iterator[Finding]:
    if settings.redis_url is not None:
        url = settings.redis_url
        yield from compared("Redis", lambda: _now_in_redis(url))


def _now_in_postgresql(url: str) -> datetime:
    engine = open_engine(url, connections=1)
    try:
        with engine.connect() as connection:
            seconds = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
    finally:
        engine.dispose()
    return datetime.fromtimestamp(float(seconds), UTC)


def _now_in_redis(url: str) -> datetime:
    with closing(client(url)) as redis:
        seconds, microseconds = redis.time()  # type: ignore[misc]  # that of the client for asyncio is typed alike
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)


def compared(whose: str, ask: Callable[[], datetime]) -> Iterator[Finding]:
    """Yield how far another clock is from ours: by no more than is certain, however long the answer took."""
    before = datetime.now(UTC)
    try:
        theirs = ask()
    except (SQLAlchemyError, RedisError):
        return  # that it does not answer is said elsewhere
    after = datetime.now(UTC)
    skew = max(before - theirs, theirs - after, timedelta(0))
    if skew > _BAD:
        advice = "tokens and deadlines go wrong; synchronise both with NTP"
        yield Finding(Verdict.BAD, "clock", f"{skew.total_seconds():.0f} s from that of {whose} ({advice})")
    elif skew > _NOTED:
        advice = "synchronise both with NTP"
        yield Finding(Verdict.NOTE, "clock", f"{skew.total_seconds():.0f} s from that of {whose} ({advice})")
    else:
        yield Finding(Verdict.GOOD, "clock", f"that of {whose} says the same")


LOOKS = (
    Look("clock", _clock_of_database, frozenset({"DATABASE_URL"})),
    Look("clock", _clock_of_redis, frozenset({"REDIS_URL"})),
)
