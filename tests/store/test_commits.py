"""What a commit promises, one sentence of ``store/contract.py`` after the other."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.builders import (
    AT,
    a_membership,
    a_person,
    a_project,
    a_refresh_token,
    a_session,
    a_task,
    added,
    added_tasks,
    changes,
    removed,
    replaced,
)
from tracker.domain.changes import Change
from tracker.domain.project import ProjectRole
from tracker.domain.refusals import Taken
from tracker.domain.user import Role
from tracker.store.contract import Receipt, Stale

if TYPE_CHECKING:
    from tests.builders import Person
    from tracker.domain.project import Project
    from tracker.domain.task import Task
    from tracker.store.contract import Store


def kept(store: Store, task: Task) -> Task:
    found = store.task(task.id)
    assert found is not None
    return found


def head(store: Store, project: Project) -> int:
    found = store.project(project.id)
    assert found is not None
    return found.head


def access_version(store: Store, person: Person) -> int:
    found = store.standing(person.session.id)
    assert found is not None
    return found.access_version


@pytest.fixture
def task(store: Store, kitchen: Project) -> Task:
    task = a_task(kitchen)
    added(store, task)
    return kept(store, task)


def test_a_change_to_a_version_that_is_no_more_is_stale(store: Store, task: Task) -> None:
    replaced(store, task, title="Water the roses")
    with pytest.raises(Stale) as stale:
        replaced(store, task, title="Water the herbs")
    assert stale.value.entity_id == task.id
    assert kept(store, task).title == "Water the roses"


def test_deleting_a_version_that_is_no_more_is_stale(store: Store, task: Task) -> None:
    changed = replaced(store, task, title="Water the roses")
    with pytest.raises(Stale):
        removed(store, task)
    removed(store, changed)
    assert store.task(task.id) is None


def test_a_change_to_what_is_gone_is_stale(store: Store, task: Task) -> None:
    removed(store, task)
    with pytest.raises(Stale):
        replaced(store, task, title="Water the roses")


def test_every_kind_of_thing_is_matched_on_its_version(store: Store, ann: Person) -> None:
    token = a_refresh_token(ann.session)
    added(store, token)
    project = store.project(ann.inbox.id)
    assert project is not None
    for entity in (ann.user, ann.session, ann.membership, token, project):
        after = replace(entity, version=entity.version + 1)
        store.commit(changes(Change(entity, after)))
        with pytest.raises(Stale):
            store.commit(changes(Change(entity, after)))


def test_what_exists_cannot_be_created_again(store: Store, task: Task) -> None:
    with pytest.raises(Stale):
        added(store, task)


def test_a_commit_is_made_as_a_whole_or_not_at_all(store: Store, kitchen: Project, task: Task) -> None:
    other = a_task(kitchen)
    before = head(store, kitchen)
    rename = replace(task, title="Water the roses", version=2)
    with pytest.raises(Stale):
        store.commit(changes(Change(task, rename), Change(None, other), Change(a_task(kitchen), None)))
    assert kept(store, task) == task
    assert store.task(other.id) is None
    assert head(store, kitchen) == before
    assert len(store.log(kitchen.id)) == 1 + 1 + 1  # the project, its owner, the task


def test_what_fails_last_takes_back_what_was_first(store: Store, ann: Person) -> None:
    bob = a_person(email=ann.user.email)
    with pytest.raises(Taken):
        added(store, *bob)
    assert store.project(bob.inbox.id) is None
    assert store.user(bob.user.id) is None
    assert store.log(bob.inbox.id) == []


def test_changes_that_change_nothing_touch_nothing(store: Store, kitchen: Project, task: Task) -> None:
    before = head(store, kitchen)
    assert store.commit(changes()) == Receipt({}, {})
    assert store.commit(changes(Change(task, replace(task)))) == Receipt({}, {})
    assert head(store, kitchen) == before


@pytest.mark.parametrize("field", ["email", "username"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ann", "Ann"),
        ("Ann", "aNN"),
        ("Zoë", unicodedata.normalize("NFD", "zoË")),
        ("Weiß", "WEISS"),
    ],
)
def test_names_are_unique_however_they_are_written(store: Store, field: str, first: str, second: str) -> None:
    added(store, *a_person(**{field: first}))
    with pytest.raises(Taken) as taken:
        added(store, *a_person(**{field: second}))
    assert taken.value.field == field


def test_a_name_cannot_be_changed_to_one_that_is_taken(store: Store, ann: Person) -> None:
    bob = a_person()
    added(store, *bob)
    with pytest.raises(Taken, match="email"):
        replaced(store, bob.user, email=ann.user.email.upper())


def test_a_user_has_one_membership_in_a_project(store: Store, ann: Person) -> None:
    with pytest.raises(Taken, match="membership"):
        added(store, a_membership(ann.inbox, ann.user, role=ProjectRole.VIEWER))


def test_a_refusal_names_no_value(store: Store, ann: Person) -> None:
    with pytest.raises(Taken) as taken:
        added(store, *a_person(email=ann.user.email))
    assert ann.user.email not in str(taken.value)


def test_a_created_project_begins_with_head_1(store: Store) -> None:
    project = a_project()
    receipt = added(store, project, a_task(project))
    assert receipt.heads == {project.id: 1}
    assert receipt.arrived[project.id] == replace(project, head=1, last_number=1) == store.project(project.id)


def test_each_commit_moves_the_head_of_each_project_it_touches_by_one(store: Store, kitchen: Project) -> None:
    garden = a_project()
    added(store, garden)
    receipt = added(store, a_task(kitchen), a_task(kitchen), a_task(garden))
    assert receipt.heads == {kitchen.id: 2, garden.id: 2}
    assert (head(store, kitchen), head(store, garden)) == (2, 2)


def test_people_and_their_sessions_are_in_no_project(store: Store, ann: Person) -> None:
    before = store.log(ann.inbox.id)
    session = a_session(ann.user)
    assert added(store, session, a_refresh_token(session)).heads == {}
    replaced(store, ann.user, password_hash="another")
    assert store.log(ann.inbox.id) == before


def test_no_secret_reaches_the_log(store: Store) -> None:
    ann = a_person(password_hash="argon2-canary")
    added(store, *ann)
    assert [entry.entity for entry in store.log(ann.inbox.id)] == ["project", "membership"]
    assert "canary" not in repr(store.log(ann.inbox.id))


def test_a_task_in_a_project_that_is_gone_is_stale(store: Store) -> None:
    with pytest.raises(Stale):
        added(store, a_task(a_project()))


def test_a_commit_on_another_head_than_it_requires_is_stale(store: Store, kitchen: Project, task: Task) -> None:
    renamed = Change(task, replace(task, title="Water the roses", version=2))
    with pytest.raises(Stale) as stale:
        store.commit(changes(renamed, required_heads={kitchen.id: 1}))
    assert stale.value.entity_id == kitchen.id
    assert kept(store, task) == task
    assert store.commit(changes(renamed, required_heads={kitchen.id: 2})).heads == {kitchen.id: 3}


def test_a_head_can_be_required_of_a_project_that_is_not_changed(store: Store, kitchen: Project, task: Task) -> None:
    garden = a_project()
    added(store, garden)
    renamed = Change(task, replace(task, title="Water the roses", version=2))
    with pytest.raises(Stale):
        store.commit(changes(renamed, required_heads={garden.id: 2}))
    store.commit(changes(renamed, required_heads={garden.id: 1}))
    assert head(store, garden) == 1


def test_tasks_are_numbered_in_their_order_from_1(store: Store, kitchen: Project) -> None:
    tasks = [a_task(kitchen) for _ in range(3)]
    created = added(store, *tasks).arrived
    assert [created[task.id] for task in tasks] == [replace(task, number=n) for n, task in enumerate(tasks, 1)]
    assert [kept(store, task).number for task in tasks] == [1, 2, 3]


def test_a_number_is_never_given_twice(store: Store, kitchen: Project, task: Task) -> None:
    removed(store, task)
    another = a_task(kitchen)
    added(store, another)
    assert kept(store, another).number == 2


def test_a_task_that_moves_is_numbered_and_logged_where_it_arrives(store: Store, kitchen: Project, task: Task) -> None:
    garden = a_project()
    added(store, garden, a_task(garden))
    receipt = store.commit(changes(Change(task, replace(task, project_id=garden.id, number=0, version=2))))
    assert receipt.heads == {kitchen.id: 3, garden.id: 2}
    assert kept(store, task) == replace(task, project_id=garden.id, number=2, version=2)
    left, arrived = store.log(kitchen.id)[-1], store.log(garden.id)[-1]
    assert left.before == arrived.before
    assert left.after == arrived.after
    assert left.after == kept(store, task)


def test_a_task_can_move_to_a_project_that_is_made_with_it(store: Store, task: Task) -> None:
    garden = a_project()
    moved = Change(task, replace(task, project_id=garden.id, number=0, version=2))
    assert store.commit(changes(moved, Change(None, garden))).heads[garden.id] == 1
    assert (kept(store, task).project_id, kept(store, task).number) == (garden.id, 1)


def test_the_log_has_one_entry_for_each_change_in_their_order(store: Store, kitchen: Project, task: Task) -> None:
    other = a_task(kitchen)
    renamed = replace(task, title="Water the roses", version=2)
    store.commit(changes(Change(None, other), Change(task, renamed), operation_id="op-7", actor_id="ann"))
    created, changed = store.log(kitchen.id, after=2)
    assert (created.head, created.n, changed.head, changed.n) == (3, 1, 3, 2)
    assert {(entry.operation_id, entry.actor_id, entry.at) for entry in (created, changed)} == {("op-7", "ann", AT)}
    assert (created.entity, created.entity_id, created.before) == ("task", other.id, None)
    assert created.after == kept(store, other)
    assert changed.before == task
    assert changed.after == renamed


def test_the_log_is_read_from_a_head_on_and_so_far(store: Store, kitchen: Project) -> None:
    for _ in range(5):
        added(store, a_task(kitchen), a_task(kitchen))
    entries = store.log(kitchen.id)
    assert [(entry.head, entry.n) for entry in entries] == [(at, n) for at in range(1, 7) for n in (1, 2)]
    assert store.log(kitchen.id, after=3) == entries[6:]
    assert store.log(kitchen.id, after=3, limit=3) == entries[6:9]
    assert store.log(kitchen.id, after=6) == []


def test_a_changed_project_is_logged_with_its_new_head(store: Store, kitchen: Project) -> None:
    project = store.project(kitchen.id)
    assert project is not None
    renamed = replaced(store, project, name="Scullery")
    assert store.project(kitchen.id) == replace(renamed, head=2)
    assert store.log(kitchen.id)[-1].after == replace(renamed, head=2)


def test_a_membership_is_logged_whole(store: Store, ann: Person) -> None:
    entry = store.log(ann.inbox.id)[1]
    assert entry.entity_id == f"{ann.inbox.id}/{ann.user.id}"
    assert entry.after == ann.membership


def test_every_change_of_a_membership_raises_its_users_access_version(store: Store, ann: Person) -> None:
    garden = a_project()
    membership = a_membership(garden, ann.user)
    seen = [access_version(store, ann)]
    added(store, garden, membership)
    seen.append(access_version(store, ann))
    viewer = replaced(store, membership, role=ProjectRole.VIEWER)
    seen.append(access_version(store, ann))
    removed(store, viewer)
    seen.append(access_version(store, ann))
    assert seen == list(range(seen[0], seen[0] + 4))


def test_another_role_raises_the_access_version_and_another_password_does_not(store: Store, ann: Person) -> None:
    before = access_version(store, ann)
    admin = replaced(store, ann.user, role=Role.ADMIN)
    assert access_version(store, ann) == before + 1
    replaced(store, admin, password_hash="another")
    assert access_version(store, ann) == before + 1


def test_a_deleted_project_takes_its_tasks_and_members_with_it_and_leaves_its_log(store: Store, ann: Person) -> None:
    garden = a_project()
    task = a_task(garden)
    admin = a_person(role=Role.ADMIN)
    added(store, garden, a_membership(garden, ann.user), task, *admin)
    before = access_version(store, ann), access_version(store, admin)
    assert removed(store, replace(garden, head=1)).heads == {garden.id: 2}
    assert store.project(garden.id) is None
    assert store.task(task.id) is None
    assert list(store.memberships(ann.user.id)) == [ann.inbox.id]
    last = store.log(garden.id)[-1]
    assert (last.head, last.entity, last.after) == (2, "project", None)
    # Ann's sum of heads went down: only this keeps it from naming a state that she has seen.
    assert (access_version(store, ann), access_version(store, admin)) == (before[0] + 1, before[1] + 1)


def test_a_deleted_session_takes_its_tokens_with_it(store: Store, ann: Person) -> None:
    token = a_refresh_token(ann.session)
    added(store, token)
    removed(store, ann.session)
    assert store.session(ann.session.id) is None
    assert store.refresh_token(token.id) is None


def test_what_refers_to_somebody_who_is_gone_is_stale(store: Store) -> None:
    with pytest.raises(Stale):
        added(store, a_session(a_person().user))


def test_two_hundred_changes_are_one_commit(store: Store, kitchen: Project) -> None:
    tasks = added_tasks(store, *(a_task(kitchen) for _ in range(200)))
    done = [Change(task, replace(task, title="Done", version=2)) for task in tasks]
    assert store.commit(changes(*done)).heads == {kitchen.id: 3}
    assert [entry.n for entry in store.log(kitchen.id, after=2)] == list(range(1, 201))
