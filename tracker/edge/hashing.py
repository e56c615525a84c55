"""The threads that passwords are hashed in. They make way for those that answer.

A hash takes a core for 50 ms. While cores are idle, nobody minds. Where they are short, a lower priority is not enough:
Linux shares cores out to sessions and containers first, so that it says nothing to PostgreSQL, which everybody waits
for. What hashes is then held to half of the cores, the same half in all processes, and leaves the others alone.
"""

from __future__ import annotations

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

HELD_FOR = 20  # hashes, of a thread that was kept from a core; the next one finds out whether cores are still short
_KEPT = 1.4  # times what it worked: a hash that took that long was kept from a core
_NICE = 5  # to our own threads that answer

Made = TypeVar("Made")


class HashingThreads:
    """So many threads, which do nothing but hash."""

    def __init__(self, number: int, *, wall: Seconds = time.perf_counter, cpu: Seconds = time.thread_time) -> None:
        """Take how many there are, and the clocks of all that passes and of what a thread has worked."""
        self._wall, self._cpu = wall, cpu
        self._cores = cores.allowed()
        self._held = _Held()
        # Only what hashes is nice: who holds Python's lock and has to wait for a core keeps all other threads waiting.
        self._executor = ThreadPoolExecutor(number, "hashing", _be_nice)

    def run(self, work: Callable[[], Made]) -> Made:
        """Return what one of the threads has made, or raise what it has raised."""
        return self._executor.submit(self._make, work).result()

    def _make(self, work: Callable[[], Made]) -> Made:
        wall, cpu = self._wall(), self._cpu()
        try:
            return work()
        finally:
            self._look_back(took=self._wall() - wall, worked=self._cpu() - cpu)

    def _look_back(self, *, took: float, worked: float) -> None:
        held = self._held
        if held.hashes:
            held.hashes -= 1
            if not held.hashes:
                _run_on(self._cores)
        elif took > _KEPT * worked:
            held.hashes = HELD_FOR
            _run_on(self._cores[len(self._cores) // 2 :])


class _Held(threading.local):
    """For how many more hashes a thread is held to half of the cores."""

    hashes = 0


def _run_on(numbers: Sequence[int]) -> None:
    """Have this thread run on these cores alone, where threads have cores of their own and may choose them."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setaffinity(threading.get_native_id(), numbers)


def _be_nice() -> None:
    if sys.platform == "linux":  # where a thread has a priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
