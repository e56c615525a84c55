"""Remembering answers: in a memory that is bounded, and in a real Redis that nobody has to trust."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.edge.seconds import Time
from tests.servers import HOST
from tests.world import NOON
from tracker.cli.server import free_port
from tracker.edge.cache import LIFETIME, Forgetful, Found, Memory, Question, Remembered, Remembering, Shared
from tracker.edge.shared_redis import TOLERATED, Breaker, SharedRedis

if TYPE_CHECKING:
    from datetime import datetime

    from redis import Redis

    from tests.servers import RedisServer

pytestmark = pytest.mark.usefixtures("patience")

SECRET = "k" * 40
HEADERS = ((b"cache-control", b"private, no-cache"), (b"etag", b'"x.1.2"'))
QUESTION = Question("member ann", "ann.1.2", "/tasks", b"limit=5")
OTHERS = [
    QUESTION._replace(audience="member bob"),
    QUESTION._replace(audience="viewer ann"),
    QUESTION._replace(state="ann.1.3"),
    QUESTION._replace(path="/projects"),
    QUESTION._replace(query=b"limit=50"),
    Question("member ann", "ann.1.2", "/tasks/", b"limit=5"),
    Question("member", " annann.1.2", "/tasks", b"limit=5"),
]


def an_answer(body: bytes = b'{"items":[]}', until: datetime | None = None) -> Remembered:
    return Remembered(HEADERS, body, until)


@dataclass
class Maker:
    """Makes answers, each another one, and counts where they were found."""

    until: datetime | None = None
    found: list[Found] = field(default_factory=list)
    made: int = 0

    def __call__(self) -> Remembered:
        self.made += 1
        return an_answer(b'{"made":%d}' % self.made, self.until)


def shared(redis: RedisServer, secret: str = SECRET, of: bytes = b"contract and database") -> Shared:
    return Shared(SharedRedis(redis.url), secret, of)


@dataclass
class Process:
    """One process with a memory of its own; what it finds, and where."""

    shared: Shared | None
    maker: Maker
    memory: Memory = field(default_factory=Memory)

    def ask(self, question: Question = QUESTION, at: datetime = NOON) -> tuple[bytes, Found]:
        cache = Remembering(self.memory, self.shared, self.maker.found.append)
        answer = cache.answer(question, at, self.maker)
        return answer.body, self.maker.found[-1]


FIRST, SECOND = b'{"made":1}', b'{"made":2}'


# In memory.


def test_what_was_made_once_is_found_again() -> None:
    process = Process(None, Maker())
    assert [process.ask() for _ in range(3)] == [(FIRST, Found.MISS), *[(FIRST, Found.HIT_MEMORY)] * 2]


@pytest.mark.parametrize("other", OTHERS)
def test_another_question_has_another_answer(other: Question) -> None:
    process = Process(None, Maker())
    process.ask()
    assert process.ask(other) == (SECOND, Found.MISS)


def test_an_answer_holds_until_its_instant_and_not_at_it() -> None:
    process = Process(None, Maker(until=NOON + timedelta(seconds=1)))
    assert [process.ask(at=NOON + timedelta(milliseconds=late)) for late in (0, 999, 1000)] == [
        (FIRST, Found.MISS),
        (FIRST, Found.HIT_MEMORY),
        (SECOND, Found.MISS),
    ]


def test_what_cannot_be_made_is_not_remembered() -> None:
    process = Process(None, Maker())

    def refuse() -> Remembered:
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            Remembering(process.memory, None, process.maker.found.append).answer(QUESTION, NOON, refuse)
    assert process.ask() == (FIRST, Found.MISS)


def test_where_nothing_is_remembered_each_answer_is_made() -> None:
    maker = Maker()
    cache = Forgetful(maker.found.append)
    assert [cache.answer(QUESTION, NOON, maker).body for _ in range(2)] == [FIRST, SECOND]
    assert maker.found == [Found.BYPASS] * 2


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    memory = Memory(most=20_000)
    first, second, third = (QUESTION._replace(state=f"ann.1.{n}") for n in range(3))
    for question in (first, second):
        memory.keep(question, an_answer(bytes(7_000)))
    assert memory.find(first, NOON)
    memory.keep(third, an_answer(bytes(7_000)))
    assert [memory.find(question, NOON) is not None for question in (first, second, third)] == [True, False, True]


def test_an_answer_that_is_too_large_is_not_kept_and_pushes_nothing_out() -> None:
    memory = Memory(most=20_000, largest=10_000)
    memory.keep(QUESTION, an_answer())
    memory.keep(OTHERS[0], an_answer(bytes(8_000)))
    memory.keep(OTHERS[1], an_answer(bytes(10_000)))
    assert [memory.find(question, NOON) is not None for question in (QUESTION, *OTHERS[:2])] == [True, True, False]


@pytest.mark.parametrize("length", [12, 1_000, 30_000])
def test_memory_takes_no_more_than_it_is_given_however_short_the_answers(length: int) -> None:
    most = 4 * 1024 * 1024
    tracemalloc.start()
    memory = Memory(most)
    for n in range(3 * most // (length + 1_000)):
        headers = tuple((name, value + str(n).encode()) for name, value in HEADERS * 3)
        memory.keep(QUESTION._replace(state=f"ann.1.{n}"), Remembered(headers, bytes(length), NOON))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most / 2 < taken < most * 1.1


def test_many_threads_find_only_what_they_asked_for() -> None:
    memory = Memory(most=50_000)

    def ask(n: int) -> bool:
        question, body = QUESTION._replace(state=str(n % 30)), b"%d" % (n % 30)
        process = Process(None, Maker(), memory)
        cache = Remembering(process.memory, None, process.maker.found.append)
        return cache.answer(question, NOON, lambda: an_answer(body * 500)).body == body * 500

    with ThreadPoolExecutor(8) as threads:
        assert Counter(threads.map(ask, range(4_000))) == {True: 4_000}


# In Redis.


@pytest.mark.redis
def test_what_one_process_made_the_others_find_and_then_remember_themselves(redis: RedisServer) -> None:
    one, other = (Process(shared(redis), Maker(until=NOON + timedelta(hours=1))) for _ in range(2))
    assert one.ask() == (FIRST, Found.MISS)
    assert [other.ask() for _ in range(2)] == [(FIRST, Found.HIT_REDIS), (FIRST, Found.HIT_MEMORY)]
    assert other.maker.made == 0


@pytest.mark.redis
@pytest.mark.parametrize("until", [None, NOON + timedelta(seconds=90)])
def test_an_answer_comes_out_of_redis_as_it_went_in(redis: RedisServer, until: datetime | None) -> None:
    answer = Remembered(((b"link", b'</tasks?q=\xe4>; rel="next"'), (b"etag", b'"x"')), b'{"title":"a\\nb"}\n\n', until)
    shared(redis).keep(QUESTION, answer, NOON)
    assert shared(redis).find(QUESTION, NOON) == (answer, Found.HIT_REDIS)


@pytest.mark.redis
@pytest.mark.parametrize("other", OTHERS)
def test_another_question_has_another_answer_in_redis_too(redis: RedisServer, other: Question) -> None:
    shared(redis).keep(QUESTION, an_answer(), NOON)
    assert shared(redis).find(other, NOON) == (None, Found.MISS)


@pytest.mark.redis
def test_another_installation_another_contract_and_another_database_find_nothing(redis: RedisServer) -> None:
    shared(redis).keep(QUESTION, an_answer(), NOON)
    for other in (shared(redis, secret="s" * 40), shared(redis, of=b"another database")):
        assert other.find(QUESTION, NOON) == (None, Found.MISS)


@pytest.mark.redis
def test_an_answer_that_no_longer_holds_is_not_found_whatever_redis_still_has(redis: RedisServer) -> None:
    shared(redis).keep(QUESTION, an_answer(until=NOON + timedelta(minutes=1)), NOON)
    there = shared(redis)
    assert there.find(QUESTION, NOON + timedelta(seconds=59))[1] is Found.HIT_REDIS
    assert there.find(QUESTION, NOON + timedelta(seconds=60)) == (None, Found.MISS)


@pytest.mark.redis
@pytest.mark.parametrize(("holds", "kept"), [(None, LIFETIME), (3600, LIFETIME), (20, timedelta(seconds=20))])
def test_redis_keeps_an_answer_five_minutes_and_no_longer_than_it_holds(
    redis: RedisServer, holds: int | None, kept: timedelta
) -> None:
    until = None if holds is None else NOON + timedelta(seconds=holds)
    shared(redis).keep(QUESTION, an_answer(until=until), NOON)
    with redis.client() as client:
        (key,) = client.scan_iter()
        assert kept - timedelta(seconds=5) < timedelta(milliseconds=client.pttl(key)) <= kept


@pytest.mark.redis
def test_an_answer_that_holds_for_no_time_or_is_too_large_is_not_sent(redis: RedisServer) -> None:
    shared(redis).keep(QUESTION, an_answer(until=NOON), NOON)
    shared(redis).keep(QUESTION, an_answer(bytes(1024 * 1024)), NOON)
    with redis.client() as client:
        assert client.dbsize() == 0


@pytest.mark.redis
def test_the_keys_say_nothing_of_who_asked_for_what(redis: RedisServer) -> None:
    shared(redis).keep(QUESTION._replace(query=b"q=surprise"), an_answer(), NOON)
    with redis.client() as client:
        (key,) = client.scan_iter()
        assert not any(told in key + client.get(key) for told in (b"ann", b"/tasks", b"surprise"))


def flipped(sealed: bytes, at: int) -> bytes:
    return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]


@pytest.mark.redis
@pytest.mark.parametrize("at", [0, 31, 32, 40, -1])
def test_a_bit_that_was_turned_makes_no_answer(redis: RedisServer, at: int) -> None:
    shared(redis).keep(QUESTION, an_answer(), NOON)
    with redis.client() as client:
        (key,) = client.scan_iter()
        sealed = client.get(key)
        client.set(key, flipped(sealed, at % len(sealed)))
    assert shared(redis).find(QUESTION, NOON) == (None, Found.MISS)


@pytest.mark.redis
@pytest.mark.parametrize("garbage", [b"", b"\n", b"x" * 31, bytes(32), bytes(32) + b"[null,[]]\n{}", b"\x80" * 5000])
def test_whatever_else_redis_holds_is_no_answer_and_is_replaced(redis: RedisServer, garbage: bytes) -> None:
    Process(shared(redis), Maker()).ask()
    with redis.client() as client:
        (key,) = client.scan_iter()
        client.set(key, garbage)
    process = Process(shared(redis), Maker(made=1))
    assert process.ask() == (SECOND, Found.MISS)
    assert Process(shared(redis), Maker()).ask() == (SECOND, Found.HIT_REDIS)


@pytest.mark.redis
def test_an_answer_that_stands_at_the_place_of_another_is_none(redis: RedisServer) -> None:
    shared(redis).keep(QUESTION, an_answer(b'"ann"'), NOON)
    shared(redis).keep(OTHERS[0], an_answer(b'"bob"'), NOON)
    with redis.client() as client:
        one, other = client.scan_iter()
        exchange(client, one, other)
    assert [shared(redis).find(question, NOON)[0] for question in (QUESTION, OTHERS[0])] == [None, None]


def exchange(client: Redis, one: bytes, other: bytes) -> None:
    client.rename(one, b"aside")
    client.rename(other, one)
    client.rename(b"aside", other)


@pytest.mark.redis
def test_something_of_another_kind_at_its_place_is_no_answer(redis: RedisServer) -> None:
    Process(shared(redis), Maker()).ask()
    with redis.client() as client:
        (key,) = client.scan_iter()
        client.delete(key)
        client.rpush(key, "a list")
    assert Process(shared(redis), Maker(made=1)).ask() == (SECOND, Found.BYPASS)


@pytest.mark.redis
def test_a_redis_that_was_flushed_is_filled_anew(redis: RedisServer) -> None:
    Process(shared(redis), Maker()).ask()
    with redis.client() as client:
        client.flushall()
    assert Process(shared(redis), Maker(made=1)).ask() == (SECOND, Found.MISS)
    assert Process(shared(redis), Maker()).ask() == (SECOND, Found.HIT_REDIS)


@pytest.mark.redis
def test_a_redis_that_is_full_still_answers_what_it_has(redis: RedisServer) -> None:
    Process(shared(redis), Maker()).ask()
    with redis.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
    process = Process(shared(redis), Maker(made=1))
    assert process.ask() == (FIRST, Found.HIT_REDIS)
    assert [process.ask(OTHERS[0]) for _ in range(2)] == [(SECOND, Found.MISS), (SECOND, Found.HIT_MEMORY)]
    assert [process.ask(OTHERS[n])[1] for n in range(1, 6)] == [Found.MISS] * 5  # it is asked as before


@pytest.mark.redis
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_without_redis_a_process_remembers_by_itself_and_asks_it_three_times(redis: RedisServer, how: str) -> None:
    clock = Time()
    process = Process(Shared(SharedRedis(redis.url, Breaker(clock)), SECRET, b""), Maker())
    process.ask()
    getattr(redis, how)()
    asked = [process.ask(question) for question in OTHERS]
    assert [found for _, found in asked] == [Found.BYPASS] * len(OTHERS)
    assert [process.ask(question)[1] for question in OTHERS] == [Found.HIT_MEMORY] * len(OTHERS)

    redis.wake()
    if redis.process.poll() is not None:
        redis.start_again()
    new = QUESTION._replace(state="ann.1.9")
    assert process.ask(new)[1] is Found.BYPASS
    clock.passes(1.0)
    assert process.ask(new._replace(state="ann.1.10"))[1] is Found.MISS


def test_where_nothing_listens_each_answer_is_made_and_remembered_here() -> None:
    there = SharedRedis(f"redis://{HOST}:{free_port(HOST)}")
    process = Process(Shared(there, SECRET, b""), Maker())
    assert [process.ask(question)[1] for question in (*OTHERS, *OTHERS)] == [
        *[Found.BYPASS] * len(OTHERS),
        *[Found.HIT_MEMORY] * len(OTHERS),
    ]
    assert len(OTHERS) > TOLERATED
