"""Nobody learns who is here: whether a name is known, a refusal looks alike and costs alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median
from typing import Any, NamedTuple

import pytest

from tests.client import Received
from tests.databases import ON_EVERY_DATABASE, database, open_store
from tests.world import World
from tracker.domain.changes import Change
from tracker.domain.password_reset import PasswordReset
from tracker.domain.user import PasswordPolicy, UserStatus
from tracker.edge import passwords

SAMPLES = 40
ATTEMPTS = 5
ALIKE = 0.002  # seconds between the medians of what is computed
ELSEWHERE = 0.004  # seconds between the fastest answers
PASSWORD = "correct horse battery"

Ask = Callable[[], Received]


class Counting:
    """The real hasher, and how often it was asked."""

    def __init__(self, hasher: Any) -> None:
        self._hasher = hasher
        self.calls = 0

    def hash(self, password: str) -> str:
        self.calls += 1
        return str(self._hasher.hash(password))

    def verify(self, encoded: str, password: str) -> bool:
        self.calls += 1
        return bool(self._hasher.verify(encoded, password))


@pytest.fixture(scope="module", params=ON_EVERY_DATABASE)
def here(request: pytest.FixtureRequest) -> Iterator[World]:
    """An installation with somebody known, somebody disabled, and somebody without a password."""
    with database(request.param) as url:
        store = open_store(url)
        world = World(store)
        encoded = passwords._HASHER.hash(PASSWORD)
        people: dict[str, dict[str, Any]] = {
            "known": {"password_hash": encoded},
            "disabled": {"password_hash": encoded, "status": UserStatus.DISABLED},
            "without": {},
        }
        for name, members in people.items():
            user = world.person(name).user
            world.commit(Change(user, replace(user, version=2, **members)))
        yield world
        store.close()


def logins(world: World) -> dict[str, Ask]:
    def attempt(username: str, password: str = PASSWORD) -> Ask:
        return lambda: world.client.post("/login", {"username": username, "password": password})

    return {
        "nobody": attempt("nobody"),
        "wrong": attempt("known", "wrong horse battery"),
        "disabled": attempt("disabled"),
    }


def redemptions(world: World) -> dict[str, Ask]:
    def attempt(secret: str) -> Ask:
        return lambda: world.client.post("/password/reset", {"secret": secret, "new_password": PASSWORD})

    known, disabled = (world.store.user_named(username=name) for name in ("known", "disabled"))
    assert known is not None
    assert disabled is not None
    reset, shut_out = PasswordReset.issue(known, at=world.clock()), PasswordReset.issue(disabled, at=world.clock())
    expired = replace(reset[0], expires_at=world.clock())
    for made in (expired, shut_out[0]):
        before = world.store.password_reset_of(made.user_id)
        world.commit(*([Change(before, None)] if before else []), Change(None, made))
    return {"unknown": attempt("x" * 43), "expired": attempt(reset[1]), "disabled": attempt(shut_out[1])}


def registrations(world: World) -> dict[str, Ask]:
    def attempt(username: str, email: str) -> Ask:
        person = {"username": username, "email": email, "password": PASSWORD}
        return lambda: world.client.post("/register", person)

    return {
        "username": attempt("Known", "free@example.com"),
        "email": attempt("free", "KNOWN@example.com"),
        "both": attempt("known", "known@example.com"),
    }


GROUPS = pytest.mark.parametrize("group", [logins, redemptions, registrations], ids=lambda group: group.__name__)


@GROUPS
def test_refusals_look_alike(here: World, group: Callable[[World], dict[str, Ask]]) -> None:
    answers = [ask() for ask in group(here).values()]
    assert len({(answer.status, answer.problem, *sorted(answer.headers)) for answer in answers}) == 1
    if group is registrations:  # says which of the two to choose anew, as it must; their headers are alike
        assert {answer.json["detail"] for answer in answers} == {
            "This username is already in use.",
            "This email is already in use.",
        }
    else:
        assert len({(answer.body, *sorted(answer.headers.items())) for answer in answers}) == 1


@GROUPS
def test_refusals_cost_alike(here: World, group: Callable[[World], dict[str, Ask]]) -> None:
    asks = group(here)
    taken: dict[str, list[Cost]] = {name: [] for name in asks}
    for _ in range(ATTEMPTS):
        for _ in range(SAMPLES):
            for name, ask in asks.items():  # in turns, so that a busy moment is everybody's
                taken[name].append(measured(ask))
        costs = {name: typical(each) for name, each in taken.items()}
        apart = Cost(*(max(each) - min(each) for each in zip(*costs.values(), strict=True)))
        if apart.computed < ALIKE and apart.fastest < ELSEWHERE:
            return
    pytest.fail(f"told apart by what they cost: {costs}")


class Cost(NamedTuple):
    """Seconds: the median of what this thread computed, and the fastest answer by the clock on the wall.

    What else the machine does moves the first by a tenth of what is looked for, but a median by the clock on the wall
    by ten times as much. The second is there for what is done elsewhere, and waited for.
    """

    computed: float
    fastest: float


def measured(ask: Ask) -> Cost:
    begun = Cost(time.thread_time(), time.perf_counter())
    ask()
    return Cost(time.thread_time() - begun.computed, time.perf_counter() - begun.fastest)


def typical(costs: list[Cost]) -> Cost:
    return Cost(median(cost.computed for cost in costs), min(cost.fastest for cost in costs))


@pytest.fixture
def hasher(here: World, monkeypatch: pytest.MonkeyPatch) -> Counting:
    _ = here.responder
    hasher = Counting(passwords._HASHER)
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    passwords.Argon2Passwords(PasswordPolicy.DEFAULT, parallel=1)  # hashes once when it starts
    hasher.calls = 0
    return hasher


@pytest.mark.parametrize(("group", "hashes"), [(logins, 1), (redemptions, 0), (registrations, 1)])
def test_refusals_hash_as_often(
    here: World, hasher: Counting, group: Callable[[World], dict[str, Ask]], hashes: int
) -> None:
    for ask in group(here).values():
        hasher.calls = 0
        ask()
        assert hasher.calls == hashes


def test_whoever_comes_in_costs_as_many_hashes_as_who_is_refused(here: World, hasher: Counting) -> None:
    client, person = here.client, {"username": "new", "email": "new@example.com", "password": PASSWORD}
    assert client.post("/register", person).status == 201
    assert hasher.calls == 1
    assert client.post("/login", {"username": "new", "password": PASSWORD}).status == 200
    assert hasher.calls == 2


@pytest.mark.parametrize("email", ["somebody@example.com", "KNOWN@example.com"])
def test_an_address_that_is_taken_costs_as_many_hashes_as_one_that_is_free(
    here: World, hasher: Counting, email: str
) -> None:
    known = here.store.user_named(username="without") or pytest.fail("somebody is missing")
    changed = known.with_password(passwords._HASHER.hash(PASSWORD), at=here.clock())
    here.commit(Change(known, changed))
    hasher.calls = 0
    answer = here.of(here.log_in(changed)).patch("/me", {"email": email, "current_password": PASSWORD})
    assert answer.status == (409 if email.startswith("KNOWN") else 200)
    assert hasher.calls == 1
