"""What clients see while a server that we depend on is gone: ``python -m tests.faults.outages``.

Twelve clients read and write without a pause while PostgreSQL, Redis or RabbitMQ is stopped, shut down or killed for
ten seconds, and started again. Prints a line for each; the suite does the same with less patience for the machine.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tests.faults.load import Load, Pulse, load, summary, titles
from tests.faults.server import Server, running
from tests.postgresql_server import PostgreSQLServer, own_postgresql
from tests.rabbitmq_server import RabbitServer, rabbitmq_server
from tests.servers import RedisServer, redis_server
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

WAYS = ("stopped", "shut down", "killed")
SECONDS = 10.0
BOUND = 2.5  # seconds, for every answer while the database is gone
BACK = 3.0  # seconds, from its return to full service
ALIVE = 0.05  # seconds, for /livez all the while
LIVEZ = 0.05


class Needed(Protocol):
    """A server that can go and come back."""

    def stop(self) -> None: ...
    def wake(self) -> None: ...
    def kill(self) -> None: ...
    def shut_down(self) -> None: ...
    def start_again(self) -> None: ...


@dataclass(frozen=True)
class Outage:
    """What was seen of one."""

    what: str
    load: Load
    pulse: Pulse
    gone_at: float
    back_at: float
    doubled: list[str]
    missing: list[str]

    @property
    def errors(self) -> list[int]:
        """The statuses that are neither success nor a 503 that says when to come again; LOST is one."""
        good = {200, 201}
        return [a.status for a in self.load.asked if a.status not in good and not (a.status == 503 and a.retry_after)]

    @property
    def refused(self) -> int:
        """How many were told to come again."""
        return sum(asked.status == 503 for asked in self.load.asked)

    @property
    def slowest(self) -> float:
        """How long the slowest answer took."""
        return max(asked.took for asked in self.load.asked)

    @property
    def until_full_service(self) -> float:
        """How long after the return somebody was last told to come again."""
        refused = [asked.at + asked.took for asked in self.load.since(self.back_at) if asked.status not in {200, 201}]
        return max(refused, default=self.back_at) - self.back_at

    def __str__(self) -> str:
        meanwhile = summary(self.load.since(self.gone_at - BOUND, self.back_at))
        return (
            f"{self.what}: {meanwhile}; /livez at most {max(self.pulse.took):.3f} s, bad {len(self.pulse.bad)}; full "
            f"service {self.until_full_service:.2f} s after the return; errors {self.errors}; "
            f"{self.load.unacknowledged} writes sent again, doubled {self.doubled}, missing {self.missing}"
        )


@contextmanager
def gone(needed: Needed, way: str) -> Iterator[None]:
    """Let a server be gone for a while, in one of three ways."""
    {"stopped": needed.stop, "shut down": needed.shut_down, "killed": needed.kill}[way]()
    yield
    if way == "stopped":
        needed.wake()
    else:
        needed.start_again()


def outage(
    server: Server, needed: Needed, what: str, way: str, lengths: tuple[float, float] = (SECONDS, 2 * BACK)
) -> Outage:
    """Return what became of a load while something was gone and for a while after that, and of it all in the end."""
    token = server.log_in(f"ann-{what}-{way}".replace(" ", "-").lower())
    with Pulse(server.port) as pulse, load(server.port, token) as asking:
        time.sleep(1)
        gone_at = time.monotonic()
        with gone(needed, way):
            time.sleep(lengths[0])
        back_at = time.monotonic()
        time.sleep(lengths[1])
    made = titles(server, token)
    doubled = [title for title, count in made.items() if count > 1]
    missing = [title for title in asking.acknowledged if title not in made]
    return Outage(f"{what} {way}", asking, pulse, gone_at, back_at, doubled, missing)


def migrated(url: str) -> str:
    """Return a URL whose database has our schema."""
    store = SqlStore.open(url, connections=1)
    store.migrate()
    store.close()
    return url


def main() -> int:
    """Go through all of them; return how many were not as they should be."""
    bad = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgresql: PostgreSQLServer = stack.enter_context(own_postgresql())
        redis: RedisServer = stack.enter_context(redis_server())
        rabbit: RabbitServer = stack.enter_context(rabbitmq_server())
        given = {"REDIS_URL": redis.url, "CELERY_BROKER_URL": rabbit.url}
        server = stack.enter_context(running(folder, migrated(postgresql.url), workers=2, **given))
        chosen = sys.argv[1:]
        for what, needed in (("PostgreSQL", postgresql), ("Redis", redis), ("RabbitMQ", rabbit)):
            for way in WAYS:
                if not chosen or what in chosen:
                    bad += not _is_as_promised(outage(server, needed, what, way), what)
    return bad


def _is_as_promised(seen: Outage, what: str) -> bool:
    load_average = os.getloadavg()[0]
    promised = not (seen.errors or seen.doubled or seen.missing or seen.pulse.bad)
    promised = promised and seen.slowest <= BOUND and seen.until_full_service <= BACK
    promised = promised and max(seen.pulse.took) <= ALIVE
    if what != "PostgreSQL":
        promised = promised and not seen.refused
    print(f"{'as promised' if promised else 'NOT AS PROMISED'} (load {load_average:.1f}): {seen}", flush=True)
    return promised


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
