"""Taking an operation back: all of it, and only if nobody has built on it since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.racing import at_once
from tracker.domain.project import ProjectRole
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Client, Received
    from tests.world import Person, World
    from tracker.domain.project import Project

Json = dict[str, Any]


@pytest.fixture
def task(client: Client, kitchen: Project) -> Json:
    made: Json = client.post("/tasks", {"title": "Water the plants", "project_id": kitchen.id}).json
    return made


def undo(client: Client, write: Received, **how: Any) -> Received:
    return client.post(f"/operations/{write.headers['operation-id']}/undo", **how)


def lasting(task: Json) -> Json:
    """Return what of a task is the same again once a change is taken back."""
    return {name: value for name, value in task.items() if name not in {"version", "updated_at"}}


def test_a_change_that_is_taken_back_leaves_the_task_as_it_was_one_version_on(client: Client, task: Json) -> None:
    write = client.patch(f"/tasks/{task['id']}", {"title": "Gone wrong", "labels": ["x"], "status": "done"})

    undone = undo(client, write)

    now = client.get(f"/tasks/{task['id']}").json
    assert (undone.status, undone.json) == (200, {"undone": 1})
    assert lasting(now) == lasting(task)
    assert now["version"] == 3


def test_a_task_that_was_created_goes(client: Client, kitchen: Project) -> None:
    write = client.post("/tasks", {"title": "A mistake", "project_id": kitchen.id})

    undo(client, write)

    assert client.get(f"/tasks/{write.json['id']}").status == 404


def test_a_task_that_was_deleted_comes_back_with_its_number(client: Client, kitchen: Project, task: Json) -> None:
    write = client.delete(f"/tasks/{task['id']}")
    client.post("/tasks", {"title": "Meanwhile", "project_id": kitchen.id})

    undo(client, write)

    now = client.get(f"/tasks/{task['id']}").json
    assert lasting(now) == lasting(task)
    assert now["version"] == 2


def test_a_task_that_moved_comes_back_with_its_number(world: World, client: Client, task: Json, ann: Person) -> None:
    garden = world.project({ann: ProjectRole.EDITOR})
    client.post("/tasks", {"title": "There before", "project_id": garden.id})
    write = client.patch(f"/tasks/{task['id']}", {"project_id": garden.id})
    assert (write.json["number"], write.json["project_id"]) == (2, garden.id)

    assert undo(client, write).json == {"undone": 1}

    assert lasting(client.get(f"/tasks/{task['id']}").json) == lasting(task)


def test_what_was_undone_can_be_had_again(client: Client, task: Json) -> None:
    write = client.patch(f"/tasks/{task['id']}", {"title": "Right after all"})

    undo(client, undo(client, write))

    assert client.get(f"/tasks/{task['id']}").json["title"] == "Right after all"


def test_it_is_refused_where_somebody_has_built_on_it_and_says_where(client: Client, task: Json) -> None:
    write = client.patch(f"/tasks/{task['id']}", {"title": "One"})
    client.patch(f"/tasks/{task['id']}", {"title": "Two"})

    refused = undo(client, write)

    assert (refused.status, refused.problem) == (409, "changed-since")
    assert task["id"] in refused.json["detail"]
    assert client.get(f"/tasks/{task['id']}").json["title"] == "Two"


def test_it_is_refused_where_the_thing_is_gone_since(client: Client, task: Json) -> None:
    write = client.patch(f"/tasks/{task['id']}", {"title": "One"})
    client.delete(f"/tasks/{task['id']}")

    assert undo(client, write).problem == "changed-since"


def test_twice_is_once_too_often(client: Client, task: Json) -> None:
    write = client.delete(f"/tasks/{task['id']}")

    assert [undo(client, write).status for _ in range(2)] == [200, 409]


def test_all_of_a_bulk_change_goes_or_nothing(client: Client, kitchen: Project) -> None:
    tasks = [client.post("/tasks", {"title": f"Task {n}", "project_id": kitchen.id}).json for n in range(3)]
    write = client.post("/tasks/bulk", {"ids": [t["id"] for t in tasks], "patch": {"priority": "urgent"}})
    client.patch(f"/tasks/{tasks[1]['id']}", {"title": "Built on it"})

    refused = undo(client, write)

    assert refused.status == 409
    assert tasks[1]["id"] in refused.json["detail"]
    assert tasks[0]["id"] not in refused.json["detail"]
    assert {item["priority"] for item in client.get("/tasks").json["items"]} == {"urgent"}


def test_two_hundred_tasks_are_as_they_were_after_a_bulk_change_and_its_undoing(
    client: Client, kitchen: Project
) -> None:
    for n in range(200):
        client.post("/tasks", {"title": f"Task {n}", "project_id": kitchen.id, "labels": [f"l{n % 7}"]})
    before = client.get("/tasks", query={"limit": 200}).json["items"]

    patch = {"priority": "low", "labels": ["all"], "status": "in_progress", "due": {"date": "2027-01-01"}}
    write = client.post("/tasks/bulk", {"ids": [task["id"] for task in before], "patch": patch})
    assert write.json["changed"] == 200
    assert undo(client, write).json == {"undone": 200}

    after = client.get("/tasks", query={"limit": 200}).json["items"]
    assert [lasting(task) for task in after] == [lasting(task) for task in before]
    assert {task["version"] for task in after} == {3}


def test_of_many_who_take_the_same_back_one_does(world: World, client: Client, task: Json) -> None:
    write = client.patch(f"/tasks/{task['id']}", {"title": "Gone wrong"})

    answers = at_once(8, lambda _n: undo(client, write).status)

    assert sorted(answers) == [200] + [409] * 7


def test_who_does_not_see_it_is_told_there_is_no_such_operation(world: World, client: Client, task: Json) -> None:
    write = client.patch(f"/tasks/{task['id']}", {"title": "One"})

    assert undo(world.of(world.person("eve")), write).status == 404
    assert client.post("/operations/0192f3a4-5b6c-7d8e-9f00-112233445566/undo").status == 404


@pytest.mark.parametrize(
    ("role", "status"), [(ProjectRole.OWNER, 200), (ProjectRole.EDITOR, 200), (ProjectRole.VIEWER, 403)]
)
def test_who_could_make_the_opposite_change_may_undo(world: World, ann: Person, role: ProjectRole, status: int) -> None:
    bob = world.person("bob")
    kitchen = world.project({ann: ProjectRole.OWNER, bob: role})
    hers, his = world.of(ann), world.of(bob)
    task, other = (hers.post("/tasks", {"title": "One", "project_id": kitchen.id}).json for _ in range(2))

    moved = hers.patch(f"/tasks/{other['id']}/status", {"status": "done"})
    renamed = hers.patch(f"/tasks/{task['id']}", {"title": "Two"})
    assert (undo(his, moved).status, undo(his, renamed).status) == (status, status)
    assert undo(his, hers.delete(f"/tasks/{task['id']}")).status == status


def test_who_has_a_task_to_do_may_take_back_a_move_of_it_and_no_more(world: World, ann: Person) -> None:
    bob = world.person("bob")
    kitchen = world.project({ann: ProjectRole.OWNER, bob: ProjectRole.VIEWER})
    hers, his = world.of(ann), world.of(bob)
    task = hers.post("/tasks", {"title": "One", "project_id": kitchen.id, "assignee_id": bob.id}).json

    moved = his.patch(f"/tasks/{task['id']}/status", {"status": "done"})
    assert undo(his, moved).status == 200
    renamed = hers.patch(f"/tasks/{task['id']}", {"title": "Two"})
    assert undo(his, renamed).status == 403


def test_a_dry_run_tells_whether_it_could_be(client: Client, task: Json) -> None:
    write = client.patch(f"/tasks/{task['id']}", {"title": "One"})

    assert undo(client, write, query="dry_run=true").json == {"undone": 1}
    assert client.get(f"/tasks/{task['id']}").json["title"] == "One"


# Projects and their members.


def test_a_project_that_was_deleted_comes_back_with_its_members_and_tasks(
    world: World, client: Client, kitchen: Project, ann: Person
) -> None:
    bob = world.person("bob")
    client.put(f"/projects/{kitchen.id}/members/{bob.id}", {"role": "viewer"})
    tasks = [client.post("/tasks", {"title": f"Task {n}", "project_id": kitchen.id}).json for n in range(3)]
    client.delete(f"/tasks/{tasks[2]['id']}")
    project = client.get(f"/projects/{kitchen.id}").json
    deleted = client.delete(f"/projects/{kitchen.id}")
    assert client.get(f"/projects/{kitchen.id}").status == 404

    assert undo(client, deleted).json == {"undone": 1 + 2 + 2}

    assert lasting(client.get(f"/projects/{kitchen.id}").json) == lasting(project)
    assert [lasting(client.get(f"/tasks/{task['id']}").json) for task in tasks[:2]] == [lasting(t) for t in tasks[:2]]
    assert world.of(bob).get(f"/tasks/{tasks[0]['id']}").status == 200
    assert client.post("/tasks", {"title": "Next", "project_id": kitchen.id}).json["number"] == 4
    heads = [change["head"] for change in client.get(f"/projects/{kitchen.id}/changes").json["items"]]
    assert sorted(set(heads)) == list(range(1, max(heads) + 1))


def test_only_whoever_could_delete_a_project_has_it_back(world: World, client: Client, kitchen: Project) -> None:
    bob, eve = world.person("bob"), world.person("eve")
    client.put(f"/projects/{kitchen.id}/members/{bob.id}", {"role": "editor"})
    deleted = client.delete(f"/projects/{kitchen.id}")

    assert undo(world.of(bob), deleted).status == 403
    assert undo(world.of(eve), deleted).status == 404


def test_a_project_with_more_than_is_kept_is_gone_for_good(
    world: World, client: Client, kitchen: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        client.post("/tasks", {"title": f"Task {n}", "project_id": kitchen.id})
    monkeypatch.setattr("tracker.domain.sharing.MOST", 2)
    deleted = client.delete(f"/projects/{kitchen.id}")

    refused = undo(world.of(world.person("root", Role.ADMIN)), deleted)

    assert (refused.status, refused.problem) == (409, "final")


def test_a_project_that_was_created_goes_if_nothing_was_done_in_it(client: Client) -> None:
    write, other = (client.post("/projects", {"name": name}) for name in ("A mistake", "In use"))
    client.post("/tasks", {"title": "Something", "project_id": other.json["id"]})

    assert undo(client, write).json == {"undone": 2}
    assert undo(client, other).problem == "changed-since"
    assert client.get(f"/projects/{write.json['id']}").status == 404
    assert client.get(f"/projects/{other.json['id']}").status == 200


def test_somebody_who_was_removed_is_back_with_what_they_had_to_do(
    world: World, client: Client, kitchen: Project
) -> None:
    bob = world.person("bob")
    client.put(f"/projects/{kitchen.id}/members/{bob.id}", {"role": "editor"})
    task = client.post("/tasks", {"title": "One", "project_id": kitchen.id, "assignee_id": bob.id}).json
    removed = client.delete(f"/projects/{kitchen.id}/members/{bob.id}")
    assert client.get(f"/tasks/{task['id']}").json["assignee_id"] is None

    assert undo(client, removed).json == {"undone": 2}

    assert lasting(world.of(bob).get(f"/tasks/{task['id']}").json) == lasting(task)


def test_nobody_who_was_removed_takes_that_back_themselves(world: World, client: Client, kitchen: Project) -> None:
    bob = world.person("bob")
    client.put(f"/projects/{kitchen.id}/members/{bob.id}", {"role": "owner"})

    assert undo(world.of(bob), client.delete(f"/projects/{kitchen.id}/members/{bob.id}")).status == 404


def test_an_undoing_that_would_leave_no_owner_is_refused(
    world: World, client: Client, kitchen: Project, ann: Person
) -> None:
    bob = world.person("bob")
    joined = client.put(f"/projects/{kitchen.id}/members/{bob.id}", {"role": "owner"})
    client.delete(f"/projects/{kitchen.id}/members/{ann.id}")

    refused = undo(world.of(bob), joined)

    assert (refused.status, refused.problem) == (409, "last-owner")


def test_a_task_is_not_given_back_to_somebody_who_has_left(world: World, client: Client, kitchen: Project) -> None:
    bob = world.person("bob")
    client.put(f"/projects/{kitchen.id}/members/{bob.id}", {"role": "editor"})
    task = client.post("/tasks", {"title": "One", "project_id": kitchen.id, "assignee_id": bob.id}).json
    deleted = client.delete(f"/tasks/{task['id']}")
    client.delete(f"/projects/{kitchen.id}/members/{bob.id}")

    refused = undo(client, deleted)

    assert (refused.status, refused.problem) == (409, "changed-since")
    assert bob.id in refused.json["detail"]


def test_nobody_is_taken_out_again_who_was_given_something_to_do(
    world: World, client: Client, kitchen: Project
) -> None:
    bob = world.person("bob")
    joined = client.put(f"/projects/{kitchen.id}/members/{bob.id}", {"role": "editor"})
    task = client.post("/tasks", {"title": "One", "project_id": kitchen.id, "assignee_id": bob.id}).json

    refused = undo(client, joined)

    assert (refused.status, refused.problem) == (409, "changed-since")
    assert task["id"] in refused.json["detail"]


def test_what_was_done_to_an_account_is_not_in_the_log(client: Client) -> None:
    write = client.patch("/me", {"username": "anna"})

    assert undo(client, write).status == 404
