"""Two servers of two processes each behind a balancer, restarted one after the other under a load.

``python -m tests.faults.restarts`` does so five times and prints what the clients saw; the suite does it once.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.balancer import Balancer, balancer
from tests.faults.load import Load, load, summary, titles
from tests.faults.outages import migrated
from tests.faults.server import PATIENCE, Server, start
from tests.postgresql_server import own_postgresql

if TYPE_CHECKING:
    from collections.abc import Callable

DRAIN = 5.0
ROUNDS = 5


class Fleet:
    """Servers on one database behind one balancer."""

    def __init__(self, folder: Path, url: str, front: Balancer, drain: float) -> None:
        self._folder, self._url, self._front = folder, url, front
        self._drain = drain
        self.servers: list[Server] = []
        self._made: list[Server] = []

    def grow(self) -> None:
        """Add a server, and return once the balancer knows that it is ready."""
        server = start(self._folder, self._url, workers=2, DRAIN_SECONDS=str(self._drain))
        self._made.append(server)
        self._front.add(server.port)
        wait(lambda: server.port in self._front.ready)
        self.servers.append(server)

    def shrink(self) -> int:
        """Tell the oldest server to stop, as whoever rolls out does; return its exit code."""
        server = self.servers.pop(0)
        code = server.stop()
        self._front.remove(server.port)
        return code

    def kill(self) -> None:
        """End what is left."""
        for server in self._made:
            server.process.kill()
            server.process.wait(timeout=PATIENCE)

    @property
    def logs(self) -> str:
        """What all of them said."""
        return "".join(server.log.read_text(encoding="utf-8") for server in self._made)


def wait(condition: Callable[[], bool]) -> None:
    """Return once something is so."""
    until = time.monotonic() + 2 * PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def roll(folder: Path, url: str, *, rounds: int, drain: float = DRAIN) -> tuple[Load, list[int], list[str]]:
    """Return what a load saw of so many rounds, the exit codes, and the writes that are not there just once."""
    with balancer() as front:
        fleet = Fleet(folder, url, front, drain)
        try:
            fleet.grow()
            fleet.grow()
            token = fleet.servers[0].log_in("ann")
            codes = []
            with load(front.port, token) as asking:
                for _ in range(2 * rounds):
                    fleet.grow()  # a new one first, then one of the old: there are always two that are ready
                    codes.append(fleet.shrink())
            made = titles(fleet.servers[0], token)
            assert "Traceback" not in fleet.logs, fleet.logs
        finally:
            fleet.kill()
    return asking, codes, [title for title in asking.acknowledged if made[title] != 1]


def main() -> int:
    """Roll, and print what the clients saw; return whether they saw anything."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = migrated(stack.enter_context(own_postgresql()).url)
        asking, codes, wrong = roll(folder, url, rounds=ROUNDS)
    failed = [asked for asked in asking.asked if asked.status not in {200, 201}]
    print(f"(load {os.getloadavg()[0]:.1f}) {ROUNDS} rounds, {len(codes)} restarts, exit codes {codes}")
    print(f"{summary(asking.asked)}; failed {len(failed)}; writes that are not there once: {wrong}")
    return int(bool(failed or wrong or any(codes)))


if __name__ == "__main__":
    sys.exit(main())
