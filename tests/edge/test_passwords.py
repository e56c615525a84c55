"""Passwords: dear to guess, and never dearer for the server than it can bear."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from argon2 import Type, extract_parameters
from argon2.exceptions import VerifyMismatchError

from tests.hashes import CHEAP
from tests.world import World
from tracker import app, cores
from tracker.domain.changes import Change
from tracker.domain.refusals import Unavailable
from tracker.domain.user import PasswordPolicy, UserStatus
from tracker.edge import passwords as module
from tracker.edge.passwords import Argon2Passwords

PATIENCE = 60


class Counting:
    """A hasher that counts, and that waits where it is told to."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.most, self._running, self._lock = 0, 0, threading.Lock()
        self.begun, self.may_end = threading.Semaphore(0), threading.Event()
        self.may_end.set()

    def hash(self, password: str) -> str:
        self._work("hash")
        return f"hashed {password}"

    def verify(self, encoded: str, password: str) -> bool:
        self._work("verify")
        if encoded != f"hashed {password}":
            raise VerifyMismatchError
        return True

    def _work(self, what: str) -> None:
        with self._lock:
            self.calls[what] += 1
            self._running += 1
            self.most = max(self.most, self._running)
        self.begun.release()
        assert self.may_end.wait(PATIENCE)
        with self._lock:
            self._running -= 1


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> Counting:
    hasher = Counting()
    monkeypatch.setattr(module, "_HASHER", hasher)
    return hasher


def passwords(parallel: int = 2) -> Argon2Passwords:
    return Argon2Passwords(PasswordPolicy.DEFAULT, parallel=parallel)


def test_a_password_is_hashed_with_argon2id_at_the_cost_that_was_decided() -> None:
    encoded = passwords().hash("correct horse battery")
    cost = extract_parameters(encoded)

    assert (cost.type, cost.memory_cost, cost.time_cost, cost.parallelism) == (Type.ID, 46 * 1024, 1, 1)
    assert (cost.salt_len, cost.hash_len) == (16, 32)
    assert "correct" not in encoded


def test_a_password_is_known_by_its_hash_and_no_other_is() -> None:
    checks = passwords()
    encoded = checks.hash("pässwörd 🏛")

    assert encoded != checks.hash("pässwörd 🏛")
    assert checks.verify(encoded, "pässwörd 🏛")
    assert not checks.verify(encoded, "pässwörd 🏛 ")
    assert not checks.verify(encoded, "")


@pytest.mark.parametrize("encoded", [None, "", "not a hash", "$argon2id$v=19$m=65536,t=3,p=4$", "$2b$12$x"])
def test_an_account_without_a_hash_has_no_password(encoded: str | None) -> None:
    checks = passwords()
    for password in ("", "not a hash", "a password that nobody has"):
        assert not checks.verify(encoded, password)


def test_what_stands_in_for_nobody_is_known_to_nobody(hasher: Counting) -> None:
    stands_in: Any = module._hash_of_nobody
    password = stands_in(hasher).removeprefix("hashed ")

    assert stands_in(hasher) != stands_in(Counting())
    assert not passwords().verify("", password)
    assert not passwords().verify(None, password)


def test_no_more_are_hashed_at_once_than_was_asked_for(hasher: Counting) -> None:
    checks = passwords(parallel=2)

    def check(n: int) -> bool | None:
        try:
            return checks.verify(None, str(n))
        except Unavailable:
            return None

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(check, range(64)))
    assert hasher.most <= 2


@pytest.mark.parametrize("parallel", [1, 2])
def test_the_one_too_many_is_told_to_come_again(hasher: Counting, parallel: int) -> None:
    checks = passwords(parallel)
    while hasher.begun.acquire(blocking=False):
        pass  # what the start took
    hasher.may_end.clear()
    with ThreadPoolExecutor(parallel) as threads:
        busy = [threads.submit(checks.verify, None, "x") for _ in range(parallel)]
        for _ in busy:
            assert hasher.begun.acquire(timeout=PATIENCE)
        for attempt in (lambda: checks.verify(None, "x"), lambda: checks.hash("x")):
            with pytest.raises(Unavailable) as refused:
                attempt()
            assert refused.value.retry_after >= 1
        hasher.may_end.set()
        assert [done.result(PATIENCE) for done in busy] == [False] * parallel
    assert checks.hash("x") == "hashed x"


def test_a_hash_that_fails_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = passwords(parallel=1)

    class Broken(Counting):
        def _work(self, what: str) -> None:
            raise MemoryError(what)

    monkeypatch.setattr(module, "_HASHER", Broken())
    for _ in range(3):
        with pytest.raises(MemoryError):
            checks.hash("x")
    monkeypatch.setattr(module, "_HASHER", CHEAP)
    assert checks.hash("x")


@pytest.mark.parametrize(
    ("allowed", "workers", "parallel"), [(8, 2, 4), (2, 2, 1), (1, 4, 1), (4, 1, 4), (3, 2, 1), (64, 2, 4)]
)
def test_all_processes_together_hash_at_most_one_a_core_and_none_hashes_many(
    world: World, monkeypatch: pytest.MonkeyPatch, allowed: int, workers: int, parallel: int
) -> None:
    monkeypatch.setattr(cores, "allowed", lambda: range(allowed))
    checks = app.passwords(world.settings.model_copy(update={"workers": workers}))

    taken = 0
    while checks._slots.acquire(blocking=False):
        taken += 1
    assert taken == parallel


def test_a_login_costs_one_hash_whoever_it_is_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Counting()
    monkeypatch.setattr(module, "_HASHER", hasher)
    fresh = World(world.store)
    known, disabled = (fresh.person(name).user for name in ("known", "disabled"))
    fresh.person("without")  # has no password at all
    with_hash: Any = {"password_hash": "hashed correct horse", "version": 2}
    fresh.commit(Change(known, replace(known, **with_hash)))
    fresh.commit(Change(disabled, replace(disabled, status=UserStatus.DISABLED, **with_hash)))
    _ = fresh.responder

    costs, answers = {}, {}
    for name in ("known", "wrong", "disabled", "without", "nobody"):
        hasher.calls.clear()
        username = "known" if name == "wrong" else name
        password = "wrong horse battery" if name == "wrong" else "correct horse"
        answers[name] = fresh.client.post("/login", {"username": username, "password": password})
        costs[name] = dict(hasher.calls)

    assert all(cost == {"verify": 1} for cost in costs.values())
    assert {name: answer.status for name, answer in answers.items()} == {
        "known": 200,
        **dict.fromkeys(("wrong", "disabled", "without", "nobody"), 401),
    }
    refused = [answer for name, answer in answers.items() if name != "known"]
    assert len({(answer.body, tuple(sorted(answer.headers.items()))) for answer in refused}) == 1


def test_too_many_logins_are_a_503_that_says_when_to_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Counting()
    monkeypatch.setattr(module, "_HASHER", hasher)
    monkeypatch.setattr(cores, "allowed", lambda: range(1))
    client = World(world.store).client
    while hasher.begun.acquire(blocking=False):
        pass
    assert client.get("/readyz").status == 200  # builds what is built once
    while hasher.begun.acquire(blocking=False):
        pass
    hasher.may_end.clear()
    login = {"username": "nobody", "password": "correct horse"}
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(client.post, "/login", login)
        assert hasher.begun.acquire(timeout=PATIENCE)
        refused = client.post("/login", login)
        assert client.get("/readyz").status == 200
        hasher.may_end.set()
        assert first.result(PATIENCE).status == 401

    assert (refused.status, refused.problem) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_what_hashes_makes_way_and_who_waits_for_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hasher:
        def hash(self, _password: str) -> str:
            return str(_nice())

    monkeypatch.setattr(module, "_HASHER", Hasher())
    passwords = Argon2Passwords(PasswordPolicy.DEFAULT, parallel=1)
    before = _nice()
    assert int(passwords.hash("four walls and a roof")) > before
    assert _nice() == before


def _nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
