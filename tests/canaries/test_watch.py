"""The watch for secrets finds one wherever it is planted: what it says of the suite is worth something."""

from __future__ import annotations

import logging

import pytest

from tests.canaries.watch import WATCH, Leak, Lines, Watch, look_at_exchange
from tests.racing import at_once

SECRET = 'planted-"s3cret"-ü'


@pytest.fixture
def watch() -> Watch:
    watch = Watch()
    watch.keep(SECRET)
    return watch


@pytest.mark.parametrize(
    "how",
    [
        lambda log: log.warning("it is %s", SECRET),
        lambda log: log.warning("well", extra={"given": SECRET}),
        lambda log: log.warning("well", extra={"given": {"deep": [SECRET]}}),
    ],
)
def test_a_line_that_has_one_is_found(watch: Watch, how: object) -> None:
    log, lines = logging.getLogger("planted"), Lines(watch)
    log.propagate = False
    log.addHandler(lines)
    assert callable(how)
    how(log)
    log.removeHandler(lines)
    with pytest.raises(Leak, match="in a log line"):
        watch.settle()
    watch.settle()  # once told, it is told


def test_the_text_of_an_exception_is_in_no_line(watch: Watch) -> None:
    record = logging.makeLogRecord({"name": "tracker", "msg": "well", "levelno": logging.INFO})
    problem = ValueError(SECRET)
    record.exc_info = (ValueError, problem, None)
    Lines(watch).handle(record)
    watch.settle()


def test_what_is_logged_while_a_test_runs_is_looked_at() -> None:
    assert [handler for handler in logging.getLogger().handlers if isinstance(handler, Lines)]


def test_secrets_are_kept_from_what_is_sent_and_answered_and_looked_for_in_problems() -> None:
    look_at_exchange({"password": "a-password-of-its-own"}, 200, b'{"user": {"access_token": "a-token-of-its-own"}}')
    look_at_exchange(b'{"new_password": "another-of-its-own"}', 400, b'{"detail": "a-token-of-its-own"}')
    assert [leak for leak in WATCH.leaks if "'a-token-of-its-own' in a problem (400)" in leak]
    WATCH.leaks.clear()
    assert WATCH.found_in("another-of-its-own a-password-of-its-own") == ["a-password-of-its-own", "another-of-its-own"]


def test_the_passwords_of_a_process_s_settings_are_kept(watch: Watch) -> None:
    watch.keep_settings({"SECRET_KEY": "x" * 32, "REDIS_URL": "redis://:a-very-long-password@localhost:1/0"})
    assert watch.found_in(f"{'x' * 32} a-very-long-password") == ["x" * 32, "a-very-long-password"]


def test_a_word_that_is_too_short_to_be_told_from_others_is_not_kept(watch: Watch) -> None:
    watch.keep("tracker", None, "")
    assert watch.found_in("tracker") == []


def test_secrets_are_kept_while_others_are_looked_for(watch: Watch) -> None:
    for number in range(5000):
        watch.keep(f"a secret of {number}")

    def keep_and_look(thread: int) -> None:
        for number in range(50):
            watch.keep(f"a secret of thread {thread}, the {number}th")
            assert watch.found_in(f"a secret of thread {thread}, the {number}th, as it is")

    at_once(8, keep_and_look)
