"""What is to be archived and what is to be noticed: a store finds just what the domain says of each task."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import AT, a_project, a_reminder, a_task, added, added_tasks, replaced
from tracker.domain.query import SettledQuery, UnremindedQuery
from tracker.domain.reminder import LOOKED_BACK, ReminderKind, reminder_of
from tracker.domain.task import Due, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from tracker.domain.query import Place
    from tracker.domain.reminder import Reminder
    from tracker.domain.task import Task
    from tracker.store.contract import Store

DAY, MOMENT = timedelta(days=1), timedelta(milliseconds=1)
DAYS = [None, 0, 1, 30]
SOON = [timedelta(0), timedelta(hours=1), DAY]
LIMITS = [1, 2, 7, 200]
ZONES = [None, "Pacific/Auckland", "America/Los_Angeles"]
STATUSES = [*Status, Status.DONE, Status.DONE, Status.TODO]
KINDS = list(ReminderKind)


class Plain:
    """Projects, tasks and reminders in plain lists, and a loop that asks the domain about each."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.projects = [a_project(archive_done_after_days=days, archived_at=at) for days in DAYS for at in (None, AT)]
        self.project_of = {project.id: project for project in self.projects}
        self.tasks = [self._task() for _ in range(150)]
        self.reminders: dict[str, Reminder] = {}

    def keep(self, store: Store) -> None:
        added(store, *self.projects)
        kept = added_tasks(store, *self.tasks)
        self._remind(store, kept)
        self.tasks = [self._moved(store, task) if self.chance.random() < 0.2 else task for task in kept]

    def _task(self) -> Task:
        chance = self.chance
        return a_task(
            chance.choice(self.projects),
            status=chance.choice(STATUSES),
            due=self._due(),
            archived_at=chance.choice([None, None, None, AT]),
            updated_at=AT - chance.choice([0, 1, 2, 30]) * DAY + self._moment(),
        )

    def _due(self) -> Due | None:
        chance = self.chance
        day = date(2026, 11, 20) + chance.choice([-30, -29, -1, 0, 1]) * DAY
        return chance.choice([None, *(Due(day, chance.choice([None, time(9, 30), time(17)]), zone) for zone in ZONES)])

    def _moment(self) -> timedelta:
        return self.chance.choice([-1, 0, 1]) * MOMENT

    def _remind(self, store: Store, tasks: Iterable[Task]) -> None:
        """Notice some: of either kind or both, and some of a deadline that they had before."""
        for task in tasks:
            due_at = task.overdue_after()
            if due_at and self.chance.random() < 0.6:
                instants = self.chance.sample([due_at, due_at, due_at - MOMENT, due_at + DAY], 2)
                made = [a_reminder(task, kind=self.chance.choice(KINDS), due_at=at) for at in instants]
                self.reminders |= {reminder.id: reminder for reminder in made}
        added(store, *self.reminders.values())

    def _moved(self, store: Store, task: Task) -> Task:
        moved = replaced(store, task, project_id=self.chance.choice(self.projects).id, number=0)
        found = store.task(moved.id)
        assert found is not None
        return found

    def settled_query(self) -> SettledQuery:
        at = AT + self.chance.choice([0, 1, 29, 30]) * DAY + self._moment()
        return SettledQuery(at, self.chance.choice(DAYS), limit=self.chance.choice(LIMITS))

    def unreminded_query(self) -> UnremindedQuery:
        soon = self.chance.choice(SOON)
        due_at = self.chance.choice([due_at for task in self.tasks if (due_at := task.overdue_after())])
        at = self.chance.choice([due_at, due_at - soon, due_at + LOOKED_BACK]) + self._moment()
        return UnremindedQuery(at, soon, limit=self.chance.choice(LIMITS))

    def settled(self, query: SettledQuery) -> list[Task]:
        return self._by_place(lambda task: self._is_settled(task, query.at, query.default_days))

    def _is_settled(self, task: Task, at: datetime, default_days: int | None) -> bool:
        own = self.project_of[task.project_id].archive_done_after_days
        days = default_days if own is None else own
        return days is not None and task.settled(days, at=at)

    def unreminded(self, query: UnremindedQuery) -> list[Task]:
        return self._by_place(lambda task: self._is_new(task, query.at, query.soon))

    def _is_new(self, task: Task, at: datetime, soon: timedelta) -> bool:
        reminder, archived_at = reminder_of(task, at=at, soon=soon), self.project_of[task.project_id].archived_at
        return archived_at is None and reminder is not None and reminder.id not in self.reminders

    def _by_place(self, fits: Callable[[Task], bool]) -> list[Task]:
        return sorted(filter(fits, self.tasks), key=place_of)


def place_of(task: Task) -> Place:
    return task.project_id, task.id


def turned(find: Callable[[Any], list[Task]], query: SettledQuery | UnremindedQuery) -> list[Task]:
    """Return all that a query finds, a page at a time."""
    found: list[Task] = []
    while page := find(replace(query, after=place_of(found[-1]) if found else None)):
        assert len(page) <= query.limit
        found += page
    return found


@pytest.fixture(params=[4, 2026])
def plain(store: Store, request: pytest.FixtureRequest) -> Plain:
    plain = Plain(random.Random(request.param))  # noqa: S311 - the same each time
    plain.keep(store)
    return plain


def test_what_is_settled_is_what_a_plain_loop_finds(store: Store, plain: Plain) -> None:
    sizes = []
    for _ in range(80):
        query = plain.settled_query()
        expected = plain.settled(query)
        assert turned(store.settled, query) == expected, query
        sizes.append(len(expected))

    assert len(set(sizes)) > 5
    assert max(sizes) > 10


def test_what_is_to_be_noticed_is_what_a_plain_loop_finds(store: Store, plain: Plain) -> None:
    sizes = []
    for _ in range(80):
        query = plain.unreminded_query()
        expected = plain.unreminded(query)
        assert turned(store.unreminded, query) == expected, query
        sizes.append(len(expected))

    assert len(set(sizes)) > 5
    assert max(sizes) > 5
