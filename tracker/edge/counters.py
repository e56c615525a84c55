"""Counting hits on a rate: in the memory of this process, or in a Redis for all of them together.

Both count in the same way, a sliding window made of two fixed ones: the hits of this window, and of the one before as
many as its part that is not over yet. A hit that is refused is not counted.

Memory is counted here and not by ``limits.storage.MemoryStorage``: seen on limits 5.8, that one starts a thread every
10 ms which goes through every key there is, 2 ms a request with 100,000 keys, and whoever invents names makes keys.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from limits import RateLimitItem
    from redis import Redis

    from tracker.edge.shared_redis import SharedRedis

MAX_KEYS = 100_000  # some 30 MB; whoever was counted longest ago is forgotten


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

    def __init__(self, client: Redis) -> None:
        """Count by way of a client that does not wait for long."""
        storage = RedisStorage("redis://", connection_pool=client.connection_pool, key_prefix="tracker")
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    def hit(self, quota: Quota) -> Verdict:
        """Count one more, if there is room for it."""
        admitted = self._limiter.hit(quota.rate, quota.key)
        stats = self._limiter.get_window_stats(quota.rate, quota.key)
        return Verdict(quota, admitted, stats.remaining, stats.reset_time - time.time())


class Shared:
    """Counts in a Redis, and here while that does not answer: it slows hardly anything and fails nothing."""

    def __init__(self, there: Counter, here: Counter, redis: SharedRedis) -> None:
        """Take both counters, and the Redis that the first one counts in."""
        self._there, self._here, self._redis = there, here, redis

    def counted(self, quotas: Sequence[Quota]) -> Verdict:
        """Hit all quotas in one place."""
        return self._redis.ask(partial(counted, self._there, quotas), partial(counted, self._here, quotas))
