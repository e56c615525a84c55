"""The way back in: a secret that an admin has made, good once, for an hour, and kept nowhere."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from tests.client import Received
from tests.contents import looking_into
from tests.racing import at_once
from tests.world import Person, World
from tracker.domain.user import Role, User
from tracker.edge import passwords

ANN = {"username": "ann", "email": "ann@example.com", "password": "correct horse battery"}
ANOTHER = "seven green umbrellas"
MANY = 16


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def root(world: World) -> Person:
    return world.person("root", Role.ADMIN)


@pytest.fixture
def ann(world: World) -> User:
    assert world.client.post("/register", ANN).status == 201
    return present(world)


def present(world: World) -> User:
    user = world.store.user_named(username="ann")
    assert user is not None
    return user


def issue(world: World, root: Person, user: User) -> str:
    made = world.of(root).post(f"/users/{user.id}/password-reset")
    assert made.status == 201
    return str(made.json["secret"])


def redeem(world: World, secret: str, password: str = ANOTHER) -> Received:
    return world.client.post("/password/reset", {"secret": secret, "new_password": password})


def log_in(world: World, password: str) -> Received:
    return world.client.post("/login", {"username": "ann", "password": password})


def test_with_the_secret_another_password_is_set_and_only_that_one_logs_in(
    world: World, root: Person, ann: User
) -> None:
    assert redeem(world, issue(world, root, ann)).status == 204
    assert log_in(world, ANN["password"]).status == 401
    assert log_in(world, ANOTHER).status == 200


def test_the_secret_is_told_once_to_no_cache_and_with_the_end_of_its_hour(
    world: World, root: Person, ann: User
) -> None:
    made = world.of(root).post(f"/users/{ann.id}/password-reset")
    assert made.headers["cache-control"] == "no-store"
    assert "etag" not in made.headers
    assert made.json["expires_at"] == "2026-11-21T13:00:00.000Z"


def test_until_the_secret_is_used_nothing_changes(world: World, root: Person, ann: User) -> None:
    session = world.log_in(ann)
    issue(world, root, ann)
    assert world.of(session).get("/me").json["version"] == 1
    assert log_in(world, ANN["password"]).status == 200


def test_whoever_uses_the_secret_ends_every_session(world: World, root: Person, ann: User) -> None:
    tokens, session = log_in(world, ANN["password"]).json, world.log_in(ann)
    redeem(world, issue(world, root, ann))
    assert world.of(session).get("/me").status == 401
    assert world.client.as_(tokens["access_token"]).get("/me").status == 401
    assert world.client.post("/token/refresh", {"refresh_token": tokens["refresh_token"]}).status == 401
    assert world.of(root).get("/me").status == 200


@pytest.mark.parametrize(("by", "status"), [(-timedelta(milliseconds=1), 204), (timedelta(), 401)])
def test_the_secret_is_good_for_an_hour_and_not_at_its_end(
    world: World, root: Person, ann: User, by: timedelta, status: int
) -> None:
    secret = issue(world, root, ann)
    world.clock.at += timedelta(hours=1) + by
    assert redeem(world, secret).status == status
    assert log_in(world, ANOTHER).status == (200 if status == 204 else 401)


def test_the_secret_works_once(world: World, root: Person, ann: User) -> None:
    secret = issue(world, root, ann)
    assert redeem(world, secret).status == 204
    assert redeem(world, secret, "eight red wheelbarrows").status == 401
    assert log_in(world, ANOTHER).status == 200


def test_a_new_secret_makes_the_one_before_worthless(world: World, root: Person, ann: User) -> None:
    first, second = issue(world, root, ann), issue(world, root, ann)
    assert redeem(world, first).status == 401
    assert redeem(world, second).status == 204


def test_a_secret_is_for_one_user(world: World, root: Person, ann: User) -> None:
    other = world.person("other").user
    theirs, hers = issue(world, root, other), issue(world, root, ann)
    assert redeem(world, theirs).status == 204
    assert log_in(world, ANN["password"]).status == 200
    assert redeem(world, hers).status == 204


def test_whoever_remembers_the_password_and_changes_it_makes_the_secret_worthless(
    world: World, root: Person, ann: User
) -> None:
    secret = issue(world, root, ann)
    token = log_in(world, ANN["password"]).json["access_token"]
    change = {"current_password": ANN["password"], "new_password": "eight red wheelbarrows"}
    assert world.client.as_(token).post("/me/password", change).status == 204
    assert redeem(world, secret).status == 401
    assert log_in(world, "eight red wheelbarrows").status == 200


def test_a_disabled_user_stays_disabled_and_can_use_the_secret_when_active_again(
    world: World, root: Person, ann: User
) -> None:
    world.of(root).patch(f"/users/{ann.id}", {"status": "disabled"})
    secret = issue(world, root, ann)
    assert redeem(world, secret).status == 401
    assert log_in(world, ANN["password"]).status == 401
    assert not present(world).active

    world.of(root).patch(f"/users/{ann.id}", {"status": "active"})
    assert redeem(world, secret).status == 204


def test_every_secret_that_is_not_good_is_refused_alike(world: World, root: Person, ann: User) -> None:
    used, replaced, disabled, expired = (
        world.person(name).user for name in ("used", "replaced", "disabled", "expired")
    )
    secrets = {"unknown": "x" * 43, "expired": issue(world, root, expired)}
    world.clock.advance(hours=1)
    root = world.log_in(root.user)
    secrets |= {user.username: issue(world, root, user) for user in (used, replaced, disabled)}
    redeem(world, secrets["used"])
    issue(world, root, replaced)
    world.of(root).patch(f"/users/{disabled.id}", {"status": "disabled"})

    answers = {name: redeem(world, secret) for name, secret in secrets.items()}

    assert {(answer.status, answer.problem) for answer in answers.values()} == {(401, "wrong-credentials")}
    assert len({(answer.body, *sorted(answer.headers.items())) for answer in answers.values()}) == 1


def test_a_password_that_the_policy_refuses_does_not_use_the_secret_up(world: World, root: Person, ann: User) -> None:
    secret = issue(world, root, ann)
    refused = redeem(world, secret, "ann@example.com")
    assert (refused.status, refused.problem) == (409, "password-refused")
    assert redeem(world, secret).status == 204


def test_a_secret_that_is_not_good_says_nothing_of_the_policy(world: World, ann: User) -> None:
    assert redeem(world, "x" * 43, "ann@example.com").status == 401


def test_of_many_who_use_one_secret_at_once_one_does(world: World, root: Person, ann: User) -> None:
    secret = issue(world, root, ann)
    outcomes = at_once(MANY, lambda n: patiently_redeemed(world, secret, f"seven green umbrellas {n}"))
    assert sorted(status for status, _ in outcomes) == [204, *[401] * (MANY - 1)]
    [winner] = [password for status, password in outcomes if status == 204]
    assert log_in(world, winner).status == 200


def test_of_many_who_have_a_secret_made_at_once_the_last_one_is_good(world: World, root: Person, ann: User) -> None:
    secrets = at_once(MANY, lambda _: patiently_issued(world, root, ann))
    assert sorted(patiently_redeemed(world, str(secret), ANOTHER)[0] for secret in secrets).count(204) == 1


def patiently_issued(world: World, root: Person, user: User) -> str:
    """Have a secret made, again where others were first five times in a row: then nothing was made."""
    while (made := world.of(root).post(f"/users/{user.id}/password-reset")).status == 409:
        assert made.problem == "contended"
    return str(made.json["secret"])


def patiently_redeemed(world: World, secret: str, password: str) -> tuple[int, str]:
    """Redeem again where so many are hashing already: that is answered before anything happens."""
    while (status := redeem(world, secret, password).status) == 503:
        continue
    return status, password


def all_that_is_kept(url: str) -> str:
    with looking_into(url) as look:
        return repr(look())


def test_no_password_and_no_secret_is_kept_logged_or_said_again(
    world: World, url: str, root: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = {"idempotency-key": "k-1"}
    words = [f"c4n4ry {n} umbrellas" for n in range(6)]
    world.client.post("/register", {**ANN, "password": words[0]}, headers=key)
    tokens = world.client.post("/login", {"username": "ann", "password": words[0]}, headers=key).json
    client = world.client.as_(tokens["access_token"])
    answers = [
        client.post("/me/password", {"current_password": words[1], "new_password": words[2]}, headers=key),
        client.patch("/me", {"email": "ann@example.org", "current_password": words[1]}),
        client.post("/me/password", {"current_password": words[0], "new_password": words[3]}, headers=key),
    ]
    secret = world.of(root).post(f"/users/{present(world).id}/password-reset", headers=key).json["secret"]
    answers += [
        redeem(world, "x" * 43, words[4]),
        redeem(world, secret, "ann@example.com"),
        world.client.post("/password/reset", {"secret": secret, "new_password": words[5]}, headers=key),
        redeem(world, secret, words[5]),
    ]

    assert [answer.status for answer in answers] == [409, 409, 204, 401, 409, 204, 401]
    everything = "".join([caplog.text, all_that_is_kept(url), *(repr(answer) for answer in answers)])
    hidden = [*words, secret, tokens["refresh_token"], tokens["access_token"]]
    assert [word for word in hidden if word in everything] == []
