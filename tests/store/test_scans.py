"""Turning pages while others insert, delete and edit: whatever stood still is seen, and seen once."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Self

import pytest

from tests.builders import AT, Person, a_membership, a_project, a_task, added, added_tasks, changes
from tests.listing import turned
from tracker.domain.access import Scope
from tracker.domain.changes import Change
from tracker.domain.query import Order, SortKey, TaskFilter, TaskQuery
from tracker.domain.task import Due, Priority, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.domain.project import Project
    from tracker.domain.task import Task
    from tracker.store.contract import Store

STANDING_STILL = 4000
MOVING = 1000
PAGE = 200
PATIENCE = 30
SCANS = [
    TaskQuery((Scope(None),), PAGE),
    TaskQuery((Scope(None),), PAGE, order=Order(SortKey.UPDATED_AT, descending=True)),
    TaskQuery((Scope(None),), PAGE, order=Order(SortKey.DUE, descending=False)),
    TaskQuery((Scope(None),), PAGE, order=Order(SortKey.DUE, descending=True)),
    TaskQuery((Scope(None),), PAGE, order=Order(SortKey.PRIORITY, descending=True)),
    TaskQuery((Scope(None),), PAGE, order=Order(SortKey.NUMBER, descending=False)),
    TaskQuery((Scope(None),), PAGE, filter=TaskFilter(words=("water",)), order=Order(SortKey.PRIORITY)),
]


def made(project: Project, chance: random.Random) -> Task:
    """Return a task with a value of everything that many others have too."""
    due = Due(date(2026, 12, chance.randrange(1, 9)), chance.choice([None, time(17)]))
    return a_task(
        project,
        due=chance.choice([None, due]),
        priority=chance.choice(list(Priority)),
        created_at=AT + timedelta(milliseconds=chance.randrange(500)),
        updated_at=AT + timedelta(milliseconds=chance.randrange(500)),
    )


def edited(task: Task, chance: random.Random) -> Task:
    """Return a task moved to somewhere else in every order but that of its creation."""
    return replace(
        task,
        priority=chance.choice(list(Priority)),
        status=chance.choice(list(Status)),
        due=chance.choice([None, Due(date(2026, 12, chance.randrange(1, 9)))]),
        updated_at=AT + timedelta(milliseconds=chance.randrange(500)),
        version=task.version + 1,
    )


class Others:
    """People who edit, delete and insert, each in a thread of their own, for as long as somebody else turns pages."""

    def __init__(self, store: Store, moving: list[Task], projects: list[Project], chance: random.Random) -> None:
        self._store, self._projects, self._chance = store, projects, chance
        self._to_edit, self._to_delete = moving[::2], moving[1::2]
        self._done = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._repeat, args=(move,)) for move in (self._edit, self._replace)]
        self.moves = 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert self._failures == []
        assert not any(thread.is_alive() for thread in self._threads)

    def _repeat(self, move: Callable[[], None]) -> None:
        try:
            while not self._done.is_set():
                move()
        except BaseException as failure:  # noqa: BLE001 - told when they stop
            self._failures.append(failure)

    def _edit(self) -> None:
        at = self._chance.randrange(len(self._to_edit))
        after = edited(self._to_edit[at], self._chance)
        self._store.commit(changes(Change(self._to_edit[at], after)))
        self._to_edit[at] = after
        self.moves += 1

    def _replace(self) -> None:
        self._to_delete += added_tasks(self._store, made(self._chance.choice(self._projects), self._chance))
        self._store.commit(changes(Change(self._to_delete.pop(0), None)))


@pytest.fixture
def projects(store: Store, ann: Person) -> list[Project]:
    """A few projects: what is found in each has to be merged."""
    some = [a_project() for _ in range(3)]
    added(store, *some, *(a_membership(project, ann.user) for project in some))
    return some


def test_whatever_stood_still_is_on_one_page_in_whatever_order(store: Store, projects: list[Project]) -> None:
    chance = random.Random(5000)  # noqa: S311 - the same each time
    kept = added_tasks(store, *(made(chance.choice(projects), chance) for _ in range(STANDING_STILL + MOVING)))
    chance.shuffle(kept)
    still = {task.id for task in kept[:STANDING_STILL]}

    with Others(store, kept[STANDING_STILL:], projects, chance) as others:
        scans = [turned(store, query) for query in SCANS]

    assert others.moves > len(SCANS), "nobody moved"
    for query, ids in zip(SCANS, scans, strict=True):
        seen = [task_id for task_id in ids if task_id in still]
        assert len(seen) == len(set(seen)), f"{query.order} repeats"
        assert set(seen) == still, f"{query.order} misses"
