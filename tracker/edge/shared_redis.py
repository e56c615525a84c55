"""The Redis that all processes share: asked for a moment and not again, and left alone while it does not answer.

Whoever asks it, the rate limits and the remembered answers, goes on without it: it can make things slow for a moment,
never wrong. There is one breaker for all of them, so that what one has waited for in vain, the other does not wait for.
"""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from redis import ConnectionPool, Redis, RedisError, ResponseError
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT = 0.05
TOLERATED = 3
PAUSE = 1.0

_log = logging.getLogger("tracker")

Answer = TypeVar("Answer")


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

    @property
    def is_open(self) -> bool:
        """Whether there are pauses."""
        return self._failures >= TOLERATED

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


class SharedRedis:
    """One Redis, and the breaker of this process for it."""

    def __init__(self, url: str, breaker: Breaker | None = None) -> None:
        """Connect later, when there is something to ask."""
        # Seen on redis-py 7.4: without the timeouts a Redis that is stopped holds a request for good. Its client would
        # retry with pauses, too, for seconds in all; a pool does so only where it is told to.
        pool = ConnectionPool.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0)
        )
        self.client = Redis(connection_pool=pool)
        self._breaker = breaker or Breaker()
        self._refused: set[str] = set()

    @property
    def is_left_alone(self) -> bool:
        """Whether it did not answer when it was last asked, and the times before."""
        return self._breaker.is_open

    def ask(self, question: Callable[[], Answer], otherwise: Callable[[], Answer]) -> Answer:
        """Return what it answers to a question; where it does not, refuses or is left alone, what is so otherwise."""
        if self._breaker.lets_through():
            try:
                answer = question()
            except ResponseError as refusal:
                self._has_refused(refusal)
            except RedisError as failure:
                self._has_failed(failure)
            else:
                self._has_answered()
                return answer
        return otherwise()

    def _has_answered(self) -> None:
        if self._breaker.succeeded():
            _log.warning("Redis answers again: it counts and remembers for all processes")

    def _has_failed(self, failure: RedisError) -> None:
        if self._breaker.failed():  # its text may hold an address; its name says enough
            _log.warning("Redis does not answer (%s): this process counts and remembers by itself", _name(failure))

    def _has_refused(self, refusal: ResponseError) -> None:
        """Take note of a no, which comes as fast as a yes: there is nothing to wait for, and no reason to pause."""
        self._has_answered()
        if _name(refusal) not in self._refused:
            self._refused.add(_name(refusal))
            _log.warning("Redis refuses (%s): this process counts and remembers by itself", _name(refusal))


def _name(error: Exception) -> str:
    return type(error).__name__
