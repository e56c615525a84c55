"""Putting tasks away and taking them out again: whatever their status, and what lists make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.world import World
from tracker.domain.identity import new_id
from tracker.domain.project import ProjectRole
from tracker.domain.task import Status
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Client, Received
    from tests.world import Person
    from tracker.domain.project import Project
    from tracker.store.contract import Store

Json = dict[str, Any]
both_ways = pytest.mark.parametrize("way", ["archive", "unarchive"])


@pytest.fixture
def task(client: Client, kitchen: Project) -> Json:
    made: Json = client.post("/tasks", {"title": "Water the plants", "project_id": kitchen.id}).json
    return made


def archive(client: Client, task: Json, **how: Any) -> Received:
    return client.post(f"/tasks/{task['id']}/archive", **how)


def unarchive(client: Client, task: Json, **how: Any) -> Received:
    return client.post(f"/tasks/{task['id']}/unarchive", **how)


def listed(client: Client, **query: str) -> list[str]:
    return [task["title"] for task in client.get("/tasks", query=query).json["items"]]


@pytest.mark.parametrize("status", Status)
def test_a_task_of_any_status_is_put_away_and_keeps_its_status(world: World, client: Client, status: Status) -> None:
    task = client.post("/tasks", {"title": "Water the plants"}).json
    if status is not Status.TODO:
        task = client.patch(f"/tasks/{task['id']}/status", {"status": status.value}).json
    world.clock.advance(minutes=5)

    archived = archive(client, task)

    now = {"archived_at": "2026-11-21T12:05:00.000Z", "updated_at": "2026-11-21T12:05:00.000Z"}
    assert (archived.status, archived.json) == (200, {**task, **now, "version": task["version"] + 1})
    assert archived.headers["etag"] == f'"{archived.json["version"]}"'
    assert client.get(f"/tasks/{task['id']}").json == archived.json


def test_a_task_that_is_taken_out_is_as_it_was_one_version_on(world: World, client: Client, task: Json) -> None:
    archive(client, task)
    world.clock.advance(minutes=5)

    out = unarchive(client, task)

    assert (out.status, out.json) == (200, {**task, "updated_at": "2026-11-21T12:05:00.000Z", "version": 3})
    assert client.get(f"/tasks/{task['id']}").json == out.json


def test_lists_leave_out_what_is_archived_unless_they_are_asked_for_it(client: Client, task: Json) -> None:
    client.post("/tasks", {"title": "Paint the ceiling"})

    archive(client, task)
    assert listed(client) == ["Paint the ceiling"]
    assert listed(client, archived="only") == ["Water the plants"]
    assert listed(client, archived="include") == ["Paint the ceiling", "Water the plants"]
    assert client.get("/summary").json["by_status"]["todo"] == 1

    unarchive(client, task)
    assert listed(client) == ["Paint the ceiling", "Water the plants"]
    assert listed(client, archived="only") == []


def test_who_has_the_list_as_it_was_is_not_told_that_it_still_is(client: Client, task: Json) -> None:
    had = client.get("/tasks").headers["etag"]
    archive(client, task)

    again = client.get("/tasks", headers={"if-none-match": had})

    assert (again.status, again.json["items"]) == (200, [])


@both_ways
def test_what_is_so_already_stays_as_it_is(
    world: World, client: Client, task: Json, kitchen: Project, way: str
) -> None:
    path = f"/tasks/{task['id']}/{way}"
    client.post(path)
    before, head = client.get(f"/tasks/{task['id']}").json, len(log(client, kitchen))
    world.clock.advance(minutes=5)

    again = client.post(path)

    assert (again.status, again.json) == (200, before)
    assert "operation-id" not in again.headers
    assert len(log(client, kitchen)) == head


def log(client: Client, project: Project) -> list[Json]:
    """Return the changes of a project."""
    items: list[Json] = client.get(f"/projects/{project.id}/changes").json["items"]
    return items


def test_both_stand_in_the_log_and_can_be_taken_back(client: Client, task: Json, kitchen: Project) -> None:
    archived = archive(client, task)
    unarchived = unarchive(client, task)
    assert [change["after"] for change in log(client, kitchen)[-2:]] == [archived.json, unarchived.json]

    undone = client.post(f"/operations/{unarchived.headers['operation-id']}/undo")

    assert (undone.status, undone.json) == (200, {"undone": 1})
    now = client.get(f"/tasks/{task['id']}").json
    assert (now["archived_at"], now["version"]) == (archived.json["archived_at"], 4)


def test_an_archived_task_can_be_worked_on_and_stays_archived(client: Client, task: Json) -> None:
    archived = archive(client, task).json

    client.patch(f"/tasks/{task['id']}", {"title": "Water the roses"})
    done = client.patch(f"/tasks/{task['id']}/status", {"status": "done"}).json

    assert (done["title"], done["status"], done["archived_at"]) == ("Water the roses", "done", archived["archived_at"])


@both_ways
@pytest.mark.parametrize(
    ("bob_is", "status"),
    [
        ((Role.ADMIN, None), 200),
        ((Role.MEMBER, ProjectRole.OWNER), 200),
        ((Role.MEMBER, ProjectRole.EDITOR), 200),
        ((Role.MEMBER, ProjectRole.VIEWER), 403),  # also where he has it to do
        ((Role.MEMBER, None), 404),
        ((Role.VIEWER, ProjectRole.OWNER), 403),
        ((Role.VIEWER, None), 403),
    ],
)
def test_who_may_change_a_task_may_archive_it(
    world: World, ann: Person, way: str, bob_is: tuple[Role, ProjectRole | None], status: int
) -> None:
    role, in_project = bob_is
    bob = world.person("bob", role)
    project = world.project({ann: ProjectRole.OWNER, **({bob: in_project} if in_project else {})})
    assignee = {"assignee_id": bob.id} if in_project else {}
    task = world.of(ann).post("/tasks", {"title": "Water the plants", "project_id": project.id, **assignee}).json

    answer = world.of(bob).post(f"/tasks/{task['id']}/{way}")

    assert answer.status == status
    assert (world.of(ann).get(f"/tasks/{task['id']}").json == task) is (status != 200 or way == "unarchive")


@both_ways
def test_a_task_that_is_not_there_cannot_be_archived(client: Client, way: str) -> None:
    refused = client.post(f"/tasks/{new_id()}/{way}")

    assert (refused.status, refused.problem) == (404, "not-found")


@both_ways
def test_it_is_done_to_the_version_that_was_seen(client: Client, task: Json, way: str) -> None:
    path = f"/tasks/{task['id']}/{way}"

    assert client.post(path, headers={"if-match": '"2"'}).status == 412
    assert client.get(f"/tasks/{task['id']}").json == task
    assert client.post(path, headers={"if-match": '"1"'}).status == 200


def test_where_it_is_required_nothing_is_archived_blindly(store: Store) -> None:
    world = World(store, require_if_match="True")
    client = world.of(world.person("ann"))
    task = client.post("/tasks", {"title": "Water the plants"}).json

    assert archive(client, task).status == unarchive(client, task).status == 428
    assert archive(client, task, headers={"if-match": '"1"'}).status == 200
    assert unarchive(client, task, headers={"if-match": '"2"'}).status == 200


def test_it_is_tried_and_sent_again_as_any_write(client: Client, task: Json) -> None:
    tried = archive(client, task, query={"dry_run": "true"})
    assert (tried.status, tried.json["version"]) == (200, 2)
    assert client.get(f"/tasks/{task['id']}").json == task

    key = {"idempotency-key": "5f2c9a1e"}
    first = archive(client, task, headers=key)
    unarchive(client, task)
    again = archive(client, task, headers=key)

    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert client.get(f"/tasks/{task['id']}").json["archived_at"] is None
