"""Rate limits that several instances count together, and what becomes of them when their Redis is gone."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.client import Received
from tests.databases import database
from tests.edge.limiting import HOME, NAMES, by, limited, posted, refused_after
from tests.servers import RedisServer, redis_server
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store() -> Iterator[SqlStore]:
    with database("sqlite") as url:
        store = SqlStore.open(url, connections=8)
        yield store
        store.close()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.mark.redis
def test_two_instances_count_together_and_no_name_address_or_token_is_in_redis(
    store: SqlStore, redis: RedisServer
) -> None:
    rates = {"redis_url": redis.url, "rate_limit_login": "4/15 minutes", "rate_limit": "9/minute"}
    with limited(store, **rates) as (_, one), limited(store, **rates) as (_, other):
        wires = (one, one, other, other)
        tried = [posted(wire, "/login", username=name, password="x") for wire, name in zip(wires, NAMES, strict=True)]
        assert [answer.headers["ratelimit"].split(";")[1] for answer in tried] == ["r=3", "r=2", "r=1", "r=0"]
        assert posted(one, "/login", username="ann", password="x").status == 429
        assert int(posted(other, "/login", username="ann", password="x").headers["retry-after"]) >= 1
        posted(one, "/token/refresh", refresh_token="q" * 43)
        one.send("GET", "/tasks", peer=HOME)
    with redis.client() as client:
        keys = list(client.scan_iter())
    assert len(keys) == 4
    assert all(re.search(rb"[a-z-]+:[0-9a-f]{32}/", key) for key in keys)
    assert not any(clear in key for key in keys for clear in (b"ann", HOME.encode(), b"qqq"))


@pytest.mark.redis
def test_a_redis_that_is_stopped_or_killed_slows_hardly_anything_and_fails_nothing(
    store: SqlStore, redis: RedisServer
) -> None:
    with limited(store, redis_url=redis.url, rate_limit="1000/minute", rate_limit_login="9/minute") as (world, wire):
        mine = by(world.person("ann"))

        def some() -> tuple[list[Received], float]:
            began = time.perf_counter()
            answers = [posted(wire, "/login", username="ann", password="x")]
            answers += [wire.send("GET", "/tasks", headers=mine) for _ in range(9)]
            return answers, time.perf_counter() - began

        before, usual = some()
        redis.stop()
        stopped, slowed = some()
        redis.kill()
        killed, _ = some()

    for answers in (before, stopped, killed):
        assert [answer.status for answer in answers] == [401] + [200] * 9
        assert all("ratelimit" in answer.headers for answer in answers)
    assert slowed - usual < 1.0  # three times 50 ms, and a busy machine; the library by itself waits seconds each time


@pytest.mark.redis
def test_without_its_redis_an_instance_still_refuses_what_is_too_many(store: SqlStore, redis: RedisServer) -> None:
    with limited(store, redis_url=redis.url, rate_limit_login="3/minute") as (_, wire):
        redis.kill()
        assert refused_after(lambda: posted(wire, "/login", username="ann", password="x")) == 3
