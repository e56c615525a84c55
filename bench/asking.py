"""One client that asks a server for one thing after the other, and how long each takes."""

from __future__ import annotations

import http.client
import time
from datetime import timedelta
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from bench.data import KEY, TOKEN_MINUTES
from bench.database import CannotMeasure
from tracker.domain import clock
from tracker.edge.tokens import AccessTokens
from tracker.keys import KeyRing, secret_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.loading import Loaded

    Request = tuple[str, str, object]

OPERATIONS = ("get", "first page", "page 100", "create", "status", "changes")
_PAGE = 10
_HUNDREDTH = 100
_WARM_UP = 20
_ROUNDS = 10
_NEW = {"title": "Order the paint", "description": "The blue one.", "labels": ["house"], "due": {"date": "2027-03-01"}}


class Asker:
    """Asks as the user of what was loaded."""

    def __init__(self, url: str, loaded: Loaded) -> None:
        """Connect; the connection is kept."""
        self._loaded = loaded
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        tokens = AccessTokens(KeyRing(secret_key(KEY)), lifetime=timedelta(minutes=TOKEN_MINUTES))
        token = tokens.issue(loaded.user, loaded.session, at=clock.now())
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._turns = count()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def medians_ms(self, requests: int, progress: Callable[[int], None]) -> dict[str, float | None]:
        """Return the median time of so many requests of each operation; None where there is nothing to ask for.

        They take turns: whatever slows the machine for a while slows them all. ``progress`` is told of each round.
        """
        times: dict[str, list[float]] = {operation: [] for operation in OPERATIONS}
        for number in range(_ROUNDS):
            for operation in OPERATIONS:
                times[operation] += self._times_ms(operation, requests // _ROUNDS)
            progress(number + 1)
        return {operation: median(taken) if taken else None for operation, taken in times.items()}

    def _times_ms(self, operation: str, requests: int) -> list[float]:
        request_of = self._requests(operation)
        if request_of is None:
            return []
        for _ in range(_WARM_UP):
            self._ask(*request_of(next(self._turns)))
        times = []
        for _ in range(requests):
            request = request_of(next(self._turns))
            begun = time.perf_counter()
            self._ask(*request)
            times.append((time.perf_counter() - begun) * 1000)
        return times

    def _requests(self, operation: str) -> Callable[[int], Request] | None:
        first = f"/tasks?limit={_PAGE}"
        match operation:
            case "get":
                return lambda turn: ("GET", f"/tasks/{self._task(turn)}", None)
            case "first page":
                return lambda _: ("GET", first, None)
            case "page 100":
                hundredth = self._hundredth(first)
                return None if hundredth is None else lambda _: ("GET", hundredth, None)
            case "create":
                return lambda _: ("POST", "/tasks", _NEW)
            case "status":
                return self._move
            case _:
                return self._changes()

    def _task(self, turn: int) -> str:
        return self._loaded.sample[turn % len(self._loaded.sample)]

    def _move(self, turn: int) -> Request:
        """Return the request that moves a task on; it is asked where it is, for another size has moved it before."""
        path = f"/tasks/{self._task(turn)}"
        status = "todo" if self._ask("GET", path, None)["status"] == "in_progress" else "in_progress"
        return "PATCH", f"{path}/status", {"status": status}

    def _changes(self) -> Callable[[int], Request]:
        """Return what asks for changes in the middle of a project's log."""
        project_id = self._loaded.projects[0]
        after = self._loaded.tasks // len(self._loaded.projects) // 2
        return lambda _: ("GET", f"/projects/{project_id}/changes?after={after}&limit={_PAGE}", None)

    def _hundredth(self, path: str) -> str | None:
        """Return the path of the hundredth page, found as any client finds it."""
        cursor = None
        for _ in range(_HUNDREDTH - 1):
            cursor = self._ask("GET", path + (f"&cursor={quote(cursor)}" if cursor else ""), None)["next"]
            if cursor is None:
                return None
        return f"{path}&cursor={quote(str(cursor))}"

    def _ask(self, method: str, path: str, body: object) -> Any:
        self._connection.request(method, path, None if body is None else orjson.dumps(body), self._headers)
        answer = self._connection.getresponse()
        told = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise CannotMeasure(f"{method} {path} answers {answer.status}: {told.decode()}")
        return orjson.loads(told)
