"""Nobody learns who is here: whether a name is known, a refusal looks alike and costs alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from tests.client import Received
from tests.databases import ON_EVERY_DATABASE, database, open_store
from tests.questions import asked_from_now_on
from tests.world import World
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.password_reset import PasswordReset
from tracker.domain.user import PasswordPolicy, UserStatus
from tracker.edge import passwords
from tracker.store.contract import Receipt, Store

PASSWORD = "correct horse battery"
ONE_MORE = 1  # question by its key, of a fraction of a millisecond; two could be told from none by who asks often

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


@pytest.fixture
def hasher(here: World, monkeypatch: pytest.MonkeyPatch) -> Counting:
    _ = here.responder
    hasher = Counting(passwords._HASHER)
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    passwords.Argon2Passwords(PasswordPolicy.DEFAULT, parallel=1)  # hashes once when it starts
    hasher.calls = 0
    return hasher


class Work(NamedTuple):
    """What is done for one request that takes time: questions by what they are about, hashes, and tries to commit."""

    questions: list[list[str]]
    hashes: int
    commits: int


@GROUPS
def test_refusals_cost_alike(
    here: World, hasher: Counting, monkeypatch: pytest.MonkeyPatch, group: Callable[[World], dict[str, Ask]]
) -> None:
    asks = group(here)
    questions, commits = asked_from_now_on(monkeypatch), committed_from_now_on(monkeypatch, here.store)

    def done_for(ask: Ask) -> Work:
        hasher.calls = 0
        questions.clear()
        commits.clear()
        ask()
        return Work([sorted(about) for about in questions], hasher.calls, len(commits))

    done = {name: done_for(ask) for name, ask in asks.items()}
    assert len({(work.hashes, work.commits) for work in done.values()}) == 1, done
    asked = [len(work.questions) for work in done.values()]
    assert max(asked) - min(asked) <= ONE_MORE, done


def committed_from_now_on(monkeypatch: pytest.MonkeyPatch, store: Store) -> list[ChangeSet]:
    """Return a list that grows by one with each try to commit."""
    tried: list[ChangeSet] = []
    commit = store.commit

    def try_to(changes: ChangeSet, *more: Any) -> Receipt:
        tried.append(changes)
        return commit(changes, *more)

    monkeypatch.setattr(store, "commit", try_to)
    return tried


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
