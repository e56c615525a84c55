"""Each condition of ``domain/access.py`` stands there twice: the predicate and its scopes must mean the same."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from tests.builders import Person, a_membership, a_person, a_project, a_task, added
from tracker.domain.access import ACCESS, Actor, Permission
from tracker.domain.project import ProjectRole
from tracker.domain.query import TaskQuery
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tracker.domain.task import Task
    from tracker.store.contract import Store

PROJECT_ROLES = (*ProjectRole, None)


@pytest.fixture
def bob(store: Store) -> Person:
    """Somebody else."""
    bob = a_person()
    added(store, *bob)
    return bob


@pytest.fixture
def tasks(store: Store, ann: Person, bob: Person) -> list[Task]:
    """Every involvement of Ann with a task, in projects where she has every role, or none."""
    made = []
    for role in PROJECT_ROLES:
        project = a_project()
        members = [a_membership(project, ann.user, role=role)] if role else []
        people = product((ann.user.id, bob.user.id), (ann.user.id, bob.user.id, None))
        here = [a_task(project, created_by=creator, assignee_id=assignee) for creator, assignee in people]
        added(store, project, a_membership(project, bob.user), *members, *here)
        made += here
    return made


@pytest.mark.parametrize(
    ("permission", "role"), [(permission, role) for permission in Permission for role in ACCESS[permission]]
)
def test_a_condition_lists_just_the_tasks_it_holds_for(
    store: Store, ann: Person, tasks: list[Task], permission: Permission, role: Role
) -> None:
    actor = Actor(ann.user.id, ann.session.id, role, ann.inbox.id, 1, 1, store.memberships(ann.user.id))
    holds = {task.id for task in tasks if actor.condition(permission).holds(actor, task)}
    listed = [task.id for task in store.tasks(TaskQuery(actor.scopes(permission), 200)).items]
    assert set(listed) == holds
    assert len(listed) == len(holds)
    assert holds
