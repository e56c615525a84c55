"""Identifiers: unique, and in the order in which they were made, whatever the clock does."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from uuid import RFC_4122, UUID

import pytest

from tracker.domain.identity import new_id


def ascending(ids: list[str]) -> bool:
    return all(earlier < later for earlier, later in pairwise(ids))


def test_an_id_is_a_uuid_of_version_seven_in_lower_case() -> None:
    text = new_id()
    made = UUID(text)
    assert (made.version, made.variant, str(made)) == (7, RFC_4122, text)


def test_an_id_begins_with_the_milliseconds_of_its_birth(monkeypatch: pytest.MonkeyPatch) -> None:
    far = 4_102_444_800_000  # the year 2100: later than any id made so far
    monkeypatch.setattr("tracker.domain.identity._last", (0, 0, ""))
    monkeypatch.setattr(time, "time_ns", lambda: far * 1_000_000)
    assert UUID(new_id()).int >> 80 == far


def test_a_later_id_sorts_after_an_earlier_one() -> None:
    assert ascending([new_id() for _ in range(20_000)])


def test_also_when_the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    instant = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: instant)
    assert ascending([new_id() for _ in range(10_000)])  # more than the counter of one millisecond holds


def test_also_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [new_id() for _ in range(10)]
    yesterday = time.time_ns() - 86_400 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: yesterday)
    assert ascending([*before, *(new_id() for _ in range(10))])


def test_no_two_threads_are_given_the_same_id() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: [new_id() for _ in range(2_000)], range(8)))
    assert all(ascending(ids) for ids in made)
    assert len({identity for ids in made for identity in ids}) == 16_000


def test_a_process_that_is_forked_draws_numbers_of_its_own() -> None:
    told = subprocess.run([sys.executable, "-c", _FORKED], capture_output=True, text=True, check=True, timeout=60)
    ids = told.stdout.split()
    assert len(ids) == 20
    assert len({text[19:] for text in ids}) == 20


_FORKED = """
import os
from tracker.domain.identity import new_id
new_id()
child = os.fork()
for _ in range(10):
    os.write(1, new_id().encode() + bytes([10]))  # at once: two processes write here
if child:
    os.waitpid(child, 0)
"""
