"""The founding clients: older forms of other operations, each of which says what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.world import DOCUMENT, World
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Received
    from tracker.store.contract import Store

PERSON = {"username": "gaditya", "password": "test@123", "email": "gaditya@example.com"}
LOGIN = {"password": "test@123", "email": "gaditya@example.com"}


def is_deprecated_for(answer: Received, successor: str) -> bool:
    told = (answer.headers["deprecation"], answer.headers["link"].partition(", ")[0])
    return told == ("@1795219200", f'<{successor}>; rel="successor-version"')


@pytest.mark.parametrize(("path", "successor"), [("/users/signup", "/register"), ("/auth/register", "/register")])
def test_a_registration_in_an_older_form_registers_and_names_the_newer_one(
    world: World, path: str, successor: str
) -> None:
    answer = world.client.post(path, PERSON)

    assert answer.status == 201
    assert is_deprecated_for(answer, successor)
    assert world.client.post("/login", LOGIN).status == 200


@pytest.mark.parametrize(("path", "members"), [("/users/login", ["token"]), ("/auth/login", None)])
def test_a_login_in_an_older_form_gives_a_token_that_works(world: World, path: str, members: list[str] | None) -> None:
    world.client.post("/register", PERSON)

    answer = world.client.post(path, LOGIN)

    assert is_deprecated_for(answer, "/login")
    assert members is None or list(answer.json) == members
    assert world.client.as_(answer.json["token"]).get("/me").status == 200


@pytest.mark.parametrize("path", ["/users/login", "/auth/login"])
def test_a_wrong_password_is_refused_there_as_anywhere(world: World, path: str) -> None:
    assert world.client.post(path, LOGIN).problem == "wrong-credentials"


def test_an_admin_reads_who_there_is_with_the_status_as_a_letter(world: World) -> None:
    root = world.of(world.person("root", Role.ADMIN))
    gone = world.client.post("/register", PERSON).json
    root.patch(f"/users/{gone['id']}", {"status": "disabled"})

    answer = root.get("/users/get_users")

    assert is_deprecated_for(answer, "/users")
    assert [(user["username"], user["role"], user["status"]) for user in answer.json["users"]] == [
        ("root", "admin", "Y"),
        ("gaditya", "member", "N"),
    ]


def test_nobody_else_reads_it(world: World) -> None:
    assert world.of(world.person("eve")).get("/users/get_users").status == 403
    assert world.client.get("/users/get_users").status == 401


def test_nobody_makes_themselves_an_admin_by_an_older_path(store: Store) -> None:
    world = World(store, tracker_env="production")
    for path in ("/users/signup", "/auth/register"):
        assert world.client.post(path, {**PERSON, "role": "admin"}).status == 403
    assert world.client.post("/login", LOGIN).status == 401


def test_the_tasks_with_a_slash_are_the_tasks(world: World) -> None:
    ann = world.of(world.person("ann"))
    made = [ann.post("/tasks/", {"title": f"Task {n}"}) for n in range(3)]

    with_slash = ann.get("/tasks/", query={"limit": 2})

    assert all(is_deprecated_for(answer, "/tasks") for answer in (*made, with_slash))
    assert with_slash.json["items"] == ann.get("/tasks", query={"limit": 2}).json["items"]
    following = ann.get("/tasks/", query={"limit": 2, "cursor": with_slash.json["next"]}).json
    assert [task["title"] for task in following["items"]] == ["Task 0"]


def _parameters(path: str, method: str) -> Any:
    return DOCUMENT.root["paths"][path][method].get("parameters")


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_paths_with_and_without_the_slash_take_the_same(method: str) -> None:
    assert _parameters("/tasks/", method) == _parameters("/tasks", method)
