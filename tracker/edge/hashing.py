"""The threads that passwords are hashed in. They make way for those that answer.

A hash takes a core for 50 ms. A lower priority is not enough: Linux shares cores out to sessions and containers first,
so that it says nothing to PostgreSQL, which those that answer wait for. What hashes is therefore held to half of the
cores, the same half in all processes, and has all of them only while some are idle.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from tracker import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Seconds = Callable[[], float]

FREE_FOR = 1.0  # seconds, after a hash: by then others may have come who need the cores
_IDLE = 0.5  # of one core, while a hash was made
_KEPT = 1.4  # times what it worked: a hash that took that long was kept from a core
_HELD = -math.inf  # the time until which they are free, where they are not
_NICE = 5  # to our own threads that answer

Made = TypeVar("Made")


class HashingThreads:
    """So many threads, which do nothing but hash."""

    def __init__(
        self,
        number: int,
        *,
        wall: Seconds = time.monotonic,
        work: Seconds = time.thread_time,
        idle: Seconds = cores.idle,
    ) -> None:
        """Take how many there are, and clocks: of all that passes, of what a thread works, of what cores are idle."""
        self._wall, self._work, self._idle = wall, work, idle
        self._all = cores.allowed()
        self._half = self._all[len(self._all) // 2 :]
        self._free_until = _HELD
        self._threads: list[int] = []
        self._looking = threading.Lock()  # one decides at a time where they run
        self._executor = ThreadPoolExecutor(number, "hashing", self._begin)

    def run(self, work: Callable[[], Made]) -> Made:
        """Return what one of the threads has made, or raise what it has raised.

        Whoever waits also looks after the cores: a thread that is nice, and has Python's lock when it has to wait for a
        core, keeps all others waiting, and so does as little as it can.
        """
        began, worked = self._wall(), [0.0]
        with self._looking:
            if began > self._free_until:
                self._hold()
        idle = self._idle() if self._free_until == _HELD else math.inf  # not to be asked
        try:
            return self._executor.submit(self._timed, work, worked).result()
        finally:
            with self._looking:
                self._look_back(self._wall(), began, idle, worked[0])

    def _timed(self, work: Callable[[], Made], worked: list[float]) -> Made:
        began = self._work()
        try:
            return work()
        finally:
            worked[0] = self._work() - began

    def _look_back(self, now: float, began: float, idle: float, worked: float) -> None:
        if self._free_until == _HELD:
            if self._idle() - idle > _IDLE * (now - began):
                self._free_until = now + FREE_FOR
                self._run_on(self._all)
        elif now - began > _KEPT * worked:
            self._hold()
        else:
            self._free_until = now + FREE_FOR

    def _hold(self) -> None:
        if self._free_until != _HELD:
            self._free_until = _HELD
            self._run_on(self._half)

    def _run_on(self, numbers: Sequence[int]) -> None:
        """Have the threads run on these cores alone, where threads have cores of their own and may choose them."""
        if sys.platform == "linux":
            with suppress(OSError):
                for thread in self._threads:
                    os.sched_setaffinity(thread, numbers)

    def _begin(self) -> None:
        thread = threading.get_native_id()
        with self._looking:
            self._threads.append(thread)
            self._run_on(self._half if self._free_until == _HELD else self._all)
        if sys.platform == "linux":  # where a thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, thread, _NICE)
