"""What every suite shares: a store on each database in turn, a whole installation on it, and a Redis."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.canaries.watch import WATCH, Lines
from tests.databases import ON_EVERY_DATABASE, clean_up, database, open_store
from tests.exceptions import excuse_of
from tests.rabbitmq_server import RabbitServer, rabbitmq_server
from tests.servers import RedisServer, redis_server
from tests.world import World
from tracker.edge import shared_redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.store.contract import Store


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what a server is excused from."""
    for item in items:
        if reason := excuse_of(item):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def _templates() -> Iterator[None]:
    yield
    clean_up()


@pytest.fixture(autouse=True)
def _canaries() -> Iterator[None]:
    """Fail if a secret that any test has used so far stands in a log line or a problem of this one."""
    root, ours, lines = logging.getLogger(), logging.getLogger("tracker"), Lines(WATCH)
    level = ours.level
    root.addHandler(lines)
    ours.setLevel(logging.DEBUG)
    yield
    ours.setLevel(level)
    root.removeHandler(lines)
    WATCH.settle()


@pytest.fixture(params=ON_EVERY_DATABASE)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated database."""
    with database(request.param) as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store of one's own: a test that takes it runs on every database."""
    store = open_store(url, connections=16)
    yield store
    store.close()


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitServer]:
    """A RabbitMQ for all who need one: it takes seconds to start. Whoever stops it starts it again."""
    with rabbitmq_server() as server:
        yield server


@pytest.fixture(
    params=[pytest.param("rabbitmq", marks=pytest.mark.rabbitmq), pytest.param("redis", marks=pytest.mark.redis)]
)
def broker(request: pytest.FixtureRequest) -> Iterator[RabbitServer | RedisServer]:
    """A broker: a test that takes it runs on RabbitMQ and on Redis."""
    if request.param == "rabbitmq":
        yield request.getfixturevalue("rabbitmq")
    else:
        with redis_server() as server:
            yield server


@pytest.fixture
def world(store: Store) -> World:
    """An installation with nobody in it."""
    return World(store)


@pytest.fixture(scope="module")
def _redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(_redis: RedisServer) -> RedisServer:
    """A Redis with nothing in it, whatever the test before did to it."""
    _redis.wake()
    if _redis.process.poll() is not None:
        _redis.start_again()
    with _redis.client() as client:
        client.config_set("maxmemory", 0)
        client.flushall()
    return _redis


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for Redis longer than requests do: a machine that is busy with something else must not fail a test."""
    monkeypatch.setattr(shared_redis, "TIMEOUT", 2.0)
