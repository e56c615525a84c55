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
        while refused > threads + module.MAX_APART:  # the threads take theirs in their own time
            await asyncio.sleep(0)
            refused = sum(not login.done() for login in logins)
        assert (await asked("GET", "/tasks")).status == 200
        hashing.may_end.set()
        return [await login for login in logins]

    answers = asyncio.run(crowd())
    excess = [answer for answer in answers if answer.status != 200]
    assert module.MAX_APART <= LOGINS - len(excess) <= threads + module.MAX_APART
    assert {(answer.problem, answer.headers["retry-after"]) for answer in excess} == {("overloaded", "1")}
    assert len(hashing.threads) <= threads
    asyncio.run(live(front, "shutdown"))
