"""A process dies after any one write of a commit, on a server without transactions: task, head, log and claim agree.

Whoever comes next finds it out by itself: the retry, the next commit in the project, or the next start (``migrate``).
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import (
    AT,
    a_job_run,
    a_membership,
    a_notification,
    a_person,
    a_project,
    a_reminder,
    a_task,
    added,
    added_tasks,
    changes,
)
from tests.databases import database, open_store
from tracker.domain.changes import Change
from tracker.domain.query import MemberQuery
from tracker.store.contract import Claim, Stale
from tracker.store.mongo import modes
from tracker.store.mongo.access import Access
from tracker.store.mongo.commit import Commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracker.domain.project import Project
    from tracker.store.contract import Store

    Killing = Callable[[int, Callable[[], object]], None]

pytestmark = pytest.mark.mongodb

WRITES = ("insert", "update", "replace", "update_all", "delete", "deleted", "write", "add")
MOST = 14  # writes of any commit here


class Killed(BaseException):
    """The process does not live to see any more."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store that takes others for dead soon."""
    monkeypatch.setattr(modes, "LEASE", 0.3)
    monkeypatch.setattr(modes, "A_CHANGE", 0.0)
    with database("mongodb") as url, closing(open_store(url)) as store:
        yield store


@pytest.fixture
def killed_after(monkeypatch: pytest.MonkeyPatch) -> Killing:
    """Do something in a process that dies after so many writes, and so takes nothing back."""

    def kill_after(writes: int, act: Callable[[], object]) -> None:
        left = [writes]
        with monkeypatch.context() as patch:
            for name in WRITES:
                patch.setattr(Access, name, counted(getattr(Access, name), left))
            patch.setattr(Commit, "_undo", lambda _: None)
            with suppress(Killed):
                act()

    return kill_after


def counted(write: Any, left: list[int]) -> Any:
    """Return a write that is made as long as there are some left."""

    def made(*given: Any, **more: Any) -> Any:
        if left[0] <= 0:
            raise Killed
        found = write(*given, **more)
        left[0] -= 1
        return found

    return made


def a_claim(answer: str) -> Claim:
    return Claim("ann", "k", "f" * 64, AT, lambda _receipt: answer)


def check_agreement(store: Store, project: Project) -> None:
    """A project's log goes on without a gap to its head, and its last word on each thing is how that is."""
    found, log = store.project(project.id), store.log(project.id)
    assert found is not None
    assert sorted({entry.head for entry in log}) == list(range(1, found.head + 1))
    last = {(entry.entity, entry.entity_id): entry.after for entry in log}
    there = [thing for thing in last.values() if thing is not None and thing.project_id == project.id]
    tasks = store.project_tasks(project.id, limit=100)
    members = [member.membership for member in store.members(MemberQuery(project.id))]
    assert sorted(thing.id for thing in there if thing.id != project.id) == sorted(
        [*(task.id for task in tasks), *(member.id for member in members)]
    )
    assert all(last["task", task.id] == task for task in tasks)


@pytest.mark.parametrize("writes", range(MOST))
def test_what_has_a_key_has_one_effect_and_its_answer(store: Store, killed_after: Any, writes: int) -> None:
    ann = a_person()
    added(store, *ann)
    first, second = a_task(ann.inbox, title="first"), a_task(ann.inbox, title="second")
    killed_after(writes, lambda: store.commit(changes(Change(None, first), operation_id="1"), a_claim("first")))

    with suppress(Stale):
        store.commit(changes(Change(None, second), operation_id="2"), a_claim("second"))

    claimed = store.claimed("ann", "k")
    assert claimed is not None
    assert [task.title for task in store.project_tasks(ann.inbox.id, limit=9)] == [claimed.answer]
    check_agreement(store, ann.inbox)


@pytest.mark.parametrize("writes", range(MOST))
def test_whoever_writes_next_finds_a_whole_commit_or_none(store: Store, killed_after: Any, writes: int) -> None:
    ann, garden = a_person(), a_project()
    added(store, *ann, garden, a_membership(garden, ann.user))
    task, other = added_tasks(store, a_task(ann.inbox), a_task(ann.inbox))
    moved = Change(task, replace(task, project_id=garden.id, number=0, version=2))
    renamed = Change(other, replace(other, title="renamed", version=2))
    killed_after(writes, lambda: store.commit(changes(moved, renamed, operation_id="1")))

    added(store, a_task(ann.inbox), a_task(garden))

    found = [store.task(task.id), store.task(other.id)]
    assert [one and one.version for one in found] in ([1, 1], [2, 2])
    for project in (ann.inbox, garden):
        check_agreement(store, project)


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("writes", range(MOST))
def test_after_the_next_start_somebody_is_registered_whole_or_not_at_all(
    store: Store, killed_after: Any, writes: int, *, keyed: bool
) -> None:
    ann = a_person()
    claim = a_claim("in") if keyed else None
    killed_after(writes, lambda: store.commit(changes(*(Change(None, one) for one in ann), operation_id="1"), claim))

    store.migrate()
    if store.user(ann.user.id) is None:
        store.commit(changes(*(Change(None, one) for one in ann), operation_id="2"), claim)

    added(store, a_task(ann.inbox))
    standing = store.standing(ann.session.id, asked="everything")
    assert standing is not None
    assert standing.heads == 2
    check_agreement(store, ann.inbox)


@pytest.mark.parametrize("writes", range(MOST))
def test_a_project_that_is_deleted_goes_with_all_that_is_in_it(store: Store, killed_after: Any, writes: int) -> None:
    ann, garden = a_person(), a_project()
    added(store, *ann, garden, a_membership(garden, ann.user), a_task(garden))
    gone = Change(replace(garden, head=1, last_number=1), None)
    killed_after(writes, lambda: store.commit(changes(gone, operation_id="1")))

    with suppress(Stale):
        store.commit(changes(gone, operation_id="2"))

    assert store.project(garden.id) is None
    assert store.project_tasks(garden.id, limit=9) == []
    assert [entry.head for entry in store.log(garden.id)] == [1, 1, 1, 2]
    standing = store.standing(ann.session.id, asked="everything")
    assert standing is not None
    assert standing.heads == 1


@pytest.mark.parametrize("writes", range(MOST))
def test_a_run_has_gone_on_just_where_its_step_was_made(store: Store, killed_after: Any, writes: int) -> None:
    ann, run = a_person(), a_job_run()
    added(store, *ann, run)
    (task,) = added_tasks(store, a_task(ann.inbox))
    told = a_notification(ann.user, task)
    step = Change(None, a_reminder(task)), Change(None, told), Change(run, run.advanced("p-7", done=1, at=AT))
    killed_after(writes, lambda: store.commit(changes(*step, operation_id="1")))

    added(store, a_task(ann.inbox))

    found = store.job_run(run.job, run.window)
    noticed = [entry for entry in store.log(ann.inbox.id) if entry.entity == "reminder"]
    assert found is not None
    assert (found.version == 2) is bool(noticed)
