"""Users, for admins: who is there, what they may do, and that somebody who can change that is always left."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.racing import at_once
from tests.world import Person, World
from tracker.domain.changes import Change
from tracker.domain.identity import new_id
from tracker.domain.user import Role, UserStatus

ROUNDS = 50


@pytest.fixture
def root(world: World) -> Person:
    return world.person("root", Role.ADMIN)


def listed(world: World, who: Person, **query: object) -> list[str]:
    """Return the names on every page."""
    names: list[str] = []
    while True:
        page = world.of(who).get("/users", query=query).json
        names += [user["username"] for user in page["items"]]
        if page["next"] is None:
            return names
        query["cursor"] = page["next"]


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_an_admin_lists_everybody_the_oldest_account_first(world: World, root: Person, limit: int) -> None:
    people = [root, *(world.person(name) for name in ("zoe", "ann", "mia"))]
    assert listed(world, root, limit=limit) == [person.user.username for person in people]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"role": "admin"}, ["root"]),
        ({"role": "viewer"}, ["vic"]),
        ({"status": "active"}, ["root", "vic"]),
        ({"status": "disabled"}, ["ann"]),
        ({"role": "member", "status": "disabled"}, ["ann"]),
        ({"role": "member", "status": "active"}, []),
    ],
)
def test_users_are_listed_by_role_and_status(
    world: World, root: Person, ann: Person, query: dict[str, str], names: list[str]
) -> None:
    world.person("vic", Role.VIEWER)
    world.of(root).patch(f"/users/{ann.id}", {"status": "disabled"})
    assert listed(world, root, **query) == names


def test_a_cursor_is_for_the_list_it_came_from(world: World, root: Person, ann: Person) -> None:
    other = world.person("other", Role.ADMIN)
    cursor = world.of(root).get("/users", query={"limit": 1}).json["next"]
    for who, query in ((root, {"role": "member"}), (root, {"status": "active"}), (other, {})):
        refused = world.of(who).get("/users", query={**query, "cursor": cursor})
        assert (refused.status, refused.problem) == (409, "cursor-refused")


def test_a_list_that_is_as_it_was_is_not_sent_again(world: World, root: Person, ann: Person) -> None:
    seen = world.of(root).get("/users").headers["etag"]
    assert world.of(root).get("/users", headers={"if-none-match": seen}).status == 304
    world.of(root).patch(f"/users/{ann.id}", {"role": "viewer"})
    assert world.of(root).get("/users", headers={"if-none-match": seen}).status == 200


def test_an_admin_reads_anybody(world: World, root: Person, ann: Person) -> None:
    found = world.of(root).get(f"/users/{ann.id}")
    assert found.json == world.of(ann).get("/me").json
    assert found.headers["etag"] == '"1"'


class Asked(NamedTuple):
    """An operation on a user, and the permission it takes."""

    permission: str
    method: str
    path: str
    body: object = None


OPERATIONS = [
    Asked("user:read", "GET", "/users"),
    Asked("user:read", "GET", "/users/{id}"),
    Asked("user:change", "PATCH", "/users/{id}", {"role": "viewer"}),
    Asked("user:reset_password", "POST", "/users/{id}/password-reset"),
]


@pytest.mark.parametrize("asked", OPERATIONS)
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_nobody_else_may(world: World, ann: Person, role: Role, asked: Asked) -> None:
    permission, method, path, body = asked
    who = world.person("who", role)
    for user_id in (ann.id, who.id, new_id()):  # not oneself either, and nothing is said about who is there
        refused = world.of(who).request(method, path.format(id=user_id), body)
        assert (refused.status, refused.problem) == (403, "forbidden")
        assert permission in refused.json["detail"]
    assert world.store.user(ann.id) == ann.user
    assert world.store.password_reset_of(ann.id) is None


@pytest.mark.parametrize("asked", OPERATIONS[1:])
def test_who_is_not_there_is_not_found(world: World, root: Person, asked: Asked) -> None:
    refused = world.of(root).request(asked.method, asked.path.format(id=new_id()), asked.body)
    assert (refused.status, refused.problem) == (404, "not-found")


def test_another_role_holds_from_the_next_request_on(world: World, root: Person, ann: Person) -> None:
    path = world.of(root).post("/tasks", {"title": "A"}).headers["location"]
    assert world.of(ann).get(path).status == 404

    changed = world.of(root).patch(f"/users/{ann.id}", {"role": "admin"})
    assert (changed.status, changed.json["role"], changed.json["version"]) == (200, "admin", 2)
    assert world.of(ann).get(path).status == 200

    world.of(root).patch(f"/users/{ann.id}", {"role": "viewer"})
    assert world.of(ann).get(path).status == 404
    assert world.of(ann).post("/tasks", {"title": "B"}).status == 403


def test_who_is_disabled_is_refused_on_the_next_request_and_back_only_with_a_new_session(
    world: World, root: Person, ann: Person
) -> None:
    world.of(root).patch(f"/users/{ann.id}", {"status": "disabled"})
    assert world.of(ann).get("/me").status == 401

    back = world.of(root).patch(f"/users/{ann.id}", {"status": "active"})
    assert back.json["status"] == "active"
    assert world.of(ann).get("/me").status == 401
    user = world.store.user(ann.id)
    assert user is not None
    assert world.of(world.log_in(user)).get("/me").status == 200


def test_a_patch_without_members_changes_nothing(world: World, root: Person, ann: Person) -> None:
    for patch in ({}, {"role": "member"}, {"status": "active"}):
        same = world.of(root).patch(f"/users/{ann.id}", patch)
        assert (same.status, same.json["version"]) == (200, 1)
        assert "operation-id" not in same.headers
    assert world.store.user(ann.id) == ann.user


@pytest.mark.parametrize("patch", [{"username": "anna"}, {"role": None}, {"status": "gone"}, {"role": "king"}])
def test_nothing_else_can_be_set_of_somebody(world: World, root: Person, ann: Person, patch: dict[str, Any]) -> None:
    assert world.of(root).patch(f"/users/{ann.id}", patch).status == 400
    assert world.store.user(ann.id) == ann.user


def test_a_change_is_made_to_the_version_that_was_seen(world: World, root: Person, ann: Person) -> None:
    path, seen = f"/users/{ann.id}", world.of(root).get(f"/users/{ann.id}").headers["etag"]
    assert world.of(root).patch(path, {"role": "viewer"}, headers={"if-match": seen}).status == 200
    late = world.of(root).patch(path, {"role": "admin"}, headers={"if-match": seen})
    assert (late.status, late.problem) == (412, "precondition-failed")
    assert world.of(root).get(path).json["role"] == "viewer"


LEAVING = [{"role": "member"}, {"role": "viewer"}, {"status": "disabled"}, {"role": "viewer", "status": "disabled"}]


@pytest.mark.parametrize("patch", LEAVING)
def test_the_last_active_admin_stays_one(world: World, root: Person, patch: dict[str, str]) -> None:
    gone = world.person("gone", Role.ADMIN)
    world.of(root).patch(f"/users/{gone.id}", {"status": "disabled"})
    seen = world.store.user(root.id)

    refused = world.of(root).patch(f"/users/{root.id}", patch)

    assert (refused.status, refused.problem) == (409, "last-admin")
    assert world.store.user(root.id) == seen


@pytest.mark.parametrize("patch", LEAVING)
def test_an_admin_may_leave_who_leaves_another(world: World, root: Person, patch: dict[str, str]) -> None:
    other = world.person("other", Role.ADMIN)
    assert world.of(root).patch(f"/users/{root.id}", patch).status == 200
    assert world.of(other).get("/me").json["role"] == "admin"
    assert world.of(other).patch(f"/users/{other.id}", patch).problem == "last-admin"


def test_an_admin_who_is_disabled_can_be_made_something_else(world: World, root: Person) -> None:
    other = world.person("other", Role.ADMIN)
    world.of(root).patch(f"/users/{other.id}", {"status": "disabled"})
    assert world.of(root).patch(f"/users/{other.id}", {"role": "viewer"}).status == 200


@pytest.mark.parametrize("patch", LEAVING[1:3])
def test_of_two_admins_who_shut_each_other_out_at_once_one_is_left(
    world: World, root: Person, patch: dict[str, str]
) -> None:
    people = [root, world.person("other", Role.ADMIN)]
    _ = world.responder
    for _ in range(ROUNDS):
        clients = [world.of(person) for person in people]
        outcomes = at_once(2, lambda n: clients[n].patch(f"/users/{people[1 - n].id}", patch).status)  # noqa: B023 - over in this round
        assert sorted(outcomes) in ([200, 401], [200, 403], [200, 409])
        people = [restored(world, person) for person in people]


def restored(world: World, person: Person) -> Person:
    """Make somebody an active admin again, in a new session."""
    user = world.store.user(person.id)
    assert user is not None
    again = user.changed(at=world.clock(), role=Role.ADMIN, status=UserStatus.ACTIVE)
    world.commit(Change(user, again))
    return world.log_in(again)
