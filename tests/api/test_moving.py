"""A task that moves to another project: rights on both sides, a number of its new place, and nobody left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tracker.domain.project import ProjectRole
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Client
    from tests.world import Person, World
    from tracker.domain.project import Project

OWNER, EDITOR, VIEWER = ProjectRole.OWNER, ProjectRole.EDITOR, ProjectRole.VIEWER
Json = dict[str, Any]


def a_task(client: Client, project: Project, **members: object) -> Json:
    made: Json = client.post("/tasks", {"title": "Water the plants", "project_id": project.id, **members}).json
    return made


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_it_gets_the_next_number_there(world: World, ann: Person, method: str) -> None:
    client, here, there = world.of(ann), world.project({ann: OWNER}), world.project({ann: EDITOR})
    a_task(client, there)
    task = a_task(client, here)

    moved = client.request(method, f"/tasks/{task['id']}", {"title": "Water them", "project_id": there.id}).json

    assert (moved["project_id"], moved["number"], moved["version"]) == (there.id, 2, 2)
    assert client.get(f"/tasks/{task['id']}").json == moved
    assert a_task(client, here)["number"] == 2


def test_what_stays_where_it_is_keeps_its_number(world: World, ann: Person) -> None:
    client, here = world.of(ann), world.project({ann: OWNER})
    task = a_task(client, here)

    same = client.patch(f"/tasks/{task['id']}", {"project_id": here.id})

    assert (same.status, same.json) == (200, task)


@pytest.mark.parametrize(
    ("here", "there", "status"),
    [
        (OWNER, OWNER, 200),
        (EDITOR, EDITOR, 200),
        (VIEWER, OWNER, 403),
        (OWNER, VIEWER, 403),
        (None, OWNER, 404),
        (OWNER, None, 404),
    ],
)
def test_whoever_moves_it_needs_to_write_on_both_sides(
    world: World, ann: Person, here: ProjectRole | None, there: ProjectRole | None, status: int
) -> None:
    bob = world.person("bob")
    projects = [world.project({ann: OWNER, **({bob: role} if role else {})}) for role in (here, there)]
    task = a_task(world.of(ann), projects[0])

    answer = world.of(bob).patch(f"/tasks/{task['id']}", {"project_id": projects[1].id})

    assert answer.status == status
    left = world.of(ann).get(f"/tasks/{task['id']}").json
    assert left["project_id"] == projects[status == 200].id


def test_an_admin_moves_it_anywhere_there_is(world: World, ann: Person) -> None:
    root = world.of(world.person("root", Role.ADMIN))
    here, there = world.project({ann: OWNER}), world.project({ann: OWNER})
    task = a_task(world.of(ann), here)

    nowhere = root.patch(f"/tasks/{task['id']}", {"project_id": "0192f3a4-5b6c-7d8e-9f00-112233445566"})

    assert nowhere.status == 404
    assert root.patch(f"/tasks/{task['id']}", {"project_id": there.id}).status == 200


def test_whoever_has_it_to_do_has_to_be_there_too(world: World, ann: Person) -> None:
    bob = world.person("bob")
    client, here, there = world.of(ann), world.project({ann: OWNER, bob: EDITOR}), world.project({ann: OWNER})
    task = a_task(client, here, assignee_id=bob.id)

    assert client.patch(f"/tasks/{task['id']}", {"project_id": there.id}).status == 404
    assert client.patch(f"/tasks/{task['id']}", {"project_id": there.id, "assignee_id": ann.id}).status == 200


def test_it_is_another_projects_from_the_next_request_on(world: World, ann: Person) -> None:
    bob = world.person("bob")
    here, there = world.project({ann: OWNER, bob: VIEWER}), world.project({ann: OWNER})
    task = a_task(world.of(ann), here)
    his = world.of(bob)
    seen = his.get("/tasks")

    world.of(ann).patch(f"/tasks/{task['id']}", {"project_id": there.id})

    assert his.get(f"/tasks/{task['id']}").status == 404
    assert his.get("/tasks", headers={"if-none-match": seen.headers["etag"]}).json["items"] == []
