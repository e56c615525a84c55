"""Many threads that begin at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from tracker.domain.refusals import Taken
from tracker.store.contract import Stale

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60

Outcome = TypeVar("Outcome")


def at_once(count: int, act: Callable[[int], Outcome]) -> list[Outcome]:
    """Return what each of so many threads returned; all begin together."""
    ready = threading.Barrier(count, timeout=PATIENCE)

    def wait_and_act(n: int) -> Outcome:
        ready.wait()
        return act(n)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(wait_and_act, range(count), timeout=PATIENCE))


def outcomes_at_once(count: int, act: Callable[[int], object]) -> list[Any]:
    """Return the same, where whoever is beaten returns how."""

    def act_or_be_beaten(n: int) -> object:
        try:
            return act(n)
        except (Stale, Taken) as beaten:
            return beaten

    return at_once(count, act_or_be_beaten)
