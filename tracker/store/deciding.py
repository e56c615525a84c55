"""Decide, commit, and decide again where somebody else was first: once, for the edge and for jobs."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from tracker.domain.refusals import Contended
from tracker.store.contract import Stale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TRIES = 5


class Deciding(Protocol):
    """A decision that is about to be committed."""

    @property
    def touched(self) -> Iterable[str]:
        """The ids of the entities it changes."""


Decision = TypeVar("Decision", bound=Deciding)
Made = TypeVar("Made")

# Whoever was beaten takes the turn of what they were beaten at and keeps it until they are through: the threads of this
# process whose commits would touch the same then wait for it, so that each needs three tries at the most however many
# there are. Other processes are still raced, with jitter; correctness rests on the versions alone, never on this.
_turns = tuple(threading.RLock() for _ in range(64))


def decide_and_commit(decide: Callable[[], Decision], commit: Callable[[Decision], Made]) -> tuple[Decision, Made]:
    """Decide on what is, and commit it; where somebody was first, decide again on what they left, five times at most.

    ``decide`` reads and returns a decision; ``commit`` makes it true or raises Stale. Returns the decision that stood
    and what its commit returned. Raises Contended after the fifth Stale, and whatever else the two raise.
    """
    decision = decide()
    for entity_id in decision.touched:
        with _turn(entity_id):
            pass  # whoever had the turn is through
    try:
        return decision, commit(decision)
    except Stale as beaten:
        return _decide_again(decide, commit, beaten)


def _decide_again(
    decide: Callable[[], Decision], commit: Callable[[Decision], Made], beaten: Stale
) -> tuple[Decision, Made]:
    with _turn(beaten.entity_id):
        for _ in range(TRIES - 1):
            decision = decide()
            try:
                return decision, commit(decision)
            except Stale:
                time.sleep(random.uniform(0, 0.02))  # noqa: S311 - jitter, not a secret
    raise Contended


def _turn(entity_id: str) -> threading.RLock:
    return _turns[hash(entity_id) % len(_turns)]
