"""Each condition of ``domain/access.py`` stands there twice: the predicate and its scopes must mean the same."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.builders import a_membership, a_person, a_project, a_task, added
from tests.databases import ON_EVERY_DATABASE, TRANSACTIONAL, database, open_store
from tracker.domain.access import ACCESS, Actor, Permission
from tracker.domain.project import ProjectRole
from tracker.domain.query import TaskQuery
from tracker.domain.user import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.builders import Person
    from tracker.domain.task import Task
    from tracker.store.contract import Store

PROJECT_ROLES = (*ProjectRole, None)


class Involved(NamedTuple):
    """Ann, and every involvement of hers with a task, in projects where she has every role, or none."""

    store: Store
    ann: Person
    tasks: Sequence[Task]


@pytest.fixture(scope="module", params=[*ON_EVERY_DATABASE, *TRANSACTIONAL])
def involved(request: pytest.FixtureRequest) -> Iterator[Involved]:
    """One installation for all: nobody here changes anything."""
    with database(request.param) as url:
        store = open_store(url)
        ann, bob = a_person(), a_person()
        added(store, *ann)
        added(store, *bob)
        yield Involved(store, ann, list(_every_involvement(store, ann, bob)))
        store.close()


def _every_involvement(store: Store, ann: Person, bob: Person) -> Iterator[Task]:
    for role in PROJECT_ROLES:
        project = a_project()
        members = [a_membership(project, ann.user, role=role)] if role else []
        people = product((ann.user.id, bob.user.id), (ann.user.id, bob.user.id, None))
        here = [a_task(project, created_by=creator, assignee_id=assignee) for creator, assignee in people]
        added(store, project, a_membership(project, bob.user), *members, *here)
        yield from here


@pytest.mark.parametrize(
    ("permission", "role"), [(permission, role) for permission in Permission for role in ACCESS[permission]]
)
def test_a_condition_lists_just_the_tasks_it_holds_for(involved: Involved, permission: Permission, role: Role) -> None:
    store, ann, tasks = involved
    actor = Actor(ann.user.id, ann.session.id, role, ann.inbox.id, 1, store.memberships(ann.user.id))
    holds = {task.id for task in tasks if actor.condition(permission).holds(actor, task)}
    listed = [task.id for task in store.tasks(TaskQuery(actor.scopes(permission), 200)).items]
    assert set(listed) == holds
    assert len(listed) == len(holds)
    assert holds
