"""A server of MongoDB's protocol is killed under load: nothing that was acknowledged is lost, nobody sees a 500."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.faults.server import PATIENCE, Server, running
from tests.mongo_databases import named
from tests.mongo_server import mongo_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mongo_server import MongoServer

pytestmark = pytest.mark.mongodb

CLIENTS, KILLS, BETWEEN = 6, 2, 20
AWAY = 1.5  # seconds


@dataclass
class Load:
    """Clients that create and rename tasks until they are told to stop, and what they were answered."""

    server: Server
    token: str
    statuses: Counter[int] = field(default_factory=Counter)
    acknowledged: dict[str, str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def go_on(self, client: int) -> None:
        """Create a task, rename it, and so on; with a key each, so that what is unknown can be asked again."""
        for n in range(10_000):
            if self.over.is_set():
                return
            path = self._insisted("POST", "/tasks", f"{client}/{n}")
            self._insisted("PATCH", path, f"{client}/{n} again")

    def wait_for(self, more: int) -> None:
        """Return when so much more was acknowledged; it takes a while to take over from whoever was cut off."""
        enough, until = self.answered() + more, time.monotonic() + PATIENCE
        while self.answered() < enough:
            assert time.monotonic() < until, f"nothing is done any more: {self.statuses}"
            time.sleep(0.1)

    def answered(self) -> int:
        return self.statuses[200] + self.statuses[201]

    def _insisted(self, method: str, path: str, title: str) -> str:
        """Ask until it is done, and return where the task is."""
        key, until = str(uuid4()), time.monotonic() + PATIENCE
        while True:
            answer = self.server.ask(method, path, {"title": title}, token=self.token, key=key)
            self.statuses[answer.status] += 1
            if answer.status != 503:
                assert answer.status in {200, 201}, answer
                found = path if method == "PATCH" else answer.headers["location"]
                self.acknowledged[found] = title
                return found
            assert time.monotonic() < until, "it does not come back"
            time.sleep(0.1)


def killed_and_started(mongo: MongoServer, load: Load) -> None:
    """Kill the server and start it again, a few times, whenever enough was done since."""
    for _ in range(KILLS):
        load.wait_for(BETWEEN)
        mongo.kill()
        time.sleep(AWAY)
        mongo.start_again()
    load.wait_for(BETWEEN)


def test_what_was_acknowledged_survives_a_server_that_is_killed_under_load(tmp_path: Path) -> None:
    with mongo_server(durable=True) as mongo, running(tmp_path, named(mongo.url, "tracker"), workers=2) as server:
        load = Load(server, server.log_in("ann"))
        with ThreadPoolExecutor(CLIENTS) as threads:
            working = [threads.submit(load.go_on, client) for client in range(CLIENTS)]
            try:
                killed_and_started(mongo, load)
            finally:
                load.over.set()
            for client in working:
                client.result(PATIENCE)
        kept = {path: server.ask("GET", path, token=load.token).json["title"] for path in load.acknowledged}
        listed = everything(server, load.token)

    assert set(load.statuses) == {200, 201, 503}, "nobody met a server that was gone: this run shows nothing"
    assert kept == load.acknowledged
    assert sorted(listed) == sorted(load.acknowledged.values())
    print(f"\n{len(kept)} tasks, {dict(load.statuses)}")


def everything(server: Server, token: str) -> list[str]:
    """Return the titles of all tasks that there are."""
    titles, path = [], "/tasks?limit=200"
    while path:
        page = server.ask("GET", path, token=token).json
        titles += [task["title"] for task in page["items"]]
        path = page["next"] and f"/tasks?limit=200&cursor={page['next']}"
    return titles
