"""Registering, logging in, staying logged in, logging out; and nobody who should not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.client import Received
from tests.world import World
from tracker.domain.changes import Change
from tracker.domain.user import Role, UserStatus
from tracker.store.contract import Store

ANN = {"username": "ann", "email": "ann@example.com", "password": "correct horse battery"}


@pytest.fixture
def registered(world: World) -> World:
    assert world.client.post("/register", ANN).status == 201
    return world


def log_in(world: World, **credentials: str) -> Received:
    return world.client.post("/login", {"password": ANN["password"], **credentials})


def test_somebody_registers_logs_in_and_is_known(registered: World) -> None:
    tokens = log_in(registered, email="ann@example.com").json
    me = registered.client.as_(tokens["access_token"]).get("/me")

    assert (me.json["username"], me.json["email"], me.json["role"]) == ("ann", "ann@example.com", "member")
    assert tokens["token"] == tokens["access_token"]
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 600)


@pytest.mark.parametrize("name", [{"email": "ANN@Example.com"}, {"username": "ann"}, {"username": "ANN"}])
def test_one_logs_in_with_the_address_or_the_name_in_any_case(registered: World, name: dict[str, str]) -> None:
    assert log_in(registered, **name).status == 200


@pytest.mark.parametrize(
    "credentials",
    [
        {"email": "ann@example.com", "password": "wrong horse battery"},
        {"email": "nobody@example.com"},
        {"username": "nobody"},
    ],
)
def test_a_wrong_name_and_a_wrong_password_look_alike(registered: World, credentials: dict[str, str]) -> None:
    refused = log_in(registered, **credentials)

    assert (refused.status, refused.problem) == (401, "wrong-credentials")
    assert refused.json["detail"] == "These credentials are not right."


@pytest.mark.parametrize("taken", [{"username": "Ann"}, {"email": "ANN@EXAMPLE.COM"}])
def test_a_name_or_an_address_is_taken_in_any_case(registered: World, taken: dict[str, str]) -> None:
    another = {**ANN, "username": "other", "email": "other@example.com", **taken}
    refused = registered.client.post("/register", another)

    assert (refused.status, refused.problem) == (409, "taken")
    assert next(iter(taken)) in refused.json["detail"]


@pytest.mark.parametrize("password", ["ann@example.com", "Ann@Example.COM"])
def test_a_password_that_is_ones_own_address_is_refused(world: World, password: str) -> None:
    refused = world.client.post("/register", {**ANN, "password": password})

    assert refused.problem == "password-refused"
    assert password not in refused.body.decode()


@pytest.mark.parametrize(
    ("password", "status"),
    [
        ("test@123", 409),
        ("fourteen chars", 409),
        ("passwordpassword1", 409),
        ("aaaaaaaabbbbbbbb", 409),
        ("ann-ann-ann-ann-123", 409),
        ("seven green umbrellas", 201),
    ],
)
def test_the_strict_policy_asks_for_length_and_refuses_what_is_guessed(
    store: Store, password: str, status: int
) -> None:
    world = World(store, password_policy="strict")

    assert world.client.post("/register", {**ANN, "password": password}).status == status


def test_the_default_policy_takes_the_password_of_the_founding_document(world: World) -> None:
    assert world.client.post("/register", {**ANN, "password": "test@123"}).status == 201


def test_nobody_makes_themselves_an_admin(registered: World) -> None:
    would_be = {"username": "eve", "email": "eve@example.com", "password": "correct horse", "role": "admin"}
    refused = registered.client.post("/register", would_be)

    assert (refused.status, refused.problem) == (403, "forbidden")
    assert log_in(registered, username="eve").status == 401


@pytest.mark.parametrize(("environment", "status"), [("development", 201), ("production", 403)])
def test_the_very_first_user_may_be_an_admin_in_development_alone(store: Store, environment: str, status: int) -> None:
    world = World(store, tracker_env=environment)

    assert world.client.post("/register", {**ANN, "role": "admin"}).status == status


def test_an_admin_makes_another_and_a_member_does_not(world: World) -> None:
    wanted = {"username": "root2", "email": "r@example.com", "password": "correct horse", "role": "admin"}

    assert world.of(world.person("mia")).post("/register", wanted).status == 403
    assert world.of(world.person("root", Role.ADMIN)).post("/register", wanted).status == 201


def test_a_bad_token_at_registration_is_refused_and_not_taken_for_none(world: World) -> None:
    assert world.client.as_("not.a.token").post("/register", ANN).status == 401


def test_a_role_below_member_can_be_chosen(world: World) -> None:
    assert world.client.post("/register", {**ANN, "role": "viewer"}).json["role"] == "viewer"


def test_a_refresh_token_works_once_and_its_second_use_ends_the_session(registered: World) -> None:
    first = log_in(registered, username="ann").json
    second = registered.client.post("/token/refresh", {"refresh_token": first["refresh_token"]}).json
    assert registered.client.as_(second["access_token"]).get("/me").status == 200

    reused = registered.client.post("/token/refresh", {"refresh_token": first["refresh_token"]})

    assert (reused.status, reused.problem) == (401, "wrong-credentials")
    assert registered.client.as_(second["access_token"]).get("/me").status == 401
    assert registered.client.post("/token/refresh", {"refresh_token": second["refresh_token"]}).status == 401


def test_a_refresh_token_nobody_issued_is_refused_and_ends_nothing(registered: World) -> None:
    tokens = log_in(registered, username="ann").json

    assert registered.client.post("/token/refresh", {"refresh_token": "x" * 43}).status == 401
    assert registered.client.as_(tokens["access_token"]).get("/me").status == 200


def test_after_logout_the_tokens_are_refused_on_the_next_request(registered: World) -> None:
    tokens = log_in(registered, username="ann").json
    ann = registered.client.as_(tokens["access_token"])

    assert ann.post("/logout").status == 204
    assert ann.get("/me").status == 401
    assert registered.client.post("/token/refresh", {"refresh_token": tokens["refresh_token"]}).status == 401


def test_logging_out_of_one_session_leaves_the_others(registered: World) -> None:
    one, other = (registered.client.as_(log_in(registered, username="ann").json["access_token"]) for _ in range(2))
    one.post("/logout")

    assert other.get("/me").status == 200


def test_a_disabled_user_is_refused_on_the_next_request(registered: World) -> None:
    tokens = log_in(registered, username="ann").json
    user = registered.store.user_named(username="ann")
    assert user is not None
    registered.commit(Change(user, user.changed(at=registered.clock(), status=UserStatus.DISABLED)))

    assert registered.client.as_(tokens["access_token"]).get("/me").status == 401
    assert registered.client.post("/token/refresh", {"refresh_token": tokens["refresh_token"]}).status == 401
    assert log_in(registered, username="ann").status == 401


def test_an_access_token_is_good_for_ten_minutes_and_a_session_for_thirty_days(registered: World) -> None:
    tokens = log_in(registered, username="ann").json
    ann = registered.client.as_(tokens["access_token"])

    registered.clock.advance(minutes=10, seconds=-1)
    assert ann.get("/me").status == 200
    registered.clock.advance(seconds=1)
    assert ann.get("/me").status == 401
    fresh = registered.client.post("/token/refresh", {"refresh_token": tokens["refresh_token"]}).json
    registered.clock.advance(days=30)
    assert registered.client.post("/token/refresh", {"refresh_token": fresh["refresh_token"]}).status == 401


def test_a_demoted_admin_is_a_member_on_the_next_request(world: World) -> None:
    admin = world.person("root", Role.ADMIN)
    path = world.of(world.person("ann")).post("/tasks", {"title": "A"}).headers["location"]
    assert world.of(admin).get(path).status == 200

    world.commit(Change(admin.user, replace(admin.user, role=Role.MEMBER, version=2)))

    assert world.of(admin).get(path).status == 404


def test_tokens_are_never_to_be_stored_by_a_cache(registered: World) -> None:
    assert log_in(registered, username="ann").headers["cache-control"] == "no-store"


def test_without_authentication_everybody_is_the_local_administrator(store: Store) -> None:
    world = World(store, auth_enable=False)

    assert world.client.get("/me").json["role"] == "admin"
    assert world.client.post("/tasks", {"title": "A"}).status == 201
    assert world.client.post("/logout").status == 204
    assert world.client.get("/me").status == 200
    again = World(store, auth_enable=False)
    assert len(again.client.get("/tasks").json["items"]) == 1


def test_a_session_that_outlives_the_clock_of_its_token_is_over(world: World) -> None:
    ann = world.person("ann")
    assert ann.session.alive(ann.user, world.clock() + timedelta(days=29))
    assert not ann.session.alive(ann.user, world.clock() + timedelta(days=30))
