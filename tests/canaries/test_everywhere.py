"""Everything at once: server, worker and beat with a Redis, a broker, a mail server and a collector, on a database that
goes away meanwhile. What people sent, and what the processes were given, stands nowhere but where it belongs."""

from __future__ import annotations

import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import make_url

from tests.canaries.watch import Watch
from tests.collector import Collector, collecting
from tests.crew import hired
from tests.databases import _administer, database
from tests.faults.server import HOST, Server, running
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.rabbitmq_server import RabbitServer
    from tests.servers import RedisServer

PATIENCE = 60
PASSWORDS = ("c4nary-password-of-ann", "c4nary-another-password", "c4nary-password-that-is-wrong")
TITLE, DESCRIPTION, QUERY, HEADER = "c4nary-title", "c4nary-description", "c4nary-query", "c4nary-header"
KEY = "c4nary-key-of-the-house-" + "k" * 20

pytestmark = [pytest.mark.redis, pytest.mark.rabbitmq, pytest.mark.postgresql]


@dataclass
class House:
    """All that runs, and all it said."""

    url: str
    server: Server
    redis: RedisServer
    collector: Collector
    logs: Callable[[], str]
    ports: list[int]
    problems: list[str] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)

    def ask(self, method: str, path: str, body: object = None, token: str | None = None) -> object:
        """Return what is answered, whose secrets are kept, and keep the problem it may be."""
        answer = self.server.ask(method, path, body, token=token)
        if answer.status >= 400:
            self.problems.append(answer.body.decode())
            return {}
        told = answer.json if answer.body else {}
        self.watch.keep_members(told)
        return told

    def metrics(self) -> str:
        return "".join(map(metrics_at, self.ports))

    def in_redis(self) -> bytes:
        """Return every key and value there is."""
        with self.redis.client() as client:
            return b"\n".join(part for key in client.scan_iter() for part in (key, client.dump(key) or b""))


def metrics_at(port: int) -> str:
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=PATIENCE) as answer:
        told: str = answer.read().decode()
    return told


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.fixture
def house(tmp_path: Path, redis: RedisServer, rabbitmq: RabbitServer) -> Iterator[House]:
    ports = [free_port(HOST) for _ in range(3)]
    with ExitStack() as stack:
        trusted = make_url(stack.enter_context(database("postgresql")))
        url = trusted.set(password="c4nary-of-the-database").render_as_string(hide_password=False)
        collector = stack.enter_context(collecting())
        crew = stack.enter_context(hired(tmp_path, rabbitmq))
        given: dict[str, Any] = {
            "SECRET_KEY": KEY,
            "REDIS_URL": redis.url,
            "CELERY_BROKER_URL": rabbitmq.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "SMTP_URL": f"smtp://tracker:c4nary-of-the-mail@{HOST}:{free_port(HOST)}",
            "MAIL_FROM": "tracker@example.com",
            "LOG_LEVEL": "debug",
        }
        for command, port in (("worker", ports[1]), ("beat", ports[2])):
            crew.start(command, module="tracker", DATABASE_URL=url, METRICS_PORT=str(port), **given)
        server = stack.enter_context(running(tmp_path, url, workers=1, METRICS_PORT=str(ports[0]), **given))
        house = House(url, server, redis, collector, lambda: f"{crew.logs}{server.log.read_text('utf-8')}", ports)
        house.watch.keep(*PASSWORDS)
        house.watch.keep_settings({**given, "DATABASE_URL": url})
        yield house


def test_what_is_secret_stands_in_no_log_metric_trace_cache_or_problem(house: House) -> None:
    live_in(house)
    eventually(lambda: "job_runs_total" in house.metrics())
    eventually(lambda: bool(house.collector.named("POST /login")) and bool(house.collector.named("job archive")))
    said = {
        "logs": house.logs(),
        "metrics": house.metrics(),
        "traces": b"".join(house.collector.raw).decode("latin-1"),
        "Redis": house.in_redis().decode("latin-1"),
        "problems": "\n".join(house.problems),
    }
    assert len(house.problems) >= 6
    assert said["Redis"]
    assert said["logs"].count('"event":"answered"') >= 10
    for where, text in said.items():
        house.watch.look_at(where, text)
        assert not [word for word in (TITLE, DESCRIPTION, QUERY, HEADER, "ann@example.com") if word in text], where
    house.watch.settle()
    plant(house)


def plant(house: House) -> None:
    """See that what is found nowhere would have been found."""
    with house.redis.client() as client:
        client.set("remembered", f"of {PASSWORDS[0]}")
    house.watch.look_at("Redis", house.in_redis().decode("latin-1"))
    assert [leak for leak in house.watch.leaks if PASSWORDS[0] in leak]


def live_in(house: House) -> None:
    """Do what people do, well and badly."""
    ann = {"username": "ann", "email": "ann@example.com", "password": PASSWORDS[0]}
    house.ask("POST", "/register", ann)
    house.ask("POST", "/login", {"username": "ann", "password": PASSWORDS[2]})
    session = house.ask("POST", "/login", {"username": "ann", "password": PASSWORDS[0]})
    assert isinstance(session, dict)
    token, refresh = session["access_token"], session["refresh_token"]
    for number in range(3):
        house.ask("POST", "/tasks", {"title": f"{TITLE}-{number}", "description": DESCRIPTION}, token)
    for _ in range(2):
        house.ask("GET", "/tasks", token=token)
        house.ask("GET", f"/tasks?q={QUERY}", token=token)
    house.ask("GET", f"/tasks?nothing={QUERY}", token=token)
    house.ask("GET", f"/tasks/{QUERY}", token=token)
    house.ask("POST", "/tasks", {"title": TITLE, "status": DESCRIPTION}, token)
    house.ask("POST", "/register", {**ann, "password": PASSWORDS[2][:7] + "\x00"})
    house.ask("GET", "/tasks", token=f"{token}{HEADER}")
    house.ask("POST", "/token/refresh", {"refresh_token": f"{HEADER}-{refresh}"})
    house.ask("POST", "/token/refresh", {"refresh_token": refresh})
    without_a_database(house, lambda: house.ask("POST", "/tasks", {"title": TITLE}, token))
    house.ask("POST", "/password/reset", {"secret": f"{HEADER}-secret", "new_password": PASSWORDS[1]})


def without_a_database(house: House, act: Callable[[], object]) -> None:
    """Do something while the database lets nobody in, and wait until it does again."""
    name = make_url(house.url).database
    _administer(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    _administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 - ours
    act()
    assert '"status":503' in house.problems[-1]
    _administer(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    house.server.wait()
