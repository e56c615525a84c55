"""Many who read just after they wrote, through both processes of a server, while its Redis is done every harm.

``python -m tests.faults.readers`` prints how long reads take in peace and under harm.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

from tests.databases import clean_up, database
from tests.faults.server import HOST, PATIENCE, Server, running
from tests.servers import RedisServer, redis_server
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

READERS = 6
CONNECTIONS = 4  # a reader's; the kernel gives each to one of the two processes
IDLE = 3.0  # seconds after which a connection is not used again: the server closes it after five
READS_A_WRITE = 5
LONGEST = 600.0  # seconds, however slow the machine


@dataclass
class Tally:
    """What the readers saw, and how long each read took, in seconds."""

    stale: list[str] = field(default_factory=list)
    errors: Counter[int] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)

    @property
    def p99(self) -> float:
        """In milliseconds."""
        return quantiles(self.took, n=100)[98] * 1000


class Reader:
    """Two people who share a project: one writes, both read, each through any of a few connections that stay open."""

    def __init__(self, server: Server, seed: int, tally: Tally) -> None:
        self._tally = tally
        self._chance = random.Random(seed)  # noqa: S311 - which connection is no secret
        connections = [http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE) for _ in range(CONNECTIONS)]
        self._last_used = dict.fromkeys(connections, 0.0)
        self._tokens = [server.log_in(f"{name}{seed}") for name in ("ann", "bob")]
        self._project = self._ask("POST", "/projects", {"name": "Shared"})["id"]
        bob = self._ask("GET", "/me", by=1)["id"]
        self._ask("PUT", f"/projects/{self._project}/members/{bob}", {"role": "viewer"})
        self._task = self._ask("POST", "/tasks", {"title": "0", "project_id": self._project})["id"]

    def read(self, times: int) -> None:
        """Read so often, a write before every few; each read has to show what was answered to the last of those."""
        for n in range(-(-times // READS_A_WRITE)):
            version = self._ask("PATCH", f"/tasks/{self._task}", {"title": f"{n + 1}"}).get("version", 0)
            for turn in range(READS_A_WRITE):
                began = time.perf_counter()
                listed = self._ask("GET", f"/tasks?project_id={self._project}", by=turn % 2).get("items", [])
                self._tally.took.append(time.perf_counter() - began)
                if [task["version"] for task in listed] != [version]:
                    self._tally.stale.append(f"{[task['version'] for task in listed]} after {version}")

    def close(self) -> None:
        for connection in self._last_used:
            connection.close()

    def _ask(self, method: str, path: str, body: object = None, *, by: int = 0) -> Any:
        connection = self._chance.choice([*self._last_used])
        if time.monotonic() - self._last_used[connection] > IDLE:
            connection.close()  # it connects anew by itself
        headers = {"Authorization": f"Bearer {self._tokens[by]}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        raw = response.read()
        self._last_used[connection] = time.monotonic()
        if response.status >= 300:
            self._tally.errors[response.status] += 1
        return json.loads(raw)


class Harm:
    """What is done to a Redis, in turn, with a moment of peace in between."""

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self.done: Counter[str] = Counter()
        self._over = threading.Event()

    def go_on(self) -> None:
        """Do all of it, again and again until it is over; then leave it as it was found."""
        while not self._over.is_set():
            for act in (self._stop, self._kill, self._flush):
                act()
                self.done[act.__name__.strip("_")] += 1
                self._over.wait(0.7)

    def end(self) -> None:
        self._over.set()

    def _stop(self) -> None:
        self._redis.stop()
        self._over.wait(1.3)
        self._redis.wake()

    def _kill(self) -> None:
        self._redis.kill()
        self._over.wait(0.8)
        self._redis.start_again()

    def _flush(self) -> None:
        with self._redis.client() as client:
            client.flushall()


@dataclass
class Installation:
    """A server of two processes on PostgreSQL, with a Redis of its own."""

    server: Server
    redis: RedisServer
    metrics_port: int
    readers: int = 0

    def read(self, times: int, harm: Harm | None = None) -> Tally:
        """Have it read so often in all, under harm or in peace."""
        tally = Tally()
        readers = [Reader(self.server, self.readers + n, tally) for n in range(READERS)]
        self.readers += READERS
        harming = threading.Thread(target=harm.go_on) if harm else None
        try:
            if harming is not None:
                harming.start()
            with ThreadPoolExecutor(READERS) as threads:
                list(threads.map(lambda reader: reader.read(-(-times // READERS)), readers, timeout=LONGEST))
        finally:
            if harm is not None and harming is not None:
                harm.end()
                harming.join()
            for reader in readers:
                reader.close()
        return tally

    def found(self) -> dict[str, int]:
        """Return how often answers were found where, by what the server tells of it."""
        with urllib.request.urlopen(f"http://{HOST}:{self.metrics_port}/metrics", timeout=PATIENCE) as answer:
            told = answer.read().decode()
        counted = re.findall(r'^tracker_cache_answers_total\{result="(\w+)"\} (\d+)', told, re.MULTILINE)
        return {result: int(times) for result, times in counted}


@contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    """Give one whose limits are counted in the same Redis, and are never reached."""
    with ExitStack() as stack:
        url, redis = stack.enter_context(database("postgresql")), stack.enter_context(redis_server())
        port = free_port(HOST)
        settings = {"REDIS_URL": redis.url, "METRICS_PORT": str(port), "RATE_LIMIT": "1000000/minute"}
        server = stack.enter_context(running(folder, url, workers=2, **settings))
        yield Installation(server, redis, port)


def main() -> None:
    """Read in peace, then under harm, and tell."""
    with tempfile.TemporaryDirectory() as folder, installation(Path(folder)) as one:
        peace = one.read(20_000)
        print(f"in peace: {len(peace.took)} reads, p99 {peace.p99:.1f} ms, {one.found()}")
        harm = Harm(one.redis)
        harmed = one.read(20_000, harm)
        print(f"under harm: {len(harmed.took)} reads, p99 {harmed.p99:.1f} ms, {one.found()}, {dict(harm.done)}")
        print(f"stale: {len(peace.stale + harmed.stale)}, errors: {dict(peace.errors + harmed.errors)}")
    clean_up()


if __name__ == "__main__":
    main()
