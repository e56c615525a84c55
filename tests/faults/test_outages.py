"""What clients see while a server that we depend on is gone: nothing, or a 503 that says when to come again.

How long it takes is the business of ``outages.py`` and ``restarts.py`` on a machine of their own; here it is bounded.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.outages import BACK, BOUND, WAYS, Outage, migrated, outage
from tests.faults.restarts import roll
from tests.faults.server import PATIENCE, Server, running
from tests.missing import unavailable
from tests.postgresql_server import NotInstalled, PostgreSQLServer, own_postgresql
from tests.rabbitmq_server import RabbitServer
from tests.servers import RedisServer, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY = 4  # times as long, where four such suites share two cores
WHILE = (3.0, 3.0)  # seconds


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQLServer]:
    try:
        with own_postgresql() as server:
            migrated(server.url)
            yield server
    except NotInstalled as missing:
        unavailable(str(missing))


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def server(
    postgresql: PostgreSQLServer, redis: RedisServer, rabbitmq: RabbitServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    given = {"REDIS_URL": redis.url, "CELERY_BROKER_URL": rabbitmq.url}
    with running(tmp_path_factory.mktemp("outages"), postgresql.url, workers=2, **given) as server:
        yield server


def held(seen: Outage) -> Outage:
    """Fail if a client saw an error, or what it wrote was not there once."""
    print(seen)
    assert seen.errors == []
    assert (seen.doubled, seen.missing) == ([], [])
    assert seen.pulse.bad == []
    assert seen.load.acknowledged
    return seen


@pytest.mark.postgresql
@pytest.mark.parametrize("way", WAYS)
def test_without_postgresql_every_answer_comes_soon_and_says_when_to_come_again(
    way: str, server: Server, postgresql: PostgreSQLServer
) -> None:
    seen = held(outage(server, postgresql, "PostgreSQL", way, WHILE))
    assert seen.refused  # it was gone
    assert seen.slowest <= BUSY * BOUND
    assert seen.until_full_service <= BUSY * BACK


@pytest.mark.redis
@pytest.mark.parametrize("way", WAYS)
def test_without_redis_nobody_notices(way: str, server: Server, redis: RedisServer) -> None:
    assert held(outage(server, redis, "Redis", way, WHILE)).refused == 0


@pytest.mark.rabbitmq
def test_without_a_broker_nobody_notices(server: Server, rabbitmq: RabbitServer) -> None:
    assert held(outage(server, rabbitmq, "RabbitMQ", "stopped", WHILE)).refused == 0


@pytest.mark.postgresql
def test_a_server_leaves_although_its_database_stands_still(postgresql: PostgreSQLServer, tmp_path: Path) -> None:
    with running(tmp_path, postgresql.url) as server, ExitStack() as waking:
        server.log_in("leaving")
        postgresql.stop()
        waking.callback(postgresql.wake)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=PATIENCE) == 0
        assert "refused to gracefully stop" not in server.log.read_text(encoding="utf-8")


@pytest.mark.postgresql
def test_a_server_that_starts_beside_a_database_that_stands_still_is_alive_and_ready_once_it_answers(
    postgresql: PostgreSQLServer, tmp_path: Path
) -> None:
    with running(tmp_path, postgresql.url) as server:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        with ExitStack() as waking:
            postgresql.stop()
            waking.callback(postgresql.wake)
            for child in children.read_text(encoding="ascii").split():
                os.kill(int(child), signal.SIGKILL)
            wait(server, "/livez", 200)
            assert server.ask("GET", "/readyz").json["detail"] == "The database does not answer."
        wait(server, "/readyz", 200)


def wait(server: Server, path: str, status: int) -> None:
    """Return once a path is answered so."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if server.ask("GET", path).status == status:
                return
        except OSError:  # nobody listens
            pass
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.postgresql
def test_servers_that_are_replaced_one_by_one_lose_no_request(postgresql: PostgreSQLServer, tmp_path: Path) -> None:
    asking, codes, wrong = roll(tmp_path, postgresql.url, rounds=1)
    assert [asked.status for asked in asking.asked if asked.status not in {200, 201}] == []
    assert (codes, wrong) == ([0, 0], [])
