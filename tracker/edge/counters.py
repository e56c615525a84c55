"""Counting hits on a rate: in the memory of this process, or in a Redis for all of them together.

Both count in the same way, a sliding window made of two fixed ones: the hits of this window, and of the one before as
many as its part that is not over yet. A hit that is refused is not counted.

Memory is counted here and not by ``limits.storage.MemoryStorage``: seen on limits 5.8, that one starts a thread every
10 ms which goes through every key there is, 2 ms a request with 100,000 keys, and whoever invents names makes keys.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import ConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from limits import RateLimitItem

MAX_KEYS = 100_000  # some 30 MB; whoever was counted longest ago is forgotten
REDIS_TIMEOUT = 0.05
TOLERATED = 3
PAUSE = 1.0

_log = logging.getLogger("tracker")


class Quota(NamedTuple):
    """So many hits in so long a time, for whatever has the key."""

    name: str
    rate: RateLimitItem
    key: str


class Verdict(NamedTuple):
    """Whether a quota had room for one more, how many more, and in how many seconds for more than that."""

    quota: Quota
    admitted: bool
    left: int
    wait: float

    @property
    def retry_after(self) -> int:
        """Whole seconds, never too few: room comes back after that instant, and clocks count milliseconds."""
        return int(self.wait + 0.002) + 1


class Counter(Protocol):
    """Counts hits; safe to use from many threads."""

    def hit(self, quota: Quota) -> Verdict:
        """Count one more, if there is room for it."""


def counted(counter: Counter, quotas: Sequence[Quota]) -> Verdict:
    """Hit one quota after the other, up to the first that has no room: who is refused uses up nobody else's.

    Return the verdict of that one; of the first where all had room.
    """
    verdicts = []
    for quota in quotas:
        verdicts.append(counter.hit(quota))
        if not verdicts[-1].admitted:
            return verdicts[-1]
    return verdicts[0]


class InMemory:
    """Counts in this process, so many keys at the most."""

    def __init__(self, now: Callable[[], float], *, max_keys: int = MAX_KEYS) -> None:
        """Take the time in seconds from ``now``."""
        self._now, self._max_keys = now, max_keys
        self._lock = Lock()
        self._counts: OrderedDict[str, tuple[float, int, int]] = OrderedDict()  # key: window, hits before, hits in it

    def hit(self, quota: Quota) -> Verdict:
        """Count one more, if there is room for it."""
        limit, seconds = quota.rate.amount, quota.rate.get_expiry()
        number, into = divmod(self._now(), seconds)
        fading = 1 - into / seconds  # the part of the window before that still counts
        with self._lock:
            seen, before, hits = self._counts.get(quota.key, (number, 0, 0))
            if seen != number:  # also where the clock was set back: then all is forgotten
                before, hits = (hits if seen == number - 1 else 0), 0
            admitted = int(before * fading) + hits < limit
            if admitted:
                hits += 1
                self._keep(quota.key, (number, before, hits))
        faded = before * fading % 1 / before if before else fading  # when the next of those before counts no more
        return Verdict(quota, admitted, limit - int(before * fading) - hits, min(faded, fading) * seconds)

    def _keep(self, key: str, counts: tuple[float, int, int]) -> None:
        self._counts[key] = counts
        self._counts.move_to_end(key)
        if len(self._counts) > self._max_keys:
            self._counts.popitem(last=False)


class InRedis:
    """Counts in a Redis, for every process that uses it; raises RedisError where it does not answer at once."""

    def __init__(self, url: str) -> None:
        """Connect later, when there is something to count."""
        # Seen on redis-py 7.4: without the timeouts a Redis that is stopped holds a request for good. Its client would
        # retry with pauses, too, for seconds in all; a pool does so only where it is told to.
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=REDIS_TIMEOUT,
            socket_connect_timeout=REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self._storage = RedisStorage("redis://", connection_pool=pool, key_prefix="tracker")
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    def answers(self) -> bool:
        """Whether it is there and lets us in."""
        return self._storage.check()

    def hit(self, quota: Quota) -> Verdict:
        """Count one more, if there is room for it."""
        admitted = self._limiter.hit(quota.rate, quota.key)
        stats = self._limiter.get_window_stats(quota.rate, quota.key)
        return Verdict(quota, admitted, stats.remaining, stats.reset_time - time.time())


class Breaker:
    """Says when to leave something alone: after three failures in a row, but for one try a second."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Take the time in seconds from ``now``."""
        self._now = now
        self._lock = Lock()
        self._failures, self._closed_at = 0, 0.0

    def lets_through(self) -> bool:
        """Whether to try; of many who ask at once after a pause, one is to."""
        with self._lock:
            if self._failures < TOLERATED:
                return True
            if self._now() < self._closed_at:
                return False
            self._closed_at = self._now() + PAUSE
            return True

    def failed(self) -> bool:
        """Take note of a failure; return whether it is the one after which there is a pause."""
        with self._lock:
            self._failures += 1
            self._closed_at = self._now() + PAUSE
            return self._failures == TOLERATED

    def succeeded(self) -> bool:
        """Take note of a success; return whether it ends the pauses."""
        with self._lock:
            failures, self._failures = self._failures, 0
            return failures >= TOLERATED


class Shared:
    """Counts in a Redis, and here while that does not answer: it slows hardly anything and fails nothing."""

    def __init__(self, there: Counter, here: Counter, breaker: Breaker) -> None:
        """Take both counters."""
        self._there, self._here, self._breaker = there, here, breaker

    def counted(self, quotas: Sequence[Quota]) -> Verdict:
        """Hit all quotas in one place."""
        if self._breaker.lets_through():
            try:
                verdict = counted(self._there, quotas)
            except RedisError as error:
                self._note(error)
            else:
                if self._breaker.succeeded():
                    _log.warning("Redis answers again: limits are counted there")
                return verdict
        return counted(self._here, quotas)

    def _note(self, error: RedisError) -> None:
        if self._breaker.failed():  # its text may hold an address; its name says enough
            _log.warning("Redis does not answer (%s): limits are counted in this process", type(error).__name__)
