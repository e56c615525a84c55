"""All filters and orders together: what a query finds is what a plain loop over everything would find."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import AT, a_membership, a_person, a_project, a_task, added, added_tasks
from tests.listing import ORDERS, in_order, turned_as_lines
from tracker.domain.access import Scope
from tracker.domain.project import ProjectRole
from tracker.domain.query import Archived, TaskFilter, TaskQuery
from tracker.domain.task import CLOSED, Due, Priority, Status
from tracker.domain.words import words_of

if TYPE_CHECKING:
    from tracker.domain.task import Task
    from tracker.store.contract import Store

EVERYTHING = (Scope(None),)
VOCABULARY = ["water", "plants", "wash", "Wäsche", "wässern", "100%", "paint", "a_b", "Планы", "水"]


class Plain:
    """Tasks, people and projects in plain lists, and a loop that finds what a query asks for."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.people = [a_person() for _ in range(3)]
        self.projects = [a_project() for _ in range(4)]
        self.memberships = [
            a_membership(project, person.user, role=chance.choice(list(ProjectRole)))
            for project in self.projects
            for person in self.people
            if chance.random() < 0.7
        ]
        self.tasks = [self._task() for _ in range(200)]

    def keep(self, store: Store) -> None:
        for person in self.people:
            added(store, *person)
        added(store, *self.projects, *self.memberships)
        self.tasks = added_tasks(store, *self.tasks)

    def _task(self) -> Task:
        chance = self.chance
        people = [person.user.id for person in self.people]
        return a_task(
            chance.choice(self.projects),
            title=" ".join(chance.sample(VOCABULARY, 2)),
            description=", ".join(chance.sample(VOCABULARY, chance.randrange(3))).upper(),
            status=chance.choice(list(Status)),
            priority=chance.choice(list(Priority)),
            labels=tuple(chance.sample(["a", "b", "c, d", "é"], chance.randrange(4))),
            due=self._due(),
            assignee_id=chance.choice([None, *people]),
            created_by=chance.choice(people),
            archived_at=chance.choice([None, None, None, AT]),
            created_at=self._instant(),
            updated_at=self._instant(),
        )

    def _instant(self) -> datetime:
        return AT + timedelta(minutes=self.chance.randrange(20), milliseconds=self.chance.randrange(2))

    def _due(self) -> Due | None:
        zone = self.chance.choice([None, "Europe/Berlin", "America/Los_Angeles"])
        at = self.chance.choice([None, time(9, 30), time(17)])
        return self.chance.choice([None, Due(date(2026, 11, self.chance.randrange(18, 23)), at, zone)])

    def query(self) -> TaskQuery:
        asked = TaskFilter(at=AT, **{name: value for name, value in self._asked() if self.chance.random() < 0.2})
        return TaskQuery(self._scopes(), self.chance.choice([1, 7, 50]), filter=asked, order=self.chance.choice(ORDERS))

    def _scopes(self) -> tuple[Scope, ...]:
        user_id = self.chance.choice(self.people).user.id
        writers = frozenset({ProjectRole.OWNER, ProjectRole.EDITOR})
        scopes = self.chance.choice(
            [
                EVERYTHING,
                (Scope(user_id),),
                (Scope(user_id, writers),),
                (Scope(user_id, writers), Scope(user_id, involved=True)),
                (Scope(user_id, involved=True),),
            ]
        )
        projects = self.chance.choice([None, 1, 1000])  # what a store is told does not change what it finds
        return tuple(replace(scope, projects=projects) for scope in scopes)

    def _asked(self) -> list[tuple[str, Any]]:
        chance = self.chance
        word = chance.choice(words_of(" ".join(VOCABULARY)))
        return [
            ("project_id", chance.choice(self.projects).id),
            ("status", tuple(chance.sample(list(Status), 3))),
            ("priority", tuple(chance.sample(list(Priority), 2))),
            ("label", tuple(chance.sample(["a", "b", "c, d", "é"], 2))),
            ("assignee_id", chance.choice(self.people).user.id),
            ("due_before", AT + timedelta(hours=chance.randrange(-48, 48))),
            ("due_after", AT + timedelta(hours=chance.randrange(-48, 48))),
            ("overdue", chance.random() < 0.5),
            ("created_after", self._instant()),
            ("updated_after", self._instant()),
            ("archived", chance.choice(list(Archived))),
            ("words", (word[: chance.randrange(1, 4)],)),
        ]

    def found(self, query: TaskQuery) -> list[str]:
        fitting = [
            task
            for task in self.tasks
            if any(self._is_in(task, scope) for scope in query.scopes) and fits(task, query.filter)
        ]
        return in_order(fitting, query.order)

    def _is_in(self, task: Task, scope: Scope) -> bool:
        roles = {m.role for m in self.memberships if (m.project_id, m.user_id) == (task.project_id, scope.user_id)}
        involved = scope.user_id in {task.created_by, task.assignee_id} or not scope.involved
        return scope.user_id is None or (bool(roles & scope.roles) and involved)


def fits(task: Task, asked: TaskFilter) -> bool:
    """Whether everything holds that a filter asks for."""
    last = task.overdue_after()
    text = f"{task.title} {task.description}".lower().replace("%", " ").replace("_", " ").replace(",", " ")
    overdue = last is not None and task.status not in CLOSED and last < AT
    return all(
        (
            asked.project_id in {None, task.project_id},
            not asked.status or task.status in asked.status,
            not asked.priority or task.priority in asked.priority,
            not asked.label or set(task.labels) & set(asked.label),
            asked.assignee_id in {None, task.assignee_id},
            asked.due_before is None or (last is not None and last < asked.due_before),
            asked.due_after is None or (last is not None and last >= asked.due_after),
            asked.overdue in {None, overdue},
            asked.created_after is None or task.created_at >= asked.created_after,
            asked.updated_after is None or task.updated_at >= asked.updated_after,
            asked.archived is Archived.INCLUDE or (task.archived_at is None) is (asked.archived is Archived.EXCLUDE),
            all(any(word.startswith(begin) for word in text.split()) for begin in asked.words or ()),
        )
    )


@pytest.mark.parametrize("seed", [4, 2026])
def test_any_query_finds_what_a_plain_loop_finds(store: Store, seed: int) -> None:
    plain = Plain(random.Random(seed))  # noqa: S311 - the same each time
    plain.keep(store)
    sizes = []
    for _ in range(100):
        query = plain.query()
        expected = plain.found(query)
        assert turned_as_lines(store, query) == expected, query
        sizes.append(len(expected))

    assert sum(size > 0 for size in sizes) > 50
    assert sum(0 < size < 100 for size in sizes) > 30
