"""One's own account: names, password, sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from argon2 import PasswordHasher

from tests.client import Client, Received
from tests.world import Person, World
from tracker.domain.changes import Change
from tracker.domain.identity import new_id
from tracker.domain.user import User
from tracker.edge import passwords
from tracker.store.contract import Store

ANN = {"username": "ann", "email": "ann@example.com", "password": "correct horse battery"}
ANOTHER = "seven green umbrellas"


@pytest.fixture
def registered(world: World) -> World:
    assert world.client.post("/register", ANN).status == 201
    return world


def log_in(world: World, password: str = ANN["password"], **name: str) -> Received:
    return world.client.post("/login", {"password": password, **(name or {"username": "ann"})})


def session_of(world: World) -> Client:
    return world.client.as_(log_in(world).json["access_token"])


def user_of(world: World, name: str = "ann") -> User:
    user = world.store.user_named(username=name)
    assert user is not None
    return user


def test_one_reads_ones_own_account(registered: World) -> None:
    me = session_of(registered).get("/me")
    assert (me.json["username"], me.json["email"]) == ("ann", "ann@example.com")
    assert me.headers["etag"] == '"1"'


# Names.


def test_another_username_takes_no_password(registered: World) -> None:
    changed = session_of(registered).patch("/me", {"username": "anna"})
    assert (changed.status, changed.json["username"], changed.json["version"]) == (200, "anna", 2)
    assert log_in(registered, username="anna").status == 200
    assert log_in(registered, username="ann").status == 401


def test_another_address_takes_the_password(registered: World) -> None:
    ann, wanted = session_of(registered), {"email": "ann@example.org"}
    for given in ({}, {"current_password": "wrong horse battery"}, {"current_password": "x"}):
        refused = ann.patch("/me", {**wanted, **given})
        assert (refused.status, refused.problem) == (409, "wrong-password")
    assert user_of(registered).version == 1

    changed = ann.patch("/me", {**wanted, "current_password": ANN["password"]})

    assert (changed.status, changed.json["email"]) == (200, "ann@example.org")
    assert log_in(registered, email="ann@example.org").status == 200
    assert log_in(registered, email="ann@example.com").status == 401


@pytest.mark.parametrize("patch", [{}, {"username": "ann"}, {"email": "ann@example.com"}, {"current_password": "any"}])
def test_what_is_not_changed_takes_no_password_and_makes_no_version(registered: World, patch: dict[str, str]) -> None:
    same = session_of(registered).patch("/me", patch)
    assert (same.status, same.json["version"]) == (200, 1)
    assert "operation-id" not in same.headers


@pytest.mark.parametrize("taken", [{"username": "BOB"}, {"email": "BOB@example.com"}])
def test_a_name_of_somebody_else_is_taken(registered: World, taken: dict[str, str]) -> None:
    registered.person("bob")
    refused = session_of(registered).patch("/me", {**taken, "current_password": ANN["password"]})
    assert (refused.status, refused.problem) == (409, "taken")
    assert next(iter(taken)) in refused.json["detail"]
    assert (user_of(registered).username, user_of(registered).email) == ("ann", "ann@example.com")


def test_one_may_write_ones_own_name_another_way(registered: World) -> None:
    changed = session_of(registered).patch(
        "/me", {"username": "Ann", "email": "Ann@Example.com", "current_password": ANN["password"]}
    )
    assert (changed.json["username"], changed.json["email"]) == ("Ann", "Ann@Example.com")


@pytest.mark.parametrize("patch", [{"role": "admin"}, {"status": "active"}, {"password": ANOTHER}, {"username": None}])
def test_nothing_else_of_oneself_can_be_set(registered: World, patch: dict[str, str | None]) -> None:
    assert session_of(registered).patch("/me", patch).status == 400
    assert user_of(registered).version == 1


def test_a_change_of_oneself_is_made_to_the_version_that_was_seen(registered: World) -> None:
    ann, seen = session_of(registered), {"if-match": '"1"'}
    assert ann.patch("/me", {"username": "anna"}, headers=seen).status == 200
    assert ann.patch("/me", {"username": "anne"}, headers=seen).status == 412
    assert ann.get("/me").json["username"] == "anna"


# The password.


def change_password(client: Client, current: str = ANN["password"], new: str = ANOTHER) -> Received:
    return client.post("/me/password", {"current_password": current, "new_password": new})


def test_with_another_password_one_logs_in_with_that_alone(registered: World) -> None:
    assert change_password(session_of(registered)).status == 204
    assert log_in(registered).status == 401
    assert log_in(registered, ANOTHER).status == 200


def test_with_another_password_all_sessions_end_but_the_present_one(registered: World) -> None:
    mine, theirs = (log_in(registered).json for _ in range(2))
    here, there = (registered.client.as_(tokens["access_token"]) for tokens in (mine, theirs))
    assert there.get("/me").status == 200

    assert change_password(here).status == 204

    assert there.get("/me").status == 401
    assert here.get("/me").status == 200
    refreshed = [
        registered.client.post("/token/refresh", {"refresh_token": t["refresh_token"]}) for t in (theirs, mine)
    ]
    assert [answer.status for answer in refreshed] == [401, 200]
    assert [session["current"] for session in here.get("/me/sessions").json["items"]] == [True]


def test_the_present_password_has_to_be_known(registered: World) -> None:
    ann, other = session_of(registered), session_of(registered)
    refused = change_password(ann, current="wrong horse battery")
    assert (refused.status, refused.problem) == (409, "wrong-password")
    assert "www-authenticate" not in refused.headers
    assert log_in(registered).status == 200
    assert other.get("/me").status == 200


def test_an_account_without_a_password_has_none_to_change(world: World) -> None:
    ann = world.of(world.person("ann"))
    assert change_password(ann, current="any").problem == "wrong-password"


@pytest.mark.parametrize("new", ["ann@example.com", "ANN@example.com"])
def test_another_password_is_held_to_the_policy(registered: World, new: str) -> None:
    refused = change_password(session_of(registered), new=new)
    assert (refused.status, refused.problem) == (409, "password-refused")
    assert log_in(registered).status == 200


def test_another_password_is_held_to_a_strict_policy_where_there_is_one(store: Store) -> None:
    world = World(store, password_policy="strict")
    world.client.post("/register", {**ANN, "password": ANOTHER})
    ann = world.client.as_(log_in(world, ANOTHER).json["access_token"])
    assert change_password(ann, ANOTHER, "fourteen chars").problem == "password-refused"
    assert change_password(ann, ANOTHER, "eight red wheelbarrows").status == 204


def test_a_dry_run_changes_no_password(registered: World) -> None:
    ann, other = session_of(registered), session_of(registered)
    tried = ann.post(
        "/me/password", {"current_password": ANN["password"], "new_password": ANOTHER}, query={"dry_run": "true"}
    )
    assert tried.status == 204
    assert log_in(registered).status == 200
    assert other.get("/me").status == 200


class Striking(PasswordHasher):
    """A hasher at whose first check something else happens, right after it."""

    def __init__(self, strike: Callable[[], object]) -> None:
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.strikes = iter([strike])

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the name is argon2's
        known = super().verify(hash, password)
        for strike in self.strikes:
            strike()
        return known


def test_a_login_with_the_password_as_it_was_gains_nothing(registered: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the check of the old password and the new session, the password is changed: that session is over."""

    def change() -> None:
        user = user_of(registered)
        registered.commit(Change(user, user.with_password("another hash", at=registered.clock())))

    monkeypatch.setattr(passwords, "_HASHER", Striking(change))
    late = log_in(registered)

    assert late.status == 200
    assert registered.client.as_(late.json["access_token"]).get("/me").status == 401
    assert registered.client.post("/token/refresh", {"refresh_token": late.json["refresh_token"]}).status == 401


# Sessions.


def sessions(client: Client, **query: object) -> list[str]:
    """Return the ids on every page."""
    found: list[str] = []
    while True:
        page = client.get("/me/sessions", query=query).json
        found += [session["id"] for session in page["items"]]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


@pytest.mark.parametrize("limit", [1, 2, 4, 50])
def test_ones_sessions_are_listed_the_newest_first(world: World, ann: Person, limit: int) -> None:
    world.log_in(world.person("bob").user)
    mine = [ann, *(world.log_in(ann.user) for _ in range(3))]
    assert sessions(world.of(ann), limit=limit) == [person.session.id for person in reversed(mine)]


def test_a_session_says_when_it_began_when_it_ends_and_whether_it_is_this_one(world: World, ann: Person) -> None:
    world.clock.advance(days=1)
    other = world.log_in(ann.user)
    newest, oldest = world.of(other).get("/me/sessions").json["items"]
    assert newest == {
        "id": other.session.id,
        "created_at": "2026-11-22T12:00:00.000Z",
        "expires_at": "2026-12-22T12:00:00.000Z",
        "current": True,
    }
    assert (oldest["id"], oldest["current"]) == (ann.session.id, False)


def test_sessions_that_are_over_are_not_listed(world: World, ann: Person) -> None:
    world.of(world.log_in(ann.user)).post("/logout")
    world.clock.advance(days=30)
    other = world.log_in(ann.user)
    assert sessions(world.of(other)) == [other.session.id]


def test_a_cursor_of_somebody_elses_sessions_is_refused(world: World, ann: Person) -> None:
    world.log_in(ann.user)
    cursor = world.of(ann).get("/me/sessions", query={"limit": 1}).json["next"]
    refused = world.of(world.person("bob")).get("/me/sessions", query={"cursor": cursor})
    assert (refused.status, refused.problem) == (409, "cursor-refused")


def test_a_session_that_is_revoked_is_refused_on_the_next_request(world: World, ann: Person) -> None:
    other = world.log_in(ann.user)
    assert world.of(ann).delete(f"/me/sessions/{other.session.id}").status == 204
    assert world.of(other).get("/me").status == 401
    assert sessions(world.of(ann)) == [ann.session.id]
    assert world.of(ann).delete(f"/me/sessions/{other.session.id}").status == 404


def test_the_present_session_can_be_revoked_too(world: World, ann: Person) -> None:
    assert world.of(ann).delete(f"/me/sessions/{ann.session.id}").status == 204
    assert world.of(ann).get("/me").status == 401


def test_a_session_of_somebody_else_is_not_there(world: World, ann: Person) -> None:
    bob = world.person("bob")
    for session_id in (bob.session.id, new_id()):
        refused = world.of(ann).delete(f"/me/sessions/{session_id}")
        assert (refused.status, refused.problem) == (404, "not-found")
    assert world.of(bob).get("/me").status == 200
