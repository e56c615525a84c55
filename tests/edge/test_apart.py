"""What hashes passwords takes no thread from the rest."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.client import Received
from tests.edge.wire import exchange, live, pieces, scope
from tests.world import DOCUMENT
from tracker import app
from tracker.edge import front as module
from tracker.edge import workers
from tracker.edge.call import Answer, Call
from tracker.edge.front import Front

PATIENCE = 60
LOGINS = 50
APART = app.hash_passwords(DOCUMENT)


class Hashing:
    """Answers all but logins, which wait until they may end."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.threads: set[str] = set()

    def __call__(self, call: Call) -> Answer:
        if call.path == "/login":
            self.threads.add(threading.current_thread().name)
            assert self.may_end.wait(PATIENCE)
        return Answer(200)


async def logins(front: Front, count: int) -> list[asyncio.Task[Received]]:
    """Let so many begin to log in; all of them have come when this returns."""
    begun = [asyncio.create_task(exchange(front, scope("POST", "/login"), pieces(None))) for _ in range(count)]
    for _ in range(count):
        await asyncio.sleep(0)
    return begun


def test_who_finds_all_places_taken_is_let_in_as_soon_as_one_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", PATIENCE)
    hashing = Hashing()
    front = Front(hashing, threads=1, apart=APART, threads_apart=1)

    async def crowd() -> list[int]:
        begun = await logins(front, LOGINS)
        assert not any(login.done() for login in begun)
        hashing.may_end.set()
        return [(await login).status for login in begun]

    assert asyncio.run(crowd()) == [200] * LOGINS
    asyncio.run(live(front, "shutdown"))


def test_who_would_wait_with_too_many_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", PATIENCE)
    hashing = Hashing()
    front = Front(hashing, threads=1, apart=APART, threads_apart=1)
    room = 1 + workers.MAX_APART + workers.MAX_AT_THE_DOOR

    async def crowd() -> tuple[list[int], list[int]]:
        begun = await logins(front, room)
        excess = [(await login).status for login in await logins(front, 2)]
        hashing.may_end.set()
        return [(await login).status for login in begun], excess

    assert asyncio.run(crowd()) == ([200] * room, [503] * 2)
    asyncio.run(live(front, "shutdown"))


def test_who_goes_away_from_the_door_leaves_the_place_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", PATIENCE)
    monkeypatch.setattr(workers, "MAX_AT_THE_DOOR", 2)
    hashing = Hashing()
    front = Front(hashing, threads=1, apart=APART, threads_apart=1)
    room = 1 + workers.MAX_APART

    async def crowd() -> list[int]:
        begun = await logins(front, room + 2)
        for login in begun[room:]:
            login.cancel()
        await asyncio.gather(*begun[room:], return_exceptions=True)
        later = await logins(front, 2)
        hashing.may_end.set()
        return [(await login).status for login in (*begun[:room], *later)]

    assert asyncio.run(crowd()) == [200] * (room + 2)
    asyncio.run(live(front, "shutdown"))


def test_who_waits_at_the_door_takes_no_room_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", PATIENCE)
    monkeypatch.setattr(module, "MAX_IN_FLIGHT", 1 + workers.MAX_APART + 1)
    hashing = Hashing()
    front = Front(hashing, threads=1, apart=APART, threads_apart=1)

    async def crowd() -> list[int]:
        begun = await logins(front, LOGINS)
        other = await exchange(front, scope("GET", "/tasks"), pieces(None))
        hashing.may_end.set()
        return [other.status, *[(await login).status for login in begun]]

    assert asyncio.run(crowd()) == [200] * (1 + LOGINS)
    asyncio.run(live(front, "shutdown"))


def test_what_hashes_passwords_is_told_by_its_limits() -> None:
    assert {("POST", "/login"), ("POST", "/register"), ("POST", "/me/password"), ("POST", "/password/reset")} <= APART
    assert not {("POST", "/tasks"), ("GET", "/me"), ("POST", "/token/refresh")} & APART
    assert not any("{" in path for _, path in APART)  # they are compared with what was asked


@pytest.mark.parametrize("threads", [1, 2])
def test_with_fifty_who_log_in_the_others_are_answered_and_the_excess_is_told_to_come_again(threads: int) -> None:
    hashing = Hashing()
    front = Front(hashing, threads=1, apart=APART, threads_apart=threads)

    async def asked(method: str, path: str) -> Received:
        return await exchange(front, scope(method, path), pieces(None))

    async def crowd() -> list[Received]:
        logins = [asyncio.create_task(asked("POST", "/login")) for _ in range(LOGINS)]
        refused = LOGINS
        while refused > threads + workers.MAX_APART:  # the threads take theirs in their own time
            await asyncio.sleep(0)
            refused = sum(not login.done() for login in logins)
        assert (await asked("GET", "/tasks")).status == 200
        hashing.may_end.set()
        return [await login for login in logins]

    answers = asyncio.run(crowd())
    excess = [answer for answer in answers if answer.status != 200]
    assert workers.MAX_APART <= LOGINS - len(excess) <= threads + workers.MAX_APART
    assert {(answer.problem, answer.headers["retry-after"]) for answer in excess} == {("overloaded", "1")}
    assert len(hashing.threads) <= threads
    asyncio.run(live(front, "shutdown"))
