"""What hashes passwords makes way for what answers, where cores are short, and has them all where they are not."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tracker import cores
from tracker.edge.hashing import HELD_FOR, HashingThreads

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread cannot choose its cores")

ALL = cores.allowed()
HALF = ALL[len(ALL) // 2 :]


@dataclass
class Clocks:
    """Two clocks of one thread: what passes by, and what of it the thread has worked."""

    now: float = 0.0
    worked: float = 0.0
    seen: list[Sequence[int]] = field(default_factory=list)

    def threads(self) -> HashingThreads:
        return HashingThreads(1, wall=lambda: self.now, cpu=lambda: self.worked)

    def hash(self, work: float = 0.05, wait: float = 0.0) -> None:
        """Work and wait for so many seconds, and note on which cores."""
        self.seen.append(cores.allowed())
        self.now += work + wait
        self.worked += work


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_on_idle_cores_a_hash_may_run_on_any(clocks: Clocks) -> None:
    threads = clocks.threads()
    for _ in range(3):
        threads.run(lambda: clocks.hash(wait=0.01))
    assert clocks.seen == [ALL] * 3


def test_who_was_kept_from_a_core_is_held_to_half_of_them_for_a_while_and_then_tries_again(clocks: Clocks) -> None:
    threads = clocks.threads()
    for _ in range(HELD_FOR + 2):
        threads.run(lambda: clocks.hash(wait=0.05))
    assert clocks.seen == [ALL, *[HALF] * HELD_FOR, ALL]


def test_a_hash_that_fails_is_looked_back_at_as_any(clocks: Clocks) -> None:
    def fail() -> None:
        clocks.hash(wait=0.05)
        raise ValueError("of the work's own")

    threads = clocks.threads()
    with pytest.raises(ValueError, match="of the work's own"):
        threads.run(fail)
    threads.run(clocks.hash)
    assert clocks.seen == [ALL, HALF]


def test_another_that_was_not_kept_waiting_runs_on_any() -> None:
    one, other = Clocks(), Clocks()
    threads = one.threads()
    threads.run(lambda: one.hash(wait=0.05))
    other.threads().run(other.hash)
    threads.run(one.hash)
    assert (one.seen, other.seen) == ([ALL, HALF], [ALL])


def test_who_waits_for_a_hash_keeps_all_cores(clocks: Clocks) -> None:
    clocks.threads().run(lambda: clocks.hash(wait=0.05))
    assert cores.allowed() == ALL


def test_where_a_thread_may_not_choose_its_cores_it_hashes_on_all(
    clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    threads = clocks.threads()
    for _ in range(2):
        threads.run(lambda: clocks.hash(wait=0.05))
    assert clocks.seen == [ALL, ALL]
