"""ETag, If-None-Match and If-Match: nobody reads again what they have, nobody overwrites what they have not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.household import NOTHING
from tests.world import World

if TYPE_CHECKING:
    from tests.client import Client
    from tests.world import Person
    from tracker.store.contract import Store


@pytest.fixture
def task(client: Client) -> dict[str, Any]:
    made: dict[str, Any] = client.post("/tasks", {"title": "Water the plants"}).json
    return made


def path(task: dict[str, Any]) -> str:
    return f"/tasks/{task['id']}"


def test_the_etag_of_an_item_is_its_version(client: Client, task: dict[str, Any]) -> None:
    assert client.get(path(task)).headers["etag"] == '"1"'
    assert client.patch(path(task), {"priority": "high"}).headers["etag"] == '"2"'
    assert client.get(path(task)).headers["etag"] == '"2"'


@pytest.mark.parametrize("asked", ['"1"', 'W/"1"', '"7", "1"', "*"])
def test_who_has_an_item_already_is_told_so(client: Client, task: dict[str, Any], asked: str) -> None:
    answer = client.get(path(task), headers={"if-none-match": asked})

    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", '"1"')


@pytest.mark.parametrize("asked", ['"2"', '"11"', '""', '"1-overdue"'])
def test_who_has_another_version_gets_this_one(client: Client, task: dict[str, Any], asked: str) -> None:
    assert client.get(path(task), headers={"if-none-match": asked}).status == 200


def test_a_task_that_became_overdue_is_not_as_one_has_it(world: World, client: Client, ann: Person) -> None:
    task = client.post("/tasks", {"title": "Pay", "due": {"date": "2026-11-21", "time": "13:00"}}).json
    before = client.get(path(task))
    world.clock.advance(hours=1, seconds=1)
    client = world.of(world.log_in(ann.user))

    after = client.get(path(task), headers={"if-none-match": before.headers["etag"]})

    assert (before.json["overdue"], before.headers["etag"]) == (False, '"1"')
    assert (after.status, after.json["overdue"], after.headers["etag"]) == (200, True, '"1-overdue"')
    assert client.patch(path(task), {"title": "Pay now"}, headers={"if-match": '"1-overdue"'}).status == 200


@pytest.mark.parametrize("asked", ['"1"', '"9", "1"', "*"])
def test_a_change_to_what_one_has_seen_is_made(client: Client, task: dict[str, Any], asked: str) -> None:
    assert client.patch(path(task), {"priority": "high"}, headers={"if-match": asked}).json["version"] == 2


@pytest.mark.parametrize("asked", ['"2"', '"0"', 'W/"1"', '"x"', '"1x"'])
@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE", "STATUS"])
def test_a_change_to_what_one_has_not_seen_is_refused(
    client: Client, task: dict[str, Any], method: str, asked: str
) -> None:
    how: dict[str, Any] = {"headers": {"if-match": asked}}
    refused = {
        "PATCH": lambda: client.patch(path(task), {"title": "No"}, **how),
        "PUT": lambda: client.put(path(task), {"title": "No"}, **how),
        "DELETE": lambda: client.delete(path(task), **how),
        "STATUS": lambda: client.patch(f"{path(task)}/status", {"status": "done"}, **how),
    }[method]()

    assert (refused.status, refused.problem) == (412, "precondition-failed")
    assert client.get(path(task)).json == task


def test_a_change_that_changes_nothing_is_still_held_to_what_one_has_seen(client: Client, task: dict[str, Any]) -> None:
    assert client.patch(path(task), {}, headers={"if-match": '"2"'}).status == 412
    assert client.patch(path(task), {}, headers={"if-match": '"1"'}).status == 200


@pytest.mark.parametrize("asked", ["1", '"1', 'w/"1"', '"1" "2"', '"ä"', '"1",', "x" * 1001])
@pytest.mark.parametrize("header", ["if-match", "if-none-match"])
def test_a_header_that_is_no_list_of_etags_is_named(
    client: Client, task: dict[str, Any], header: str, asked: str
) -> None:
    answer = client.patch(path(task), {}, headers={header: asked})
    if header == "if-none-match":
        answer = client.get(path(task), headers={header: asked})

    assert (answer.status, answer.problem) == (400, "bad-request")
    assert asked not in answer.body.decode()


def test_where_it_is_required_nothing_is_changed_blindly(store: Store) -> None:
    world = World(store, require_if_match="True")
    client = world.of(world.person("ann"))
    task = client.post("/tasks", {"title": "Water the plants"}).json

    refused = client.patch(path(task), {"title": "No"})

    assert (refused.status, refused.problem) == (428, "precondition-required")
    assert client.delete(path(task)).status == 428
    assert client.patch(path(task), {"title": "Yes"}, headers={"if-match": '"1"'}).status == 200
    assert client.delete(path(task), headers={"if-match": "*"}).status == 204


def test_who_may_not_see_a_task_learns_nothing_of_its_version(world: World, task: dict[str, Any]) -> None:
    eve = world.of(world.person("eve"))

    for asked in ('"1"', '"2"', "*"):
        assert eve.patch(path(task), {"title": "Mine"}, headers={"if-match": asked}).status == 404
        assert eve.get(path(task), headers={"if-none-match": asked}).status == 404


# Lists.


def test_who_has_a_list_already_is_told_so_without_a_query_for_tasks(
    client: Client, task: dict[str, Any], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.get("/tasks")

    def never(_query: object) -> None:
        raise AssertionError("asked for tasks")

    monkeypatch.setattr(world.store, "tasks", never)
    again = client.get("/tasks", headers={"if-none-match": first.headers["etag"]})

    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])


@pytest.mark.parametrize(
    ("another", "query"),
    [("/tasks", {"limit": 50}), ("/tasks", {"sort": "due"}), ("/projects", {}), ("/summary", {}), ("/tasks.csv", {})],
)
def test_who_has_a_list_has_no_other_one(
    client: Client, task: dict[str, Any], another: str, query: dict[str, Any]
) -> None:
    first = client.get("/tasks")
    theirs = {"if-none-match": first.headers["etag"]}

    assert [item["id"] for item in first.json["items"]] == [task["id"]]
    assert client.get(another, query=query, headers=theirs).status == 200
    assert client.get("/tasks", headers=theirs).status == 304


@pytest.mark.parametrize(
    ("query", "status"), [({"cursor": "none"}, 409), ({"limit": 0}, 400), ({"project_id": NOTHING}, 404)]
)
def test_who_has_a_list_is_still_told_that_another_one_is_refused(
    client: Client, query: dict[str, Any], status: int
) -> None:
    theirs = {"if-none-match": client.get("/tasks").headers["etag"]}

    assert client.get("/tasks", query=query, headers=theirs).status == status


def test_any_change_of_what_one_sees_makes_another_list(client: Client, world: World) -> None:
    seen = {client.get("/tasks").headers["etag"]}
    task = client.post("/tasks", {"title": "One"}).json
    seen.add(client.get("/tasks").headers["etag"])
    client.patch(path(task), {"title": "Another"})
    seen.add(client.get("/tasks").headers["etag"])
    client.delete(path(task))
    seen.add(client.get("/tasks").headers["etag"])

    assert len(seen) == 4


def test_a_list_one_has_is_another_once_a_task_in_it_becomes_overdue(client: Client, world: World, ann: Person) -> None:
    client.post("/tasks", {"title": "Pay", "due": {"date": "2026-11-21", "time": "13:00"}})
    first = client.get("/tasks")
    world.clock.advance(minutes=59)
    client = world.of(world.log_in(ann.user))
    assert client.get("/tasks", headers={"if-none-match": first.headers["etag"]}).status == 304
    world.clock.advance(minutes=2)

    again = client.get("/tasks", headers={"if-none-match": first.headers["etag"]})

    assert (again.status, [item["overdue"] for item in again.json["items"]]) == (200, [True])
    assert again.headers["etag"] != first.headers["etag"]
    assert client.get("/tasks", headers={"if-none-match": again.headers["etag"]}).status == 304


def test_a_list_of_somebody_else_is_never_the_one_that_one_has(world: World, client: Client) -> None:
    bob = world.of(world.person("bob"))

    assert bob.get("/tasks", headers={"if-none-match": client.get("/tasks").headers["etag"]}).status == 200


def test_a_list_without_a_state_of_its_own_is_told_by_its_bytes(client: Client) -> None:
    first = client.get("/me/sessions")

    assert client.get("/me/sessions", headers={"if-none-match": first.headers["etag"]}).status == 304
