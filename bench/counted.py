"""``python -m bench.counted get 200``: so many requests in this process, for callgrind to count what they cost.

Callgrind is told to count once all is warm, so that the start-up is not in it and takes no time either. The store has
its rows at hand: it has read each once and says the same again, so that what is counted is the edge, from what the
server hands over to what it is handed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from tests.edge.wire import scope
from tests.world import World
from tracker.domain.task import Task
from tracker.edge.front import Front
from tracker.store.contract import Receipt, Store
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tracker.edge.call import Answer, Call
    from tracker.edge.front import Exchange
    from tracker.edge.workers import Then, Workers

OPERATIONS = ("get", "list", "create", "status")
_WARM_UP = 20
_BODIES = {
    "create": b'{"title":"Order the paint","priority":"high","labels":["house"],"due":{"date":"2027-03-01"}}',
    "status": b'{"status":"in_progress"}',
}


class AtHand:
    """A store that reads each thing once, and commits nothing."""

    def __init__(self, store: Store) -> None:
        """Take the store that is read once."""
        self._store, self._read = store, dict[str, Any]()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return what reads as the store does, the first time."""

        def read(*asked: object, **named: object) -> Any:
            if name not in self._read:
                self._read[name] = getattr(self._store, name)(*asked, **named)
            return self._read[name]

        return read

    def commit(self, *_changes: object) -> Receipt:
        """Return what a commit would make."""
        return Receipt({}, {})


class InPlace(Front):
    """Answers on the loop: a hand-over to a thread costs another number of instructions each time."""

    def _hand(self, call: Call, then: Then, workers: Workers) -> None:  # noqa: ARG002 - as the front's
        then(self._respond(call))


def main(operation: str, calls: int, counting: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
    """Answer so many calls, all alike."""
    with tempfile.TemporaryDirectory() as folder, closing(SqlStore.open(f"sqlite:///{folder}/one.db")) as store:
        store.migrate()
        real = World(store)
        ann = real.person("ann")
        task = Task.new(project_id=ann.user.inbox_id, title="Paint the wall", by=ann.id, at=real.clock())
        real.add(task)
        front = InPlace(World(cast("Store", AtHand(store)), cache="off").responder, threads=0)
        asked = partial(_answered, front, _request(operation, task.id, ann.token), _BODIES.get(operation, b""))
        asyncio.run(asked(_WARM_UP))
        with counting():
            asyncio.run(asked(calls))


async def _answered(front: Front, request: dict[str, Any], body: bytes, calls: int) -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)  # as from a socket, and so that the loop goes round
        return {"type": "http.request", "body": body}

    for _ in range(calls):
        exchange = front.begin(request)
        leave = partial(_leave, front, exchange)
        if not front.answer_at_once(exchange.call, leave):
            await front.answer(exchange.call, receive, leave)


def _leave(front: Front, exchange: Exchange, answer: Answer) -> None:
    message, _ = front.end(exchange, answer)
    assert message["status"] in {200, 201}, message  # noqa: S101 - else something else was counted


@contextmanager
def _by_callgrind() -> Iterator[None]:
    """Have the callgrind that this process runs in count meanwhile."""
    _tell_callgrind("on")
    yield
    _tell_callgrind("off")


def _tell_callgrind(state: str) -> None:
    command = ["vgdb", f"--pid={os.getpid()}", "instrumentation", state]
    told = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while told.poll() is None:
        time.sleep(0.01)  # to wait in one system call would keep callgrind from hearing it
    assert told.returncode == 0, "callgrind does not listen"  # noqa: S101 - then nothing was counted


def _request(operation: str, task_id: str, token: str) -> dict[str, Any]:
    """Return a request as the server hands it over."""
    method, path = {
        "get": ("GET", f"/tasks/{task_id}"),
        "list": ("GET", "/tasks"),
        "create": ("POST", "/tasks"),
        "status": ("PATCH", f"/tasks/{task_id}/status"),
    }[operation]
    headers = {"authorization": f"Bearer {token}", "x-request-id": "counted"}
    body = _BODIES.get(operation)
    if body is not None:
        headers["content-type"] = "application/json"
    return {**scope(method, path, body, headers.items()), "client": ("127.0.0.1", 40000)}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), _by_callgrind)
