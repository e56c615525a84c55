"""Runs of jobs: claimed, kept, lost, tried again, and given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import AT, a_job_run
from tracker.domain.job import HOLD, MOST_TRIES, JobRun, JobState, window_at

MOMENT, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("at", "every", "window"),
    [
        ("2026-11-20T09:30:00.125", timedelta(minutes=1), "2026-11-20T09:30:00"),
        ("2026-11-20T09:30:59.999", timedelta(minutes=1), "2026-11-20T09:30:00"),
        ("2026-11-20T09:31:00", timedelta(minutes=1), "2026-11-20T09:31:00"),  # it begins with its start
        ("2026-11-20T09:30:09", timedelta(seconds=5), "2026-11-20T09:30:05"),
        ("2026-11-20T23:59:59", timedelta(hours=1), "2026-11-20T23:00:00"),
        ("2028-02-29T12:00:00", timedelta(days=1), "2028-02-29T00:00:00"),
        ("1970-01-01T00:00:00", timedelta(days=7), "1970-01-01T00:00:00"),
        ("1970-01-08T00:00:00", timedelta(days=7), "1970-01-08T00:00:00"),
        ("1969-12-31T23:59:59", timedelta(days=7), "1969-12-25T00:00:00"),  # a clock that was never set
    ],
)
def test_windows_adjoin_and_are_counted_from_1970(at: str, every: timedelta, window: str) -> None:
    instant, start = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (at, window))

    assert window_at(instant, every) == start


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])  # on which clocks are changed in Berlin
def test_an_hour_is_an_hour_whatever_clocks_do(day: str) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    instants = [midnight + timedelta(minutes=10 * n) for n in range(24 * 6)]

    assert sorted({window_at(at, timedelta(hours=1)) for at in instants}) == instants[::6]


def test_a_run_begins_as_somebodys_for_as_long_as_they_show_signs_of_life() -> None:
    run = JobRun.begun("tidy", AT, at=AT)

    assert (run.state, run.tries, run.version, run.position, run.done, run.failed) == (JobState.RUNNING, 1, 1, "", 0, 0)
    assert not run.can_be_had(AT + HOLD - MOMENT)
    assert run.can_be_had(AT + HOLD)


def test_a_run_is_named_by_its_job_and_window() -> None:
    runs = [a_job_run(), a_job_run(job="sweep"), a_job_run(window=AT + MOMENT)]

    assert len({run.id for run in runs}) == 3
    assert a_job_run().id == a_job_run(tries=3, version=7, started_at=AT + SECOND).id


def test_a_run_whose_holder_is_gone_is_taken_over_and_goes_on_where_it_was() -> None:
    lost = a_job_run(position="p-7", done=3, failed=1)
    taken = lost.taken_over(at=AT + HOLD)

    assert taken == replace(lost, tries=2, held_until=AT + 2 * HOLD, version=2)
    assert not taken.can_be_had(AT + 2 * HOLD - MOMENT)


def test_a_run_is_parked_after_five_tries_in_a_row_that_came_to_nothing() -> None:
    run = a_job_run()
    for tries in range(2, MOST_TRIES + 1):
        run = run.taken_over(at=run.held_until)
        assert (run.state, run.tries) == (JobState.RUNNING, tries)
    parked = run.taken_over(at=run.held_until)

    assert (parked.state, parked.tries, parked.finished_at) == (JobState.PARKED, MOST_TRIES, run.held_until)
    assert parked.is_over
    assert not parked.can_be_had(AT + timedelta(days=1))


def test_a_step_is_a_sign_of_life_and_makes_good_the_tries_before_it() -> None:
    run = a_job_run(tries=MOST_TRIES, done=2)
    advanced = run.advanced("p-7", done=5, at=AT + SECOND)

    assert advanced == replace(run, position="p-7", done=7, tries=1, held_until=AT + SECOND + HOLD, version=2)
    assert advanced.taken_over(at=advanced.held_until).state is JobState.RUNNING


def test_a_step_that_failed_is_a_sign_of_life_and_makes_good_nothing() -> None:
    run = a_job_run(tries=3, failed=1)
    passed = run.passed_over("p-7", "ValueError", at=AT + SECOND)

    held = AT + SECOND + HOLD
    assert passed == replace(run, position="p-7", failed=2, problem="ValueError", held_until=held, version=2)


def test_a_run_that_ran_out_of_time_can_be_had_at_once_and_has_not_failed() -> None:
    run = a_job_run(tries=MOST_TRIES, position="p-7")
    interrupted = run.interrupted(at=AT + SECOND)

    assert interrupted.state is JobState.WAITING
    assert not interrupted.is_over
    assert interrupted.can_be_had(AT + SECOND)
    taken = interrupted.taken_over(at=AT + SECOND)
    assert (taken.state, taken.tries, taken.position) == (JobState.RUNNING, 1, "p-7")


def test_a_run_that_fails_waits_twice_as_long_each_time_and_is_given_up_at_last() -> None:
    run, at, pauses = a_job_run(), AT, []
    for _ in range(MOST_TRIES - 1):
        waiting = run.broken_off("OSError", at=at)
        assert (waiting.state, waiting.problem, waiting.finished_at) == (JobState.WAITING, "OSError", None)
        assert not waiting.can_be_had(waiting.held_until - MOMENT)
        assert waiting.can_be_had(waiting.held_until)
        pauses.append((waiting.held_until - at) / SECOND)
        at = waiting.held_until
        run = waiting.taken_over(at=at)
    parked = run.broken_off("OSError", at=at)

    assert pauses == [1, 2, 4, 8]
    assert (parked.state, parked.problem, parked.finished_at, parked.is_over) == (JobState.PARKED, "OSError", at, True)
    assert not parked.can_be_had(at + timedelta(days=1))


def test_a_run_that_is_finished_is_nobodys_any_more() -> None:
    run = a_job_run(done=3)
    finished = run.finished(at=AT + SECOND)

    later = AT + SECOND
    assert finished == replace(run, state=JobState.FINISHED, finished_at=later, held_until=later, version=2)
    assert finished.is_over
    assert not finished.can_be_had(AT + timedelta(days=1))
