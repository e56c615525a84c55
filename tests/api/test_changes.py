"""The log of a project and of a task: ordered, gapless, deletions included, and only of what one may see."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tracker.domain.changes import Change, ChangeSet
from tracker.domain.identity import SYSTEM, new_id
from tracker.domain.project import ProjectRole
from tracker.domain.reminder import reminder_of
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Client, Received
    from tests.world import Person, World
    from tracker.domain.project import Project
    from tracker.domain.reminder import Reminder

Json = dict[str, Any]
NEAR = {"date": "2026-11-22", "time": "09:00", "timezone": "Europe/Berlin"}


def changes(client: Client, project_id: str, after: int = 0, limit: int = 200) -> Json:
    page: Json = client.get(f"/projects/{project_id}/changes", query={"after": after, "limit": limit}).json
    return page


def a_task(client: Client, project: Project, title: str = "Water the plants") -> Json:
    made: Json = client.post("/tasks", {"title": title, "project_id": project.id}).json
    return made


def test_a_change_says_who_did_what_and_where_it_stands(
    world: World, client: Client, kitchen: Project, ann: Person
) -> None:
    task = a_task(client, kitchen)
    world.clock.advance(minutes=1)
    renamed = client.patch(f"/tasks/{task['id']}", {"title": "Water the roses"})

    (change,) = changes(client, kitchen.id, after=2)["items"]

    assert change == {
        "project_id": kitchen.id,
        "head": 3,
        "n": 1,
        "operation_id": renamed.headers["operation-id"],
        "actor_id": ann.id,
        "at": "2026-11-21T12:01:00.000Z",
        "entity": "task",
        "entity_id": task["id"],
        "before": task,
        "after": renamed.json,
    }


def test_what_is_created_has_no_before_and_what_is_deleted_no_after(client: Client, kitchen: Project) -> None:
    task = a_task(client, kitchen)
    client.delete(f"/tasks/{task['id']}")

    created, deleted = changes(client, kitchen.id, after=1)["items"]

    assert (created["before"], created["after"]) == (None, task)
    assert (deleted["before"], deleted["after"]) == (task, None)


def test_the_project_and_its_members_are_in_it_too(client: Client, kitchen: Project, ann: Person) -> None:
    project, membership = changes(client, kitchen.id)["items"]

    assert (project["entity"], project["entity_id"], project["after"]["name"]) == ("project", kitchen.id, "Kitchen")
    assert (membership["entity"], membership["after"]["role"]) == ("membership", "owner")
    assert membership["entity_id"] == f"{kitchen.id}/{ann.id}"


def test_it_is_read_on_from_the_head_of_the_answer(client: Client, kitchen: Project) -> None:
    tasks = [a_task(client, kitchen, f"Task {n}") for n in range(5)]
    seen, after, more = [], 0, True
    while more:
        page = changes(client, kitchen.id, after=after, limit=2)
        seen += page["items"]
        after, more = page["head"], page["more"]

    assert [change["head"] for change in seen] == [1, 1, 2, 3, 4, 5, 6]
    assert [change["after"] for change in seen[2:]] == tasks
    assert changes(client, kitchen.id, after=after) == {"items": [], "head": 6, "more": False}


def test_a_commit_is_never_cut_in_two(client: Client, kitchen: Project) -> None:
    ids = [a_task(client, kitchen, f"Task {n}")["id"] for n in range(5)]
    client.post("/tasks/bulk", {"ids": ids, "patch": {"priority": "high"}})

    first = changes(client, kitchen.id, after=5, limit=3)
    second = changes(client, kitchen.id, after=first["head"], limit=3)

    assert [change["head"] for change in first["items"]] == [6]
    assert first["more"] is True
    assert [(change["head"], change["n"]) for change in second["items"]] == [(7, n) for n in range(1, 6)]
    assert second["more"] is False


def test_a_task_that_leaves_ends_here_and_begins_there_and_tells_neither_of_the_other(
    world: World, client: Client, kitchen: Project, ann: Person
) -> None:
    bob, eve = world.person("bob"), world.person("eve")
    garden = world.project({ann: ProjectRole.OWNER, eve: ProjectRole.VIEWER})
    shed = world.project({ann: ProjectRole.OWNER, bob: ProjectRole.VIEWER})
    task = a_task(client, garden)

    moved = client.patch(f"/tasks/{task['id']}", {"project_id": shed.id, "title": "In the shed"}).json

    (left,) = changes(world.of(eve), garden.id, after=2)["items"]
    (arrived,) = changes(world.of(bob), shed.id, after=1)["items"]
    assert (left["before"], left["after"]) == (task, None)
    assert (arrived["before"], arrived["after"]) == (None, moved)


def test_it_is_nobody_elses(world: World, kitchen: Project, client: Client) -> None:
    eve = world.of(world.person("eve"))
    task = a_task(client, kitchen)

    assert eve.get(f"/projects/{kitchen.id}/changes").status == 404
    assert eve.get(f"/tasks/{task['id']}/activity").status == 404


def test_the_activity_of_a_task_is_its_own_changes_alone(client: Client, kitchen: Project) -> None:
    task, _other = a_task(client, kitchen), a_task(client, kitchen)
    client.patch(f"/tasks/{task['id']}/status", {"status": "done"})

    page = client.get(f"/tasks/{task['id']}/activity").json

    assert [(change["head"], change["after"]["status"]) for change in page["items"]] == [(2, "todo"), (4, "done")]
    assert page["more"] is False
    assert client.get(f"/tasks/{task['id']}/activity", query={"after": 2}).json["items"] == page["items"][1:]


# Reminders, which happen by themselves.


@pytest.fixture
def reminder(world: World, client: Client, kitchen: Project) -> Reminder:
    """That a deadline is near was noticed, some time after there was one."""
    task = client.post("/tasks", {"title": "Water the plants", "project_id": kitchen.id, "due": NEAR}).json
    kept = world.store.task(task["id"])
    assert kept is not None
    world.clock.advance(minutes=5)
    noticed = reminder_of(kept, at=world.clock(), soon=timedelta(days=1))
    assert noticed is not None
    world.store.commit(ChangeSet(new_id(), SYSTEM, world.clock(), (Change(None, noticed),)))
    return noticed


def undo(client: Client, change: Json) -> Received:
    return client.post(f"/operations/{change['operation_id']}/undo")


def test_a_reminder_says_which_deadline_was_noticed_and_when(
    client: Client, kitchen: Project, reminder: Reminder
) -> None:
    (change,) = changes(client, kitchen.id, after=2)["items"]

    assert change == {
        "project_id": kitchen.id,
        "head": 3,
        "n": 1,
        "operation_id": change["operation_id"],
        "actor_id": "system",
        "at": "2026-11-21T12:05:00.000Z",
        "entity": "reminder",
        "entity_id": reminder.task_id,
        "before": None,
        "after": {
            "project_id": kitchen.id,
            "task_id": reminder.task_id,
            "kind": "due_soon",
            "due_at": "2026-11-22T08:00:00.000Z",
            "created_at": "2026-11-21T12:05:00.000Z",
        },
    }


def test_a_reminder_is_part_of_the_activity_of_its_task_and_leaves_the_task_as_it_was(
    client: Client, reminder: Reminder
) -> None:
    client.patch(f"/tasks/{reminder.task_id}", {"title": "Water the roses"})

    page = client.get(f"/tasks/{reminder.task_id}/activity").json

    assert [(change["entity"], change["head"]) for change in page["items"]] == [
        ("task", 2),
        ("reminder", 3),
        ("task", 4),
    ]
    assert page["items"][2]["before"] == page["items"][0]["after"]


def test_that_a_deadline_was_noticed_is_not_taken_back_by_anybody(
    world: World, client: Client, kitchen: Project, reminder: Reminder
) -> None:
    log = changes(client, kitchen.id)
    eve, root = world.of(world.person("eve")), world.of(world.person("root", Role.ADMIN))

    refused = undo(client, log["items"][-1])

    assert (refused.status, refused.problem) == (409, "final")
    assert "deadline" in refused.json["detail"]
    assert undo(root, log["items"][-1]).status == 409
    assert undo(eve, log["items"][-1]).status == 404
    assert changes(client, kitchen.id) == log


def test_a_reminder_does_not_stand_in_the_way_of_taking_back_what_its_task_was(
    client: Client, kitchen: Project, reminder: Reminder
) -> None:
    created = changes(client, kitchen.id, after=1)["items"][0]

    assert undo(client, created).status == 200
    assert client.get(f"/tasks/{reminder.task_id}").status == 404


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=9007199254740992", "limit=0", "limit=201", "since=1"])
def test_a_stretch_that_makes_no_sense_is_refused(client: Client, kitchen: Project, query: str) -> None:
    assert client.get(f"/projects/{kitchen.id}/changes", query=query).status == 400
