"""What hashes passwords makes way for what answers, and has all cores only while some are idle."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tracker import cores
from tracker.edge.hashing import FREE_FOR, HashingThreads

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread cannot choose its cores")
ALL = cores.allowed()
HALF = ALL[len(ALL) // 2 :]


@dataclass
class Machine:
    """Three clocks, of what passes, what a thread works and what cores are idle; and where each hash was made."""

    passed: float = 0.0
    worked: float = 0.0
    idle: float = 0.0
    seen: list[Sequence[int]] = field(default_factory=list)

    def threads(self, number: int = 1) -> HashingThreads:
        return HashingThreads(number, wall=lambda: self.passed, work=lambda: self.worked, idle=lambda: self.idle)

    def hash(self, work: float = 0.05, *, wait: float = 0.0, idle: float = 0.0) -> None:
        """Work and wait for so many seconds, while so much of the cores was idle."""
        self.seen.append(cores.allowed())
        self.passed += work + wait
        self.worked += work
        self.idle += idle


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def free(machine: Machine) -> HashingThreads:
    """Return threads that have seen an idle core."""
    threads = machine.threads()
    threads.run(lambda: machine.hash(idle=0.05))
    machine.seen.clear()
    return threads


def test_half_of_the_cores_are_left_alone(machine: Machine) -> None:
    threads = machine.threads()
    for _ in range(3):
        threads.run(lambda: machine.hash(idle=0.02))
    assert machine.seen == [HALF] * 3


def test_where_a_core_is_seen_idle_all_are_used(machine: Machine) -> None:
    threads = machine.threads()
    threads.run(lambda: machine.hash(idle=0.03))
    threads.run(machine.hash)
    assert machine.seen == [HALF, ALL]


def test_all_are_used_for_as_long_as_none_is_waited_for(machine: Machine, free: HashingThreads) -> None:
    for _ in range(3):
        free.run(lambda: machine.hash(wait=0.01))
    assert machine.seen == [ALL] * 3


def test_a_hash_that_was_kept_from_a_core_gives_half_of_them_up(machine: Machine, free: HashingThreads) -> None:
    free.run(lambda: machine.hash(wait=0.05))
    free.run(machine.hash)
    assert machine.seen == [ALL, HALF]


@pytest.mark.parametrize(("pause", "where"), [(0.9 * FREE_FOR, ALL), (1.1 * FREE_FOR, HALF)])
def test_what_was_idle_a_while_ago_need_not_be_so_now(
    machine: Machine, free: HashingThreads, pause: float, where: Sequence[int]
) -> None:
    machine.passed += pause
    free.run(machine.hash)
    assert machine.seen == [where]


def test_a_hash_that_began_on_all_cores_says_nothing_of_idle_ones_once_another_has_given_half_up(
    machine: Machine,
) -> None:
    threads = machine.threads(2)
    machine.idle = 1000.0  # since the machine was started
    threads.run(lambda: machine.hash(idle=0.05))
    threads.run(lambda: threads.run(lambda: machine.hash(wait=0.05)))
    threads.run(machine.hash)
    assert machine.seen == [HALF, ALL, HALF]


def test_a_hash_that_fails_is_looked_back_at_as_any(machine: Machine, free: HashingThreads) -> None:
    def fail() -> None:
        machine.hash(wait=0.05)
        raise ValueError("of the work's own")

    with pytest.raises(ValueError, match="of the work's own"):
        free.run(fail)
    free.run(machine.hash)
    assert machine.seen == [ALL, HALF]


def test_who_waits_for_a_hash_keeps_all_cores(machine: Machine) -> None:
    machine.threads().run(machine.hash)
    assert cores.allowed() == ALL


def test_where_a_thread_may_not_choose_its_cores_it_hashes_on_all(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    threads = machine.threads()
    for _ in range(2):
        threads.run(lambda: machine.hash(wait=0.05, idle=0.1))
    assert machine.seen == [ALL, ALL]
