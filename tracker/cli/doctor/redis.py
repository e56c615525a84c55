"""The Redis that rate limits are counted in, and answers remembered."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.database_url import without_password

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracker.settings import Settings

_PATIENCE = 2.0  # seconds for a connection, and for an answer


def client(url: str) -> Redis:
    """Return a client that waits a moment, and tries once."""
    return Redis.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=Retry(NoBackoff(), 0))


def facts(url: str) -> Mapping[str, Any] | None:
    """Return what a Redis says of itself; None if it does not answer, nothing if it does not tell us."""
    with closing(client(url)) as redis:
        try:
            redis.ping()
        except RedisError:
            return None
        try:
            return dict(redis.info())  # type: ignore[arg-type]  # that of the client for asyncio is typed alike
        except RedisError:
            return {}


def _redis(settings: Settings) -> Iterator[Finding]:
    if settings.redis_url is None:
        return
    place, said = without_password(settings.redis_url), facts(settings.redis_url)
    if said is None:
        advice = "until it does, each process counts and remembers by itself; start it, or mend REDIS_URL"
        yield Finding(Verdict.BAD, "redis", f"{place} does not answer ({advice})")
        return
    yield Finding(Verdict.GOOD, "redis", f"{place} answers")
    yield _memory(said)
    if said.get("rdb_last_bgsave_status", "ok") != "ok":
        advice = "it then refuses every write; mend its disk, or let it keep nothing: --save '' --appendonly no"
        yield Finding(Verdict.BAD, "redis persistence", f"its last snapshot failed ({advice})")


def _memory(said: Mapping[str, Any]) -> Finding:
    version, most = said.get("redis_version", "unknown"), said.get("maxmemory")
    policy = said.get("maxmemory_policy", "unknown")
    if most == 0:
        advice = "give it a bound: maxmemory 256mb, maxmemory-policy allkeys-lru"
        return Finding(Verdict.NOTE, "redis memory", f"Redis {version} takes all the machine has ({advice})")
    if policy == "noeviction":
        advice = "fit for a broker, not for a cache: set maxmemory-policy allkeys-lru"
        return Finding(Verdict.NOTE, "redis memory", f"Redis {version} refuses writes once it is full ({advice})")
    return Finding(Verdict.GOOD, "redis memory", f"Redis {version} lets go of what is old (maxmemory-policy {policy})")


LOOKS = (Look("redis", _redis, frozenset({"REDIS_URL"})),)
