"""What can be done with projects, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tracker.domain.project import ProjectRole
from tracker.domain.sharing import MOST
from tracker.domain.task import Task
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Client, Received
    from tests.world import Person, World
    from tracker.domain.project import Project

Json = dict[str, Any]
UNKNOWN = "0192f3a4-5b6c-7d8e-9f00-112233445566"
OWNER, EDITOR, VIEWER = ProjectRole.OWNER, ProjectRole.EDITOR, ProjectRole.VIEWER


@pytest.fixture
def kitchen(world: World, ann: Person) -> Project:
    return world.project({ann: OWNER})


def names(page: Received) -> list[str]:
    return [project["name"] for project in page.json["items"]]


def test_whoever_creates_a_project_owns_it(client: Client, ann: Person) -> None:
    wanted = {"name": "Garden 🌱", "description": "All that grows", "archive_done_after_days": 30}

    created = client.post("/projects", wanted)

    assert (created.status, created.headers["etag"]) == (201, '"1-owner"')
    assert created.headers["location"] == f"/projects/{created.json['id']}"
    assert {name: created.json[name] for name in wanted} == wanted
    assert (created.json["kind"], created.json["your_role"], created.json["archived_at"]) == ("project", "owner", None)
    assert client.get(created.headers["location"]).json == created.json
    members = client.get(f"/projects/{created.json['id']}/members").json["items"]
    assert [(member["user_id"], member["role"]) for member in members] == [(ann.id, "owner")]
    task = client.post("/tasks", {"title": "Dig", "project_id": created.json["id"]})
    assert (task.status, task.json["number"]) == (201, 1)


def test_only_a_name_is_needed(client: Client) -> None:
    created = client.post("/projects", {"name": "x"}).json

    assert (created["description"], created["archive_done_after_days"]) == ("", None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 101},
        {"name": None},
        {"name": "x", "description": "x" * 20001},
        {"name": "x", "archive_done_after_days": 0},
        {"name": "x", "archive_done_after_days": 3651},
        {"name": "x", "kind": "inbox"},
        {"name": "x", "archived": True},
    ],
)
def test_what_is_no_project_is_refused(client: Client, body: Json) -> None:
    assert client.post("/projects", body).status == 400
    assert names(client.get("/projects")) == ["Inbox"]


def test_a_project_is_changed_in_what_is_given(world: World, client: Client, kitchen: Project) -> None:
    world.clock.advance(minutes=1)

    changed = client.patch(f"/projects/{kitchen.id}", {"name": "New kitchen", "archive_done_after_days": 7})

    assert (changed.status, changed.headers["etag"]) == (200, '"2-owner"')
    assert (changed.json["name"], changed.json["archive_done_after_days"]) == ("New kitchen", 7)
    assert (changed.json["version"], changed.json["updated_at"]) == (2, "2026-11-21T12:01:00.000Z")
    assert client.get(f"/projects/{kitchen.id}").json == changed.json
    assert client.patch(f"/projects/{kitchen.id}", {"archive_done_after_days": None}).json["name"] == "New kitchen"


def test_an_empty_patch_changes_nothing_not_even_the_version(client: Client, kitchen: Project) -> None:
    before = client.get(f"/projects/{kitchen.id}").json
    answer = client.patch(f"/projects/{kitchen.id}", {})

    assert answer.json == before
    assert "operation-id" not in answer.headers


def test_an_archived_project_is_left_out_of_the_list_and_works_as_before(client: Client, kitchen: Project) -> None:
    archived = client.patch(f"/projects/{kitchen.id}", {"archived": True}).json

    assert archived["archived_at"] == "2026-11-21T12:00:00.000Z"
    listed = {kind: names(client.get("/projects", query={"archived": kind})) for kind in ("exclude", "only", "include")}
    assert listed == {"exclude": ["Inbox"], "only": ["Kitchen"], "include": ["Kitchen", "Inbox"]}
    assert names(client.get("/projects")) == ["Inbox"]
    assert client.post("/tasks", {"title": "Still", "project_id": kitchen.id}).status == 201
    assert [task["title"] for task in client.get("/tasks").json["items"]] == ["Still"]
    assert client.patch(f"/projects/{kitchen.id}", {"archived": False}).json["archived_at"] is None


def test_projects_are_listed_newest_first_each_with_what_one_is_in_it(world: World, ann: Person) -> None:
    bob = world.person("bob")
    for n, role in enumerate(ProjectRole):
        project = world.project({ann: OWNER, bob: role})
        world.of(ann).patch(f"/projects/{project.id}", {"name": f"Project {n}"})

    page = world.of(bob).get("/projects")

    assert [(project["name"], project["your_role"]) for project in page.json["items"]] == [
        ("Project 2", "viewer"),
        ("Project 1", "editor"),
        ("Project 0", "owner"),
        ("Inbox", "owner"),
    ]


def test_the_list_is_paged_and_its_link_leads_to_the_next_page(client: Client) -> None:
    for n in range(4):
        client.post("/projects", {"name": f"Project {n}"})

    first = client.get("/projects", query={"limit": 2, "archived": "include"})
    path, _, query = first.headers["link"].removeprefix("<").removesuffix('>; rel="next"').partition("?")
    second = client.get(path, query=query)
    last = client.get(path, query={"limit": 2, "archived": "include", "cursor": second.json["next"]})

    assert [*map(names, (first, second, last))] == [["Project 3", "Project 2"], ["Project 1", "Project 0"], ["Inbox"]]
    assert last.json["next"] is None


def test_a_cursor_is_good_for_its_list_alone(world: World, client: Client, kitchen: Project) -> None:
    cursor = client.get("/projects", query={"limit": 1}).json["next"]

    bob = world.of(world.person("bob"))
    assert bob.get("/projects", query={"cursor": cursor}).problem == "cursor-refused"
    assert client.get("/projects", query={"cursor": cursor, "archived": "include"}).problem == "cursor-refused"
    assert client.get("/tasks", query={"cursor": cursor}).problem == "cursor-refused"


def test_the_list_is_told_not_to_have_changed_until_it_has(world: World, client: Client, kitchen: Project) -> None:
    bob = world.person("bob")

    def tag(sent: str | None = None) -> str:
        answer = client.get("/projects", headers={"if-none-match": sent} if sent else {})
        assert (answer.status == 304) == (sent == answer.headers["etag"])
        return answer.headers["etag"]

    tags = [tag()]
    client.patch(f"/projects/{kitchen.id}", {"name": "New kitchen"})
    tags.append(tag(tags[-1]))
    client.put(f"/projects/{kitchen.id}/members/{bob.id}", {"role": "owner"})
    tags.append(tag(tags[-1]))
    world.of(bob).put(f"/projects/{kitchen.id}/members/{client.get('/me').json['id']}", {"role": "viewer"})
    tags.append(tag(tags[-1]))
    world.of(bob).delete(f"/projects/{kitchen.id}")
    tags.append(tag(tags[-1]))

    assert len(set(tags)) == len(tags)
    assert tag(tags[-1]) == tags[-1]


def test_one_project_is_told_not_to_have_changed_unless_it_or_ones_role_in_it_has(world: World, ann: Person) -> None:
    bob = world.person("bob")
    path = f"/projects/{world.project({ann: OWNER, bob: EDITOR}).id}"
    tag = world.of(bob).get(path).headers["etag"]
    assert world.of(bob).get(path, headers={"if-none-match": tag}).status == 304

    world.of(ann).put(f"{path}/members/{bob.id}", {"role": "viewer"})
    again = world.of(bob).get(path, headers={"if-none-match": tag})
    assert (again.status, again.json["your_role"]) == (200, "viewer")


def test_a_change_is_made_to_the_version_that_was_seen(client: Client, kitchen: Project) -> None:
    path = f"/projects/{kitchen.id}"
    tag = client.get(path).headers["etag"]

    assert client.patch(path, {"name": "First"}, headers={"if-match": tag}).status == 200
    assert client.patch(path, {"name": "Second"}, headers={"if-match": tag}).problem == "precondition-failed"
    assert client.delete(path, headers={"if-match": tag}).status == 412
    assert client.get(path).json["name"] == "First"


def test_a_deleted_project_takes_everything_with_it(world: World, client: Client, kitchen: Project) -> None:
    task = client.post("/tasks", {"title": "Paint", "project_id": kitchen.id}).headers["location"]
    path = f"/projects/{kitchen.id}"

    deleted = client.delete(path)

    assert deleted.status == 204
    assert [client.get(gone).status for gone in (path, f"{path}/members", f"{path}/changes", task)] == [404] * 4
    assert client.delete(path).status == 404
    assert client.get("/tasks").json["items"] == []
    assert names(client.get("/projects")) == ["Inbox"]


def test_all_that_went_with_a_project_stands_in_its_log(world: World, client: Client, kitchen: Project) -> None:
    task = client.post("/tasks", {"title": "Paint", "project_id": kitchen.id}).json
    deleted = client.delete(f"/projects/{kitchen.id}")

    entries = world.store.operation(deleted.headers["operation-id"])

    assert [entry.entity for entry in entries] == ["project", "membership", "task"]
    assert (entries[2].entity_id, {entry.after for entry in entries}) == (task["id"], {None})


def test_a_project_with_too_much_in_it_goes_all_the_same_and_alone(
    world: World, client: Client, kitchen: Project, ann: Person
) -> None:
    tasks = [Task.new(project_id=kitchen.id, title=f"{n}", by=ann.id, at=world.clock()) for n in range(MOST + 1)]
    world.add(*tasks)

    deleted = client.delete(f"/projects/{kitchen.id}")

    assert deleted.status == 204
    assert [entry.entity for entry in world.store.operation(deleted.headers["operation-id"])] == ["project"]
    assert client.get("/tasks").json["items"] == []
    assert client.get(f"/tasks/{tasks[0].id}").status == 404


def test_a_dry_run_deletes_nothing(client: Client, kitchen: Project) -> None:
    assert client.delete(f"/projects/{kitchen.id}", query="dry_run=true").status == 204
    assert client.get(f"/projects/{kitchen.id}").status == 200


@pytest.mark.parametrize("body", [{"name": "Outbox"}, {"archived": True}])
def test_an_inbox_is_neither_renamed_nor_archived(client: Client, ann: Person, body: Json) -> None:
    refused = client.patch(f"/projects/{ann.user.inbox_id}", body)

    assert (refused.status, refused.problem) == (409, "inbox-is-personal")
    assert names(client.get("/projects")) == ["Inbox"]


def test_an_inbox_is_not_deleted_not_even_by_an_admin(world: World, client: Client, ann: Person) -> None:
    root = world.of(world.person("root", Role.ADMIN))
    path = f"/projects/{ann.user.inbox_id}"

    assert [somebody.delete(path).problem for somebody in (client, root)] == ["inbox-is-personal"] * 2
    assert client.patch(path, {"description": "Everything"}).json["kind"] == "inbox"


@pytest.mark.parametrize(
    ("role", "answers"),
    [
        # reads, lists its members, changes, deletes
        (OWNER, (200, 200, 200, 204)),
        (EDITOR, (200, 200, 403, 403)),
        (VIEWER, (200, 200, 403, 403)),
        (None, (404, 404, 404, 404)),
    ],
)
def test_who_may_do_what_with_a_project(
    world: World, ann: Person, role: ProjectRole | None, answers: tuple[int, ...]
) -> None:
    bob = world.person("bob")
    project = world.project({ann: OWNER, bob: role} if role else {ann: OWNER})
    assert done_with(world.of(bob), f"/projects/{project.id}") == answers


def test_an_admin_may_all_of_it_without_being_a_member(world: World, ann: Person, kitchen: Project) -> None:
    root = world.of(world.person("root", Role.ADMIN))

    assert root.get(f"/projects/{kitchen.id}").json["your_role"] is None
    assert root.get(f"/projects/{kitchen.id}").headers["etag"] == '"1"'
    assert names(root.get("/projects")) == ["Inbox", "Kitchen", "Inbox"]
    assert done_with(root, f"/projects/{kitchen.id}") == (200, 200, 200, 204)


def test_a_viewer_of_the_installation_reads_what_they_belong_to_and_no_more(world: World, ann: Person) -> None:
    vera = world.person("vera", Role.VIEWER)
    project = world.project({ann: OWNER, vera: OWNER})
    refused = world.of(vera).post("/projects", {"name": "Mine"})

    assert (refused.status, refused.problem) == (403, "forbidden")
    assert "project:create" in refused.json["detail"]
    assert names(world.of(vera).get("/projects")) == ["Kitchen", "Inbox"]
    assert done_with(world.of(vera), f"/projects/{project.id}") == (200, 200, 403, 403)


def done_with(client: Client, path: str) -> tuple[int, ...]:
    return (
        client.get(path).status,
        client.get(f"{path}/members").status,
        client.patch(path, {"name": "Changed"}).status,
        client.delete(path).status,
    )


def test_what_is_not_there_and_what_is_not_ones_own_look_alike(world: World, kitchen: Project) -> None:
    bob, root = world.of(world.person("bob")), world.of(world.person("root", Role.ADMIN))

    absent, foreign = bob.get(f"/projects/{UNKNOWN}"), bob.get(f"/projects/{kitchen.id}")
    assert absent.json == foreign.json
    assert done_with(root, f"/projects/{UNKNOWN}") == (404,) * 4
