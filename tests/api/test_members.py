"""Who belongs to a project, who decides that, and what happens when somebody goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.racing import at_once
from tracker.domain.changes import Change
from tracker.domain.project import ProjectRole
from tracker.domain.sharing import MOST
from tracker.domain.task import Task
from tracker.domain.user import Role, UserStatus

if TYPE_CHECKING:
    from tests.client import Client
    from tests.world import Person, World
    from tracker.domain.project import Project

Json = dict[str, Any]
UNKNOWN = "0192f3a4-5b6c-7d8e-9f00-112233445566"
OWNER, EDITOR, VIEWER = ProjectRole.OWNER, ProjectRole.EDITOR, ProjectRole.VIEWER
ROUNDS = 50


@pytest.fixture
def bob(world: World) -> Person:
    return world.person("bob")


@pytest.fixture
def kitchen(world: World, ann: Person) -> Project:
    return world.project({ann: OWNER})


def member(project: Project, person: Person) -> str:
    return f"/projects/{project.id}/members/{person.id}"


def roles(client: Client, project: Project) -> dict[str, str]:
    page = client.get(f"/projects/{project.id}/members").json
    return {item["username"]: item["role"] for item in page["items"]}


def test_whoever_is_taken_in_is_in_on_their_next_request(
    world: World, client: Client, kitchen: Project, bob: Person
) -> None:
    assert world.of(bob).get(f"/projects/{kitchen.id}").status == 404

    put = client.put(member(kitchen, bob), {"role": "editor"})

    assert (put.status, put.headers["etag"]) == (201, '"1"')
    assert put.json == {
        "user_id": bob.id,
        "username": "bob",
        "role": "editor",
        "version": 1,
        "created_at": "2026-11-21T12:00:00.000Z",
    }
    assert world.of(bob).get(f"/projects/{kitchen.id}").json["your_role"] == "editor"
    assert world.of(bob).post("/tasks", {"title": "Paint", "project_id": kitchen.id}).status == 201
    assert client.get(f"/projects/{kitchen.id}/members").json["items"][1] == put.json


def test_another_role_holds_on_the_next_request(world: World, client: Client, ann: Person, bob: Person) -> None:
    kitchen = world.project({ann: OWNER, bob: EDITOR})

    put = client.put(member(kitchen, bob), {"role": "viewer"})

    assert (put.status, put.json["role"], put.json["version"]) == (200, "viewer", 2)
    assert world.of(bob).post("/tasks", {"title": "Paint", "project_id": kitchen.id}).status == 403


def test_the_role_somebody_has_already_changes_nothing(client: Client, kitchen: Project, ann: Person) -> None:
    put = client.put(member(kitchen, ann), {"role": "owner"})

    assert (put.status, put.json["version"]) == (200, 1)
    assert "operation-id" not in put.headers


def test_members_are_listed_by_their_ids_page_by_page(world: World, client: Client, ann: Person) -> None:
    people = [world.person(f"person-{n}") for n in range(4)]
    kitchen = world.project({ann: OWNER, **dict.fromkeys(reversed(people), EDITOR)})
    path = f"/projects/{kitchen.id}/members"

    first = client.get(path, query={"limit": 2})
    second = client.get(path, query={"limit": 2, "cursor": first.json["next"]})
    last = client.get(path, query={"limit": 2, "cursor": second.json["next"]})

    listed = [[item["username"] for item in page.json["items"]] for page in (first, second, last)]
    assert listed == [["ann", "person-0"], ["person-1", "person-2"], ["person-3"]]
    assert last.json["next"] is None


def test_a_cursor_is_good_for_the_members_of_one_project(
    world: World, client: Client, ann: Person, bob: Person
) -> None:
    kitchen, garden = (world.project({ann: OWNER, bob: EDITOR}) for _ in range(2))
    cursor = client.get(f"/projects/{kitchen.id}/members", query={"limit": 1}).json["next"]

    refused = client.get(f"/projects/{garden.id}/members", query={"cursor": cursor})
    assert (refused.status, refused.problem) == (409, "cursor-refused")


def test_the_list_is_told_not_to_have_changed_until_it_has(client: Client, kitchen: Project, bob: Person) -> None:
    path = f"/projects/{kitchen.id}/members"
    tag = client.get(path).headers["etag"]
    assert client.get(path, headers={"if-none-match": tag}).status == 304

    client.put(member(kitchen, bob), {"role": "viewer"})
    assert client.get(path, headers={"if-none-match": tag}).status == 200


def test_a_change_is_made_to_the_version_that_was_seen(world: World, client: Client, ann: Person, bob: Person) -> None:
    kitchen = world.project({ann: OWNER, bob: EDITOR})
    path, seen = member(kitchen, bob), {"if-match": '"1"'}

    assert client.put(path, {"role": "viewer"}, headers=seen).status == 200
    assert client.put(path, {"role": "owner"}, headers=seen).status == 412
    assert client.delete(path, headers=seen).status == 412
    assert roles(client, kitchen)["bob"] == "viewer"


def test_whoever_is_removed_is_out_on_their_next_request(
    world: World, client: Client, ann: Person, bob: Person
) -> None:
    kitchen = world.project({ann: OWNER, bob: EDITOR})

    assert client.delete(member(kitchen, bob)).status == 204

    assert roles(client, kitchen) == {"ann": "owner"}
    assert world.of(bob).get(f"/projects/{kitchen.id}").status == 404
    assert client.delete(member(kitchen, bob)).status == 404


@pytest.mark.parametrize("by_themselves", [False, True])
def test_what_somebody_had_to_do_is_nobodys_once_they_are_gone(
    world: World, client: Client, ann: Person, bob: Person, *, by_themselves: bool
) -> None:
    kitchen, garden = (world.project({ann: OWNER, bob: VIEWER}) for _ in range(2))
    tasks = [
        client.post("/tasks", {"title": "Task", "project_id": project.id, "assignee_id": who.id}).json
        for project, who in ((kitchen, bob), (kitchen, ann), (garden, bob))
    ]

    removed = (world.of(bob) if by_themselves else client).delete(member(kitchen, bob))

    now = [client.get(f"/tasks/{task['id']}").json for task in tasks]
    assert [task["assignee_id"] for task in now] == [None, ann.id, bob.id]
    assert [task["version"] for task in now] == [2, 1, 1]
    entries = world.store.operation(removed.headers["operation-id"])
    assert [entry.entity for entry in entries] == ["membership", "task"]


def test_whoever_has_too_much_to_do_has_to_hand_it_over_first(
    world: World, client: Client, ann: Person, bob: Person
) -> None:
    kitchen = world.project({ann: OWNER, bob: EDITOR})
    made = [
        Task.new(project_id=kitchen.id, title=f"{n}", assignee_id=bob.id, by=ann.id, at=world.clock())
        for n in range(MOST + 1)
    ]
    world.add(*made)

    refused = client.delete(member(kitchen, bob))
    assert (refused.status, refused.problem) == (409, "too-many-assigned")
    assert roles(client, kitchen)["bob"] == "editor"

    client.patch(f"/tasks/{made[0].id}", {"assignee_id": ann.id})
    assert client.delete(member(kitchen, bob)).status == 204
    assert client.get(f"/tasks/{made[-1].id}").json["assignee_id"] is None


def test_the_last_owner_neither_leaves_nor_is_given_another_role(
    world: World, client: Client, ann: Person, bob: Person
) -> None:
    kitchen = world.project({ann: OWNER, bob: EDITOR})
    root = world.of(world.person("root", Role.ADMIN))
    path = member(kitchen, ann)

    refusals = [
        refused
        for somebody in (client, root)
        for refused in (somebody.delete(path), somebody.put(path, {"role": "editor"}))
    ]
    assert {(refused.status, refused.problem) for refused in refusals} == {(409, "last-owner")}

    client.put(member(kitchen, bob), {"role": "owner"})
    assert client.delete(path).status == 204
    assert roles(world.of(bob), kitchen) == {"bob": "owner"}


def test_of_two_owners_who_leave_at_once_one_stays(world: World, ann: Person, bob: Person) -> None:
    for _ in range(ROUNDS):
        kitchen = world.project({ann: OWNER, bob: OWNER})

        left = at_once(2, lambda n: world.of((ann, bob)[n]).delete(member(kitchen, (ann, bob)[n])).status)  # noqa: B023

        assert sorted(left) == [204, 409]
        assert list(roles(world.of((ann, bob)[left.index(409)]), kitchen).values()) == ["owner"]


def test_of_two_owners_who_demote_each_other_at_once_one_stays(world: World, ann: Person, bob: Person) -> None:
    root = world.of(world.person("root", Role.ADMIN))
    for _ in range(ROUNDS):
        kitchen = world.project({ann: OWNER, bob: OWNER})

        at_once(2, lambda n: world.of((ann, bob)[n]).put(member(kitchen, (bob, ann)[n]), {"role": "viewer"}))  # noqa: B023

        assert sorted(roles(root, kitchen).values()) == ["owner", "viewer"]


def test_somebody_taken_in_twice_at_once_is_in_once(
    world: World, client: Client, kitchen: Project, bob: Person
) -> None:
    put = at_once(4, lambda _: client.put(member(kitchen, bob), {"role": "viewer"}).status)

    assert sorted(put) == [200, 200, 200, 201]


def test_only_active_users_are_taken_in(world: World, client: Client, kitchen: Project, bob: Person) -> None:
    disabled = bob.user.changed(at=world.clock(), status=UserStatus.DISABLED)
    world.commit(Change(bob.user, disabled))

    for user_id in (bob.id, UNKNOWN):
        refused = client.put(f"/projects/{kitchen.id}/members/{user_id}", {"role": "viewer"})
        assert (refused.status, refused.problem) == (404, "not-found")
    assert roles(client, kitchen) == {"ann": "owner"}


def test_whoever_is_disabled_can_still_be_given_a_role_and_removed(
    world: World, client: Client, ann: Person, bob: Person
) -> None:
    kitchen = world.project({ann: OWNER, bob: EDITOR})
    world.commit(Change(bob.user, bob.user.changed(at=world.clock(), status=UserStatus.DISABLED)))

    assert client.put(member(kitchen, bob), {"role": "viewer"}).status == 200
    assert client.delete(member(kitchen, bob)).status == 204


def test_an_inbox_has_one_member_for_good(world: World, client: Client, ann: Person, bob: Person) -> None:
    inbox, root = f"/projects/{ann.user.inbox_id}/members", world.of(world.person("root", Role.ADMIN))

    for somebody in (client, root):
        for refused in (
            somebody.put(f"{inbox}/{bob.id}", {"role": "viewer"}),
            somebody.put(f"{inbox}/{ann.id}", {"role": "viewer"}),
            somebody.delete(f"{inbox}/{ann.id}"),
        ):
            assert (refused.status, refused.problem) == (409, "inbox-is-personal")
    assert [item["username"] for item in client.get(inbox).json["items"]] == ["ann"]


@pytest.mark.parametrize("body", [{}, {"role": "admin"}, {"role": None}, {"role": "viewer", "version": 2}])
def test_what_is_no_role_is_refused(client: Client, kitchen: Project, bob: Person, body: Json) -> None:
    assert client.put(member(kitchen, bob), body).status == 400
    assert roles(client, kitchen) == {"ann": "owner"}


@pytest.mark.parametrize(
    ("role", "answers"),
    [
        # lists, takes in, gives a role, removes another, leaves
        (OWNER, (200, 201, 200, 204, 204)),
        (EDITOR, (200, 403, 403, 403, 204)),
        (VIEWER, (200, 403, 403, 403, 204)),
        (None, (404, 404, 404, 404, 404)),
    ],
)
def test_who_may_do_what_with_members(
    world: World, ann: Person, bob: Person, role: ProjectRole | None, answers: tuple[int, ...]
) -> None:
    carl = world.person("carl")
    project = world.project({ann: OWNER, carl: EDITOR} | ({bob: role} if role else {}))

    assert done_with(world, bob, project, carl) == answers


def test_an_admin_may_all_of_it(world: World, ann: Person) -> None:
    carl, root = world.person("carl"), world.person("root", Role.ADMIN)
    project = world.project({ann: OWNER, carl: EDITOR, root: VIEWER})

    assert done_with(world, root, project, carl) == (200, 201, 200, 204, 204)
    assert world.of(root).put(member(project, root), {"role": "owner"}).status == 201


def test_a_viewer_of_the_installation_may_be_an_owner_and_still_only_reads(world: World, ann: Person) -> None:
    carl, vera = world.person("carl"), world.person("vera", Role.VIEWER)
    project = world.project({ann: OWNER, carl: EDITOR, vera: OWNER})

    assert done_with(world, vera, project, carl) == (200, 403, 403, 403, 403)


def done_with(world: World, who: Person, project: Project, another: Person) -> tuple[int, ...]:
    client, somebody_new = world.of(who), world.person("newcomer")
    return (
        client.get(f"/projects/{project.id}/members").status,
        client.put(member(project, somebody_new), {"role": "viewer"}).status,
        client.put(member(project, another), {"role": "viewer"}).status,
        client.delete(member(project, another)).status,
        client.delete(member(project, who)).status,
    )


def test_what_is_not_there_and_what_is_not_ones_own_look_alike(
    world: World, kitchen: Project, ann: Person, bob: Person
) -> None:
    his, root = world.of(bob), world.of(world.person("root", Role.ADMIN))

    foreign, absent = his.delete(member(kitchen, ann)), his.delete(f"/projects/{UNKNOWN}/members/{ann.id}")
    assert foreign.json == absent.json
    assert his.put(member(kitchen, bob), {"role": "owner"}).status == 404
    assert root.put(f"/projects/{UNKNOWN}/members/{ann.id}", {"role": "owner"}).status == 404
    assert root.get(f"/projects/{UNKNOWN}/members").status == 404
    assert root.delete(member(kitchen, bob)).status == 404
