"""Everything, out of any store and into any other: what is there is the same, and everybody goes on where they were."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import AT, a_person, a_task, added, added_tasks, changes
from tests.contents import looking_into
from tests.databases import ON_EVERY_DATABASE, TRANSACTIONAL, database, open_store
from tests.racing import at_once
from tests.transfer.conftest import exported, imported, lived_in
from tests.world import World
from tracker.domain.access import Scope
from tracker.domain.changes import Change
from tracker.domain.query import Archived, ProjectQuery, TaskFilter, TaskQuery, UserQuery
from tracker.domain.refusals import Unavailable
from tracker.domain.session import Session
from tracker.store.contract import Stale
from tracker.store.kept import SORTED_BY, NotEmpty
from tracker.store.mongo import kept as mongo_kept
from tracker.store.mongo import modes
from tracker.transfer.lines import KINDS, NAME_OF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.store.contract import Store
    from tracker.store.kept import Kept

every_database = pytest.mark.parametrize("other", [*ON_EVERY_DATABASE, *TRANSACTIONAL])


@contextmanager
def empty(kind: str) -> Iterator[Store]:
    with database(kind) as url, closing(open_store(url)) as store:
        yield store


@every_database
def test_what_is_exported_imported_and_exported_again_is_the_same_and_everybody_goes_on_where_they_were(
    store: Store, world: World, other: str
) -> None:
    first = exported(store)
    with empty(other) as target:
        sha256 = imported(target, first)

        assert exported(target) == first
        assert everything_seen(target) == everything_seen(store)
        assert states(target) == states(store)
    assert json.loads(first.splitlines()[-1])["end"]["sha256"] == sha256


def test_there_is_a_line_for_something_of_every_kind_and_they_count_up(store: Store, world: World) -> None:
    lines = exported(store).splitlines()
    counts = json.loads(lines[-1])["end"]["counts"]
    assert sorted(counts) == sorted(KINDS)
    assert min(counts.values()) > 0
    assert sum(counts.values()) == len(lines) - 2
    assert store.count_kept() >= sum(counts.values())


def test_what_is_good_for_a_while_only_stays_where_it_is(store: Store, world: World, url: str) -> None:
    text = exported(store).decode()
    assert not {"session", "refresh_token", "password_reset", "claim", "job_run"} & KINDS.keys()
    with looking_into(url) as everything:
        left = [name for name, found in everything().items() if found and name not in text]
    assert {"sessions", "refresh_tokens", "password_resets", "job_runs"} <= {*left}


def everything_seen(store: Store) -> dict[str, Any]:
    """Return what is to be seen through the reads that operations use, and the state that names it for each user."""
    users = store.users(UserQuery(limit=200))
    projects = store.projects(ProjectQuery(archived=Archived.INCLUDE, limit=200))
    wanted = TaskQuery((Scope(None),), 200, filter=TaskFilter(archived=Archived.INCLUDE))
    return {
        "users": users,
        "projects": projects,
        "tasks": store.tasks(wanted),
        "members": {user.id: dict(store.memberships(user.id)) for user in users},
        "logs": {project.id: store.log(project.id, limit=1000) for project in projects},
        "feeds": [store.calendar_feed_of(user.id) for user in users],
        "positions": [store.position("notifications", project.id) for project in projects],
        "behind": store.behind("mail", limit=200),
    }


def states(store: Store) -> dict[str, tuple[int, int | None]]:
    """Return what names the state of all that each user sees, as somebody who has just logged in."""
    found = {}
    for user in store.users(UserQuery(limit=200)):
        session = Session.new(user, at=AT)
        added(store, session)
        standing = store.standing(session.id, asked="everything")
        assert standing is not None
        found[user.id] = (standing.access_version, standing.heads)
    return found


def test_numbers_and_heads_count_on(store: Store, world: World) -> None:
    project = next(p for p in store.projects(ProjectQuery(limit=200)) if p.last_number)
    with empty("sqlite") as target:
        imported(target, exported(store))
        task = a_task(project)

        receipt = added(target, task)

        assert receipt.heads == {project.id: project.head + 1}
        kept = target.task(task.id)
        assert kept is not None
        assert kept.number == project.last_number + 1


@every_database
def test_a_project_that_was_deleted_can_come_back_elsewhere(other: str) -> None:
    with empty("sqlite") as store:
        _come_back(store, other)


def _come_back(store: Store, other: str) -> None:
    world = World(store)
    ann = world.person("ann")
    client = world.of(ann)
    shed = client.post("/projects", {"name": "Shed"}).json
    client.post("/tasks", {"title": "Sweep", "project_id": shed["id"]})
    gone = client.delete(f"/projects/{shed['id']}").headers["operation-id"]
    lines = exported(store)
    with empty(other) as target:
        imported(target, lines)
        there = World(target)
        again = there.of(there.log_in(ann.user))

        assert again.post(f"/operations/{gone}/undo").status == 200

        assert again.get(f"/projects/{shed['id']}").status == 200
        assert [task["title"] for task in again.get("/tasks").json["items"]] == ["Sweep"]
        (project,) = [p for p in target.projects(ProjectQuery(limit=9)) if p.id == shed["id"]]
        assert project.head == 4


def test_nothing_is_imported_where_somebody_is_or_ever_was(store: Store) -> None:
    with empty("sqlite") as source:
        lived_in(source)
        lines = exported(source)
    ann = a_person()
    added(store, *ann)
    before = exported(store)

    with pytest.raises(NotEmpty):
        imported(store, lines)

    assert exported(store) == before
    store.ping()


def broken_off(things: Iterator[Kept], after: int) -> Iterator[Kept]:
    for n, thing in enumerate(things):
        if n == after:
            raise InterruptedError
        yield thing


@pytest.mark.parametrize("after", [0, 3, 700])
def test_an_import_that_breaks_off_leaves_nothing_and_can_be_made_again(store: Store, url: str, after: int) -> None:
    with empty("sqlite") as source, looking_into(url) as look:
        world = World(source)
        ann = world.person("ann")
        added_tasks(source, *(a_task(id_) for id_ in [source.project(ann.user.inbox_id)] * 400))
        before = {name: rows for name, rows in look().items() if rows}

        with pytest.raises(InterruptedError):
            store.restore(broken_off(source.everything(), after))

        assert {name: rows for name, rows in look().items() if rows} == before
        store.ping()
        imported(store, exported(source))
        assert exported(store) == exported(source)


def test_what_is_there_twice_is_refused_by_the_store_itself(store: Store) -> None:
    with empty("sqlite") as source:
        lived_in(source)
        things = list(source.everything())

    with pytest.raises(Stale):
        store.restore(iter([*things, things[-1]]))

    assert not store.has_users()


def test_of_several_imports_at_once_one_is_made_and_the_others_leave_no_trace(store: Store) -> None:
    with empty("sqlite") as source:
        lived_in(source)
        lines = exported(source)

    def imported_or_not(_: int) -> bool:
        try:
            return bool(imported(store, lines))
        except (NotEmpty, Unavailable):
            return False

    assert sum(at_once(4, imported_or_not)) == 1
    assert exported(store) == lines
    store.ping()


@pytest.mark.mongodb
def test_what_a_crash_leaves_of_an_import_is_no_installation_and_gone_with_the_next_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(modes, "LEASE", 0.1)
    with empty("mongodb") as store, empty("sqlite") as source:
        world = lived_in(source)
        with monkeypatch.context() as crashed:
            crashed.setattr(mongo_kept, "_clear", lambda _access: None)
            with pytest.raises(InterruptedError):
                store.restore(broken_off(source.everything(), 40))
        with pytest.raises(Unavailable):
            store.ping()
        with pytest.raises(Unavailable):
            imported(store, exported(source))

        store.migrate()

        store.ping()
        assert not store.has_users()
        imported(store, exported(source))
        assert exported(store) == exported(world.store)


@pytest.mark.parametrize("kind", ON_EVERY_DATABASE[:2])
def test_what_is_committed_while_all_of_it_is_read_is_not_in_it(kind: str) -> None:
    with empty(kind) as store:
        world = World(store)
        ann = world.person("ann")
        project = store.project(ann.user.inbox_id)
        assert project is not None
        added_tasks(store, *(a_task(project) for _ in range(1200)))
        with closing(store.everything()) as everything:
            found = [next(everything)]
            added(store, a_task(project))
            store.commit(changes(Change(None, Session.new(ann.user, at=AT))))
            found.extend(everything)
        assert [NAME_OF[type(one)] for one in found].count("task") == 1200
        assert [NAME_OF[type(one)] for one in found].count("log_entry") == 1202


@pytest.mark.mongodb
def test_on_mongodb_an_export_during_which_something_is_committed_is_worth_nothing() -> None:
    with empty("mongodb") as store:
        ann = a_person()
        added(store, *ann)
        project = store.project(ann.inbox.id)
        assert project is not None
        everything = store.everything()
        next(everything)
        added(store, a_task(project))
        with pytest.raises(Unavailable, match="committed while"):
            list(everything)


def peak_of(tasks: int) -> int:
    """Return how much memory an export and an import of so many tasks took at the most."""
    with empty("sqlite") as store, empty("sqlite") as target:
        ann = a_person()
        added(store, *ann)
        project = store.project(ann.inbox.id)
        for _ in range(tasks // 500):
            added(store, *(a_task(project) for _ in range(500)))
        tracemalloc.start()
        target.restore(store.everything())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak


def test_ten_times_the_tasks_take_no_more_memory() -> None:
    peak_of(500)  # what is compiled once is compiled
    assert peak_of(5_000) < 2 * peak_of(500) + 1_000_000


def test_kinds_come_in_one_order(store: Store, world: World) -> None:
    ranks = [list(SORTED_BY).index(type(one)) for one in store.everything()]
    assert ranks == sorted(ranks)
