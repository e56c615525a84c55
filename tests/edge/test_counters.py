"""Counting: in memory, in a real Redis, and in memory while that Redis does not answer."""

from __future__ import annotations

import logging
import time
from collections import Counter as Tally
from concurrent.futures import ThreadPoolExecutor

import pytest
from limits import parse

from tests.edge.seconds import MINUTE, Time
from tests.servers import HOST, PASSWORD, RedisServer
from tracker.cli.server import free_port
from tracker.edge.counters import InMemory, InRedis, Quota, Shared, Verdict, counted
from tracker.edge.shared_redis import TIMEOUT, TOLERATED, Breaker, SharedRedis


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def memory(clock: Time) -> InMemory:
    return InMemory(clock)


def quota(rate: str = "10/minute", key: str = "ann") -> Quota:
    return Quota("default", parse(rate), key)


def admitted(counter: InMemory | InRedis, hits: int, of: Quota) -> int:
    return sum(counter.hit(of).admitted for _ in range(hits))


# In memory.


def test_so_many_are_let_through_and_no_more(memory: InMemory) -> None:
    verdicts = [memory.hit(quota()) for _ in range(12)]
    assert [v.admitted for v in verdicts] == [True] * 10 + [False] * 2
    assert [v.left for v in verdicts] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]


def test_each_key_has_a_count_of_its_own(memory: InMemory) -> None:
    assert admitted(memory, 12, quota()) == 10
    assert admitted(memory, 12, quota(key="bob")) == 10


def test_room_comes_back_little_by_little_and_not_all_at_once(memory: InMemory, clock: Time) -> None:
    admitted(memory, 10, quota())
    clock.passes(MINUTE)
    assert admitted(memory, 10, quota()) == 0
    clock.passes(MINUTE / 2)
    assert admitted(memory, 10, quota()) == 5
    clock.passes(MINUTE * 2)
    assert admitted(memory, 11, quota()) == 10


def test_nobody_is_let_through_twice_as_often_around_the_end_of_a_window(memory: InMemory, clock: Time) -> None:
    clock.passes(MINUTE - 0.001)
    first = admitted(memory, 20, quota())
    clock.passes(0.002)
    assert (first, admitted(memory, 20, quota())) == (10, 1)


@pytest.mark.parametrize("rate", ["10/minute", "1/second", "3/second", "7/15 minutes", "600/minute", "1/day"])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.77, 0.999])
def test_whoever_waits_as_long_as_is_said_is_let_through(memory: InMemory, clock: Time, rate: str, part: float) -> None:
    of = quota(rate)
    clock.passes(of.rate.get_expiry() * part)
    for _ in range(3):
        admitted(memory, of.rate.amount + 1, of)
        refused = memory.hit(of)
        assert not refused.admitted
        assert 0 <= refused.wait <= of.rate.get_expiry()
        clock.passes(refused.retry_after)
        assert memory.hit(of).admitted


def test_a_clock_that_is_set_back_locks_nobody_out(memory: InMemory, clock: Time) -> None:
    admitted(memory, 10, quota())
    clock.passes(-MINUTE * 60)
    assert admitted(memory, 12, quota()) == 10


def test_whoever_invents_keys_fills_no_memory_and_pushes_out_the_oldest(clock: Time) -> None:
    memory = InMemory(clock, max_keys=3)
    for key in ("ann", "bob", "eve", "ann", "mia"):
        memory.hit(quota("1/minute", key))
    assert len(memory._counts) == 3
    assert "ann" not in memory._counts  # being refused keeps nobody in


def test_many_threads_are_let_through_exactly_as_often(memory: InMemory) -> None:
    with ThreadPoolExecutor(8) as threads:
        hits = list(threads.map(lambda _: memory.hit(quota("500/minute")).admitted, range(2000)))
    assert hits.count(True) == 500


def test_whoever_is_refused_uses_up_nobody_elses(memory: InMemory) -> None:
    first, second = quota("2/minute", "ann at home"), quota("10/minute", "ann")
    verdicts = [counted(memory, [first, second]) for _ in range(6)]

    assert [v.admitted for v in verdicts] == [True, True, False, False, False, False]
    assert {v.quota.key for v in verdicts} == {"ann at home"}
    assert memory.hit(second).left == 7


def test_the_one_that_has_no_room_is_the_one_that_is_told(memory: InMemory) -> None:
    assert counted(memory, [quota("9/minute"), quota("1/minute", "bob")]).quota.key == "ann"
    assert counted(memory, [quota("9/minute"), quota("1/minute", "bob")]).quota.key == "bob"


# In Redis.


@pytest.fixture
def shared(redis: RedisServer, memory: InMemory, clock: Time) -> Shared:
    there = SharedRedis(redis.url, Breaker(clock))
    return Shared(InRedis(there.client), memory, there)


class Patient(InRedis):
    """Remembers how long it waited each time, in seconds."""

    def __init__(self, redis: SharedRedis) -> None:
        super().__init__(redis.client)
        self.waited: list[float] = []

    def hit(self, quota: Quota) -> Verdict:
        began = time.perf_counter()
        try:
            return super().hit(quota)
        finally:
            self.waited.append(time.perf_counter() - began)


@pytest.mark.redis
def test_two_processes_count_together(redis: RedisServer) -> None:
    one, other = InRedis(SharedRedis(redis.url).client), InRedis(SharedRedis(redis.url).client)
    assert admitted(one, 6, quota()) + admitted(other, 6, quota()) == 10
    assert (one.hit(quota()).admitted, one.hit(quota()).left) == (False, 0)
    assert 0 < one.hit(quota()).wait <= MINUTE
    assert other.hit(quota(key="bob")).left == 9


@pytest.mark.redis
def test_many_threads_count_in_redis_without_losing_one(redis: RedisServer) -> None:
    counters = [InRedis(SharedRedis(redis.url).client) for _ in range(2)]
    with ThreadPoolExecutor(8) as threads:
        hits = list(threads.map(lambda n: counters[n % 2].hit(quota("100/minute")).admitted, range(300)))
    assert Tally(hits) == {True: 100, False: 200}


@pytest.mark.redis
def test_what_is_counted_in_redis_does_not_stay_there(redis: RedisServer) -> None:
    InRedis(SharedRedis(redis.url).client).hit(quota())
    with redis.client() as client:
        assert [0 < client.pttl(key) <= 2 * MINUTE * 1000 for key in client.scan_iter()] == [True]


@pytest.mark.redis
def test_a_redis_that_is_gone_and_comes_back_empty_fails_nobody(
    redis: RedisServer, shared: Shared, clock: Time, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert shared.counted([quota()]).left == 9
        redis.kill()
        assert [shared.counted([quota()]).left for _ in range(12)] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]
        redis.start_again()
        assert not shared.counted([quota()]).admitted  # still in this process: the pause is not over
        clock.passes(1.0)
        assert shared.counted([quota()]).left == 9

    assert [record.getMessage() for record in caplog.records] == [
        "Redis does not answer (ConnectionError): this process counts and remembers by itself",
        "Redis answers again: it counts and remembers for all processes",
    ]
    assert PASSWORD not in caplog.text


@pytest.mark.redis
def test_a_redis_that_is_stopped_slows_three_requests_and_then_one_a_second(
    redis: RedisServer, memory: InMemory, clock: Time
) -> None:
    there = SharedRedis(redis.url, Breaker(clock))
    patient = Patient(there)
    shared = Shared(patient, memory, there)
    shared.counted([quota()])
    redis.stop()
    assert [shared.counted([quota()]).left for _ in range(9)] == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert len(patient.waited) == 1 + TOLERATED
    clock.passes(1.0)
    assert [shared.counted([quota()]).admitted for _ in range(4)] == [True, False, False, False]
    assert len(patient.waited) == 1 + TOLERATED + 1
    # The quickest of them: the machine may be busy with something else.
    assert TIMEOUT <= min(patient.waited[1:]) < TIMEOUT + 0.01

    redis.wake()
    clock.passes(1.0)
    assert shared.counted([quota()]).left >= 7  # what it was sent while it was stopped, it counts when it wakes


@pytest.mark.redis
def test_of_several_quotas_only_the_first_waits_for_a_redis_that_is_stopped(
    redis: RedisServer, memory: InMemory
) -> None:
    there = SharedRedis(redis.url)
    patient = Patient(there)
    redis.stop()
    verdict = Shared(patient, memory, there).counted([quota(key=key) for key in ("ann", "bob", "eve")])

    assert verdict.admitted
    assert len(patient.waited) == 1
    assert [memory.hit(quota(key=key)).left for key in ("ann", "bob", "eve")] == [8] * 3


@pytest.mark.redis
def test_a_redis_that_is_full_fails_nobody_and_is_named_once(
    redis: RedisServer, shared: Shared, caplog: pytest.LogCaptureFixture
) -> None:
    with redis.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
    assert [shared.counted([quota("3/minute")]).admitted for _ in range(5)] == [True] * 3 + [False] * 2
    refused = "Redis refuses (OutOfMemoryError): this process counts and remembers by itself"
    assert [record.getMessage() for record in caplog.records] == [refused]


@pytest.mark.redis
def test_a_password_that_is_wrong_fails_nobody_and_is_not_logged(
    redis: RedisServer, memory: InMemory, caplog: pytest.LogCaptureFixture
) -> None:
    there = SharedRedis(redis.url.replace(PASSWORD, "another-secret"))
    shared = Shared(InRedis(there.client), memory, there)
    assert [shared.counted([quota()]).left for _ in range(4)] == [9, 8, 7, 6]
    assert "Redis does not answer" in caplog.text
    assert "another-secret" not in caplog.text


def test_where_nothing_listens_nobody_waits(memory: InMemory) -> None:
    there = SharedRedis(f"redis://{HOST}:{free_port(HOST)}")
    patient = Patient(there)
    shared = Shared(patient, memory, there)
    assert [shared.counted([quota()]).left for _ in range(5)] == [9, 8, 7, 6, 5]
    assert len(patient.waited) == TOLERATED
    assert min(patient.waited) < TIMEOUT
