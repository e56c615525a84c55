"""Many tasks in one operation: all of them change or none does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.world import DOCUMENT
from tracker.domain.project import ProjectRole

if TYPE_CHECKING:
    from tests.client import Client
    from tests.world import Person, World
    from tracker.domain.project import Project

Json = dict[str, Any]


@pytest.fixture
def tasks(client: Client, kitchen: Project) -> list[Json]:
    titles = ("Water the plants", "Paint the ceiling", "Lay the floor")
    return [client.post("/tasks", {"title": title, "project_id": kitchen.id}).json for title in titles]


def ids(tasks: list[Json]) -> list[str]:
    return [task["id"] for task in tasks]


def titles(items: list[Json]) -> set[str]:
    return {item["title"] for item in items}


def test_the_same_patch_is_made_to_all_that_are_named(client: Client, tasks: list[Json]) -> None:
    answer = client.post("/tasks/bulk", {"ids": ids(tasks), "patch": {"priority": "high", "labels": ["x"]}})

    assert (answer.status, answer.json["changed"]) == (200, 3)
    assert ids(answer.json["items"]) == ids(tasks)
    assert answer.json["items"] == [client.get(f"/tasks/{task['id']}").json for task in tasks]
    assert {(task["priority"], task["version"]) for task in answer.json["items"]} == {("high", 2)}


def test_all_of_it_is_one_operation(client: Client, tasks: list[Json], kitchen: Project) -> None:
    answer = client.post("/tasks/bulk", {"ids": ids(tasks), "patch": {"priority": "high"}})

    log = client.get(f"/projects/{kitchen.id}/changes", query={"after": 4}).json["items"]
    assert {(entry["head"], entry["operation_id"]) for entry in log} == {(5, answer.headers["operation-id"])}
    assert [entry["n"] for entry in log] == [1, 2, 3]


def test_what_is_so_already_does_not_count_as_changed(client: Client, tasks: list[Json]) -> None:
    client.patch(f"/tasks/{tasks[0]['id']}", {"priority": "high"})

    answer = client.post("/tasks/bulk", {"ids": ids(tasks), "patch": {"priority": "high"}})

    assert answer.json["changed"] == 2
    assert [task["version"] for task in answer.json["items"]] == [2, 2, 2]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"status": ["done"]}, {"Paint the ceiling"}),
        ({"label": ["green"]}, {"Water the plants"}),
        ({"q": "floor"}, {"Lay the floor"}),
        ({"priority": ["none"], "status": ["todo"]}, {"Water the plants", "Lay the floor"}),
        ({"assignee_id": "me"}, {"Lay the floor"}),
        ({"overdue": True}, {"Water the plants"}),
        ({"due_before": "2026-11-01T00:00:00Z"}, {"Water the plants"}),
        ({"q": "nothing of the kind"}, set()),
    ],
)
def test_the_same_patch_is_made_to_all_that_a_filter_finds(
    client: Client, tasks: list[Json], ann: Person, asked: Json, found: set[str]
) -> None:
    plants, ceiling, floor = ids(tasks)
    client.patch(f"/tasks/{plants}", {"labels": ["green"], "due": {"date": "2026-10-01"}})
    client.patch(f"/tasks/{ceiling}", {"status": "done"})
    client.patch(f"/tasks/{floor}", {"assignee_id": ann.id})

    answer = client.post("/tasks/bulk", {"filter": asked, "patch": {"description": "found"}})

    assert titles(answer.json["items"]) == found
    assert titles([t for t in client.get("/tasks").json["items"] if t["description"] == "found"]) == found


def test_a_filter_has_the_words_of_the_list() -> None:
    words = set(DOCUMENT.root["components"]["schemas"]["TaskFilter"]["properties"])
    operation = next(operation for operation in DOCUMENT.operations if operation.id == "listTasks")
    asked = {parameter.name for parameter in operation.parameters if parameter.place == "query"}
    assert words == asked - {"sort", "limit", "cursor"}


def test_a_filter_that_finds_more_than_two_hundred_changes_nothing(
    world: World, client: Client, kitchen: Project, ann: Person
) -> None:
    made = [client.post("/tasks", {"title": f"Task {n}", "project_id": kitchen.id}).json for n in range(201)]

    refused = client.post("/tasks/bulk", {"filter": {"project_id": kitchen.id}, "patch": {"priority": "low"}})

    assert (refused.status, refused.problem) == (409, "too-many")
    assert client.get(f"/tasks/{made[0]['id']}").json["version"] == 1
    client.delete(f"/tasks/{made[0]['id']}")
    body = {"filter": {"project_id": kitchen.id}, "patch": {"priority": "low"}}
    assert client.post("/tasks/bulk", body).json["changed"] == 200


def test_one_that_cannot_make_the_move_keeps_all_where_they_are(client: Client, tasks: list[Json]) -> None:
    client.patch(f"/tasks/{tasks[1]['id']}/status", {"status": "cancelled"})

    refused = client.post("/tasks/bulk", {"ids": ids(tasks), "patch": {"status": "done"}})

    assert (refused.status, refused.problem) == (409, "illegal-transition")
    assert client.get(f"/tasks/{tasks[0]['id']}").json["status"] == "todo"


def test_one_that_is_foreign_keeps_all_as_they_are(world: World, client: Client, tasks: list[Json]) -> None:
    hers = world.of(world.person("eve")).post("/tasks", {"title": "Hers"}).json

    refused = client.post("/tasks/bulk", {"ids": [*ids(tasks), hers["id"]], "patch": {"priority": "low"}})

    assert refused.status == 404
    assert client.get(f"/tasks/{tasks[0]['id']}").json["version"] == 1


def test_one_that_may_only_be_read_keeps_all_as_they_are(
    world: World, client: Client, tasks: list[Json], ann: Person
) -> None:
    bob = world.person("bob")
    shown = world.project({bob: ProjectRole.OWNER, ann: ProjectRole.VIEWER})
    his = world.of(bob).post("/tasks", {"title": "His", "project_id": shown.id}).json

    refused = client.post("/tasks/bulk", {"ids": [*ids(tasks), his["id"]], "patch": {"priority": "low"}})

    assert refused.status == 403
    assert client.get(f"/tasks/{tasks[0]['id']}").json["version"] == 1


def test_all_of_them_move_to_another_project_with_numbers_of_that(
    world: World, client: Client, tasks: list[Json], ann: Person
) -> None:
    garden = world.project({ann: ProjectRole.EDITOR})
    client.post("/tasks", {"title": "There before", "project_id": garden.id})

    moved = client.post("/tasks/bulk", {"ids": ids(tasks), "patch": {"project_id": garden.id}}).json["items"]

    assert [(task["project_id"], task["number"]) for task in moved] == [(garden.id, n) for n in (2, 3, 4)]
    assert moved == [client.get(f"/tasks/{task['id']}").json for task in tasks]


def test_they_are_given_to_nobody_outside_of_the_project(world: World, client: Client, tasks: list[Json]) -> None:
    bob = world.person("bob")

    assert client.post("/tasks/bulk", {"ids": ids(tasks), "patch": {"assignee_id": bob.id}}).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {"patch": {"priority": "low"}},
        {"ids": ["0192f3a4-5b6c-7d8e-9f00-112233445566"]},
        {"ids": [], "patch": {"priority": "low"}},
        {"ids": ["x"], "patch": {"priority": "low"}},
        {"ids": ["0192f3a4-5b6c-7d8e-9f00-112233445566"] * 2, "patch": {}},
        {"ids": ["0192f3a4-5b6c-7d8e-9f00-112233445566"], "filter": {"q": "x"}, "patch": {}},
        {"filter": {}, "patch": {"priority": "low"}},
        {"filter": {"staus": ["done"]}, "patch": {"priority": "low"}},
        {"filter": {"status": ["gone"]}, "patch": {"priority": "low"}},
    ],
)
def test_what_does_not_say_which_tasks_or_what_to_change_is_refused(client: Client, body: Json) -> None:
    assert client.post("/tasks/bulk", body).status == 400
