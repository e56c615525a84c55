"""What the doctor says of the Redis that rate limits are counted in."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from tests.servers import PASSWORD, RedisServer, redis_server
from tracker.cli import tracker


def doctor(**values: str) -> str:
    given = {"SECRET_KEY": "k3yOf-more_than.thirty2bytes-0123456789", **values}
    with patch.dict("os.environ", given, clear=True):
        shown = CliRunner().invoke(tracker, ["doctor"]).stdout
    assert PASSWORD not in shown
    return shown


def findings(url: str) -> list[str]:
    return [line for line in doctor(REDIS_URL=url).splitlines() if " redis: " in line]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.redis
def test_the_doctor_asks_the_redis_whether_it_answers() -> None:
    with redis_server() as redis:
        (good,) = findings(redis.url)
        redis.kill()
        (bad,) = findings(redis.url)
    assert good == f"ok    redis: redis://:***@127.0.0.1:{redis.port}/0 answers"
    assert bad.startswith(f"BAD   redis: redis://:***@127.0.0.1:{redis.port}/0 does not answer")


@pytest.mark.redis
@pytest.mark.parametrize(
    ("most", "policy", "says"),
    [
        ("0", "noeviction", "note  redis memory: Redis {} takes all the machine has (give it a bound"),
        ("64mb", "noeviction", "note  redis memory: Redis {} refuses writes once it is full (fit for a broker"),
        ("64mb", "allkeys-lru", "ok    redis memory: Redis {} lets go of what is old (maxmemory-policy allkeys-lru)"),
        ("64mb", "volatile-ttl", "ok    redis memory: Redis {} lets go of what is old (maxmemory-policy volatile-ttl)"),
    ],
)
def test_the_doctor_looks_whether_a_redis_is_fit_for_a_cache(
    redis: RedisServer, most: str, policy: str, says: str
) -> None:
    with redis.client() as client:
        client.config_set("maxmemory", most)
        client.config_set("maxmemory-policy", policy)
        version = client.execute_command("INFO", "server")["redis_version"]
    said = doctor(REDIS_URL=redis.url)
    assert said.count(" redis memory: ") == 1
    assert says.format(version) in said
    assert "ok    clock: that of Redis says the same" in said


@pytest.mark.redis
def test_the_doctor_finds_a_broker_that_would_throw_messages_away(redis: RedisServer) -> None:
    with redis.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert "broker memory" not in doctor(CELERY_BROKER_URL=redis.url)  # without a bound it never does
        client.config_set("maxmemory", "64mb")
    said = doctor(CELERY_BROKER_URL=redis.url, REDIS_URL=redis.url.replace("/0", "/1"))
    assert "BAD   broker memory: once it is full, it throws messages away (set maxmemory-policy noeviction)" in said
    assert "note  broker memory: it is the Redis at REDIS_URL as well" in said
