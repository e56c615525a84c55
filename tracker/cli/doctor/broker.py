"""The broker that beat and workers meet at, and what waits there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.cli.doctor.redis import facts
from tracker.database_url import without_password
from tracker.worker import PARKED, QUEUE, broker_answers, queue_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.settings import Settings


def _broker(settings: Settings) -> Iterator[Finding]:
    url = settings.celery_broker_url
    if url is None:
        return
    if not broker_answers(url):
        advice = "until it does, nothing is done in the background; start it, or mend CELERY_BROKER_URL"
        yield Finding(Verdict.BAD, "broker", f"{without_password(url)} does not answer ({advice})")
        return
    yield Finding(Verdict.GOOD, "broker", f"{without_password(url)} answers")
    yield from _of_redis(url, settings.redis_url) if url.startswith("redis") else _of_rabbitmq(url)


def _of_redis(url: str, cache_url: str | None) -> Iterator[Finding]:
    said = facts(url) or {}
    policy = said.get("maxmemory_policy", "noeviction")
    if said.get("maxmemory") and policy != "noeviction":
        advice = "set maxmemory-policy noeviction"
        yield Finding(Verdict.BAD, "broker memory", f"once it is full, it throws messages away ({advice})")
    if cache_url and _server(url) == _server(cache_url):
        advice = "a cache is to evict, a broker never; take two"
        yield Finding(Verdict.NOTE, "broker memory", f"it is the Redis at REDIS_URL as well ({advice})")


def _of_rabbitmq(url: str) -> Iterator[Finding]:
    queue, parked = queue_at(url, QUEUE), queue_at(url, PARKED)
    if queue is None:
        advice = "start one with: tracker worker"
        yield Finding(Verdict.NOTE, "broker queue", f"there is no {QUEUE}: no worker was ever here ({advice})")
    elif not queue.consumers:
        yield Finding(Verdict.NOTE, "broker queue", f"nobody takes from {QUEUE}; start: tracker worker")
    else:
        yield Finding(Verdict.GOOD, "broker queue", f"{queue.consumers} take from {QUEUE}, {queue.waiting} wait there")
    if parked is not None and parked.waiting:
        advice = f"look why in the log of the workers, then purge {PARKED}"
        yield Finding(Verdict.NOTE, "broker queue", f"{parked.waiting} killed their process too often ({advice})")


def _server(url: str) -> tuple[str | None, int]:
    address = urlsplit(url)
    return address.hostname, address.port or 6379


LOOKS = (Look("broker", _broker, frozenset({"CELERY_BROKER_URL"})),)
