"""What can be done with tasks, and by whom."""

from __future__ import annotations

import pytest

from tests.world import Person, World
from tracker.domain.project import ProjectRole
from tracker.domain.user import Role


def test_a_new_task_lands_in_the_inbox_of_whoever_created_it(world: World, ann: Person) -> None:
    created = world.of(ann).post("/tasks", {"title": "Water the plants"})

    assert created.status == 201
    assert created.headers["location"] == f"/tasks/{created.json['id']}"
    assert created.headers["etag"] == '"1"'
    assert created.json["project_id"] == ann.user.inbox_id
    assert (created.json["number"], created.json["status"], created.json["created_by"]) == (1, "todo", ann.id)
    assert world.of(ann).get(created.headers["location"]).json == created.json


def test_tasks_of_one_project_are_numbered_one_by_one(world: World, ann: Person) -> None:
    numbers = [world.of(ann).post("/tasks", {"title": "Again"}).json["number"] for _ in range(3)]

    assert numbers == [1, 2, 3]


def test_everything_a_task_can_have_is_kept(world: World, ann: Person) -> None:
    wanted = {
        "title": "Book the venue 🏛 'today' 100%",
        "description": "The hall\nby the river",
        "priority": "high",
        "labels": ["wedding", "venue"],
        "due": {"date": "2027-03-01", "time": "17:00", "timezone": "Europe/Berlin"},
        "assignee_id": ann.id,
        "status": "in_progress",
    }
    task = world.of(ann).post("/tasks", wanted).json

    assert {name: task[name] for name in wanted} == wanted
    assert task["allowed_statuses"] == ["todo", "blocked", "done", "cancelled"]


def test_a_task_moves_along_its_workflow_and_remembers_when_it_was_done(world: World, ann: Person) -> None:
    task = world.of(ann).post("/tasks", {"title": "Water the plants"}).json
    world.clock.advance(minutes=5)
    done = world.of(ann).patch(f"/tasks/{task['id']}/status", {"status": "done"})

    assert (done.status, done.headers["etag"]) == (200, '"2"')
    assert done.json["completed_at"] == done.json["updated_at"] == "2026-11-21T12:05:00.000Z"
    reopened = world.of(ann).patch(f"/tasks/{task['id']}/status", {"status": "todo"})
    assert reopened.json["completed_at"] is None


def test_a_move_the_workflow_does_not_have_names_the_moves_it_has(world: World, ann: Person) -> None:
    task = world.of(ann).post("/tasks", {"title": "Water the plants", "status": "blocked"}).json
    refused = world.of(ann).patch(f"/tasks/{task['id']}/status", {"status": "done"})

    assert (refused.status, refused.problem) == (409, "illegal-transition")
    assert all(status in refused.json["detail"] for status in task["allowed_statuses"])


def test_the_deadline_can_be_moved_and_taken_away_with_the_status_operation(world: World, ann: Person) -> None:
    task = world.of(ann).post("/tasks", {"title": "Water the plants"}).json
    path = f"/tasks/{task['id']}/status"

    moved = world.of(ann).patch(path, {"due": {"date": "2026-12-01"}}).json
    assert moved["due"] == {"date": "2026-12-01", "time": None, "timezone": None}
    assert moved["status"] == "todo"
    assert world.of(ann).patch(path, {"due": None}).json["due"] is None


def test_a_time_zone_that_does_not_exist_is_a_conflict(world: World, ann: Person) -> None:
    due = {"date": "2026-12-01", "timezone": "Europe/Atlantis"}
    refused = world.of(ann).post("/tasks", {"title": "Dive", "due": due})

    assert (refused.status, refused.problem) == (409, "unknown-timezone")
    assert "Atlantis" not in refused.body.decode()


def test_a_patch_keeps_what_is_absent_and_clears_what_is_null(world: World, ann: Person) -> None:
    task = world.of(ann).post("/tasks", {"title": "A", "labels": ["x"], "due": {"date": "2026-12-01"}}).json
    changed = world.of(ann).patch(f"/tasks/{task['id']}", {"title": "B", "due": None}).json

    assert (changed["title"], changed["labels"], changed["due"], changed["version"]) == ("B", ["x"], None, 2)


def test_an_empty_patch_changes_nothing_not_even_the_version(world: World, ann: Person) -> None:
    task = world.of(ann).post("/tasks", {"title": "A"}).json
    world.clock.advance(minutes=5)

    assert world.of(ann).patch(f"/tasks/{task['id']}", {}).json == task


def test_a_replacement_puts_what_is_absent_back_to_its_default_but_not_the_status(world: World, ann: Person) -> None:
    wanted = {"title": "A", "labels": ["x"], "priority": "high", "status": "in_progress", "due": {"date": "2026-12-01"}}
    task = world.of(ann).post("/tasks", wanted).json
    replaced = world.of(ann).put(f"/tasks/{task['id']}", {"title": "B"}).json

    assert (replaced["title"], replaced["labels"], replaced["priority"], replaced["due"]) == ("B", [], "none", None)
    assert replaced["status"] == "in_progress"


def test_a_deleted_task_is_gone(world: World, ann: Person) -> None:
    path = world.of(ann).post("/tasks", {"title": "A"}).headers["location"]

    assert world.of(ann).delete(path).status == 204
    assert world.of(ann).get(path).status == 404
    assert world.of(ann).delete(path).status == 404
    assert world.of(ann).get("/tasks").json == {"items": [], "next": None}


def test_a_list_is_paged_newest_first_and_its_link_leads_to_the_next_page(world: World, ann: Person) -> None:
    for title in "abcde":
        world.of(ann).post("/tasks", {"title": title})
        world.clock.advance(seconds=1)
    first = world.of(ann).get("/tasks", query={"limit": 2})
    path, _, query = first.headers["link"].removeprefix("<").removesuffix('>; rel="next"').partition("?")
    second = world.of(ann).get(path, query=query)
    last = world.of(ann).get("/tasks", query={"limit": 2, "cursor": second.json["next"]})

    titles = [[task["title"] for task in page.json["items"]] for page in (first, second, last)]
    assert titles == [["e", "d"], ["c", "b"], ["a"]]
    assert last.json["next"] is None
    assert "link" not in last.headers


@pytest.mark.parametrize("cursor", ["AAAA", "x" * 75, "not-a-cursor"])
def test_a_cursor_that_was_not_made_here_is_refused(world: World, ann: Person, cursor: str) -> None:
    assert world.of(ann).get("/tasks", query={"cursor": cursor}).problem == "cursor-refused"


def test_a_cursor_of_somebody_else_is_refused(world: World, ann: Person) -> None:
    for _ in range(2):
        world.of(ann).post("/tasks", {"title": "A"})
    cursor = world.of(ann).get("/tasks", query={"limit": 1}).json["next"]

    assert world.of(world.person("bob")).get("/tasks", query={"cursor": cursor}).problem == "cursor-refused"


def test_nobody_sees_the_tasks_of_a_project_they_do_not_belong_to(world: World, ann: Person) -> None:
    path = world.of(ann).post("/tasks", {"title": "Secret"}).headers["location"]
    bob = world.of(world.person("bob"))

    assert bob.get("/tasks").json["items"] == []
    for answer in (
        bob.get(path),
        bob.put(path, {"title": "Mine"}),
        bob.patch(path, {"title": "Mine"}),
        bob.patch(f"{path}/status", {"status": "done"}),
        bob.delete(path),
    ):
        assert (answer.status, answer.problem) == (404, "not-found")
    assert world.of(ann).get(path).json["title"] == "Secret"


def test_a_task_cannot_be_put_into_a_project_one_does_not_belong_to(world: World, ann: Person) -> None:
    foreign = world.person("bob").user.inbox_id
    refused = world.of(ann).post("/tasks", {"title": "Mine", "project_id": foreign})

    assert refused.status == 404
    assert "project" in refused.json["detail"]


def test_a_task_cannot_be_given_to_somebody_outside_the_project(world: World, ann: Person) -> None:
    bob = world.person("bob")

    assert world.of(ann).post("/tasks", {"title": "A", "assignee_id": bob.id}).status == 404


@pytest.mark.parametrize(
    ("who", "role", "answers"),
    [
        # what they are in the project         status, patch, delete
        ("ann", ProjectRole.OWNER, (200, 200, 204)),
        ("bob", ProjectRole.EDITOR, (200, 200, 403)),  # edits, but neither made the task nor has it to do
        ("eve", ProjectRole.VIEWER, (403, 403, 403)),
        ("assignee", ProjectRole.VIEWER, (200, 403, 403)),  # has it to do
    ],
)
def test_who_may_do_what_with_a_task_of_a_shared_project(
    world: World, who: str, role: ProjectRole, answers: tuple[int, int, int]
) -> None:
    owner, somebody = world.person("owner"), world.person(who)
    project = world.project({owner: ProjectRole.OWNER, somebody: role})
    assignee = somebody.id if who == "assignee" else None
    task = {"title": "Shared", "project_id": project.id, "assignee_id": assignee}
    path = world.of(owner).post("/tasks", task).headers["location"]
    theirs = world.of(somebody)

    got = (
        theirs.patch(f"{path}/status", {"status": "done"}).status,
        theirs.patch(path, {"title": "Changed"}).status,
        theirs.delete(path).status,
    )
    assert got == answers


def test_a_viewer_of_the_installation_reads_and_no_more(world: World) -> None:
    viewer = world.of(world.person("vera", Role.VIEWER))
    refused = viewer.post("/tasks", {"title": "Mine"})

    assert viewer.get("/tasks").status == 200
    assert (refused.status, refused.problem) == (403, "forbidden")
    assert "task:create" in refused.json["detail"]


def test_an_admin_sees_and_changes_everything(world: World, ann: Person) -> None:
    path = world.of(ann).post("/tasks", {"title": "A"}).headers["location"]
    admin = world.of(world.person("root", Role.ADMIN))

    assert [task["title"] for task in admin.get("/tasks").json["items"]] == ["A"]
    assert admin.patch(path, {"title": "B"}).status == 200
    unknown = "0192f3a4-5b6c-7d8e-9f00-112233445566"
    assert admin.post("/tasks", {"title": "Nowhere", "project_id": unknown}).status == 404
