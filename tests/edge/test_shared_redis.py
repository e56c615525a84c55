"""The Redis that all processes share: how long it is waited for, and when it is left alone."""

from __future__ import annotations

import logging
from typing import NoReturn

import pytest
from redis import RedisError, ResponseError
from redis.exceptions import TimeoutError as TookTooLong

from tests.edge.seconds import Time
from tests.servers import HOST
from tracker.cli.server import free_port
from tracker.edge.shared_redis import TOLERATED, Breaker, SharedRedis


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def nowhere(clock: Time) -> SharedRedis:
    """One that is never asked: the questions of these tests answer themselves."""
    return SharedRedis(f"redis://{HOST}:{free_port(HOST)}", Breaker(clock))


class Question:
    """Answers yes, or fails, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: RedisError | None = None

    def __call__(self) -> str:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return "yes"


def otherwise() -> str:
    return "alone"


def test_a_breaker_leaves_alone_what_failed_three_times_in_a_row(clock: Time) -> None:
    breaker = Breaker(clock)
    assert [breaker.failed() for _ in range(TOLERATED - 1)] == [False, False]
    breaker.succeeded()
    assert [(breaker.lets_through(), breaker.failed()) for _ in range(TOLERATED)][-1] == (True, True)
    assert not breaker.lets_through()


def test_a_breaker_lets_one_try_a_second_and_all_after_one_that_worked(clock: Time) -> None:
    breaker = Breaker(clock)
    for _ in range(TOLERATED):
        breaker.failed()
    for _ in range(3):
        clock.passes(1.0)
        assert [breaker.lets_through() for _ in range(4)] == [True, False, False, False]
        assert not breaker.failed()
    clock.passes(1.0)
    assert breaker.lets_through()
    assert breaker.succeeded()
    assert [breaker.lets_through() for _ in range(4)] == [True] * 4
    assert not breaker.succeeded()


def test_whoever_asks_shares_what_the_others_waited_for(nowhere: SharedRedis, clock: Time) -> None:
    limits, cache = Question(), Question()
    limits.failure = TookTooLong()
    assert [nowhere.ask(limits, otherwise) for _ in range(5)] == ["alone"] * 5
    assert [nowhere.ask(cache, otherwise) for _ in range(5)] == ["alone"] * 5
    assert (limits.asked, cache.asked) == (TOLERATED, 0)
    clock.passes(1.0)
    assert [nowhere.ask(cache, otherwise) for _ in range(3)] == ["yes"] * 3


def test_that_it_is_gone_and_is_back_is_said_once(
    nowhere: SharedRedis, clock: Time, caplog: pytest.LogCaptureFixture
) -> None:
    question = Question()
    with caplog.at_level(logging.INFO):
        for failure in (TookTooLong("at redis.example"), None):
            question.failure = failure
            for _ in range(9):
                nowhere.ask(question, otherwise)
                clock.passes(0.5)
    assert [record.getMessage() for record in caplog.records] == [
        "Redis does not answer (TimeoutError): this process counts and remembers by itself",
        "Redis answers again: it counts and remembers for all processes",
    ]


def test_a_refusal_is_an_answer_and_no_reason_to_leave_it_alone(
    nowhere: SharedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    question = Question()
    question.failure = ResponseError("OOM")
    assert [nowhere.ask(question, otherwise) for _ in range(9)] == ["alone"] * 9
    assert question.asked == 9
    assert caplog.text.count("Redis refuses (ResponseError)") == 1


def test_a_bug_is_no_failure_of_redis(nowhere: SharedRedis) -> None:
    def bug() -> NoReturn:
        raise KeyError

    with pytest.raises(KeyError):
        nowhere.ask(bug, otherwise)
