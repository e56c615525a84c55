"""Putting tasks away: by hand, and by themselves once they are done and left alone for long enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import AT, a_task
from tracker.domain.task import Priority, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.domain.task import Task

DAY, MOMENT = timedelta(days=1), timedelta(milliseconds=1)
LATER = AT + timedelta(hours=1)


def done(**members: Any) -> Task:
    return a_task(**{"status": Status.DONE, "completed_at": AT, **members})


def test_a_task_that_is_archived_is_one_version_on_and_says_since_when() -> None:
    task = a_task()

    assert task.archived(at=LATER) == replace(task, archived_at=LATER, updated_at=LATER, version=2)


def test_a_task_that_is_taken_out_again_is_as_it_was_but_for_its_version() -> None:
    task = a_task()
    back = task.archived(at=AT).unarchived(at=LATER)

    assert back == replace(task, updated_at=LATER, version=3)


def test_archiving_what_is_archived_and_taking_out_what_is_not_changes_nothing() -> None:
    task, archived = a_task(), a_task(archived_at=AT)

    assert archived.archived(at=LATER) is archived
    assert task.unarchived(at=LATER) is task


@pytest.mark.parametrize("status", Status)
def test_archiving_is_not_a_status(status: Status) -> None:
    archived = a_task(status=status).archived(at=LATER)

    assert (archived.status, archived.completed_at) == (status, None)
    assert archived.unarchived(at=LATER).status is status


@pytest.mark.parametrize("days", [0, 1, 30, 3650])
def test_a_task_is_settled_after_so_many_days_to_the_millisecond(days: int) -> None:
    task = done(updated_at=AT)

    assert not task.settled(days, at=AT + days * DAY - MOMENT)
    assert task.settled(days, at=AT + days * DAY)
    assert task.settled(days, at=AT + days * DAY + MOMENT)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.DONE])
def test_what_is_not_done_is_never_settled(status: Status) -> None:
    assert not a_task(status=status, updated_at=AT).settled(1, at=AT + 1000 * DAY)


def test_what_is_archived_is_settled_no_more() -> None:
    assert not done(updated_at=AT, archived_at=AT).settled(1, at=AT + 1000 * DAY)


@pytest.mark.parametrize(
    ("left_alone", "days", "settled"),
    [
        ("2028-02-28T12:00", 1, "2028-02-29T12:00"),  # over a leap day
        ("2028-02-28T12:00", 2, "2028-03-01T12:00"),
        ("2027-02-28T12:00", 1, "2027-03-01T12:00"),
        ("2026-03-28T12:00", 2, "2026-03-30T12:00"),  # clocks go forward in Berlin: 48 hours all the same
        ("2026-10-24T12:00", 2, "2026-10-26T12:00"),  # and back
    ],
)
def test_days_are_of_24_hours_whatever_calendars_and_clocks_do(left_alone: str, days: int, settled: str) -> None:
    left, at = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (left_alone, settled))
    task = done(updated_at=left)

    assert not task.settled(days, at=at - MOMENT)
    assert task.settled(days, at=at)


@pytest.mark.parametrize(
    "touch",
    [
        lambda task: task.changed(at=LATER, title="Water the roses"),
        lambda task: task.changed(at=LATER, priority=Priority.HIGH),
        lambda task: task.changed(at=LATER, project_id="another"),
        lambda task: task.archived(at=AT).unarchived(at=LATER),
        lambda task: task.changed(at=AT, status=Status.TODO).changed(at=LATER, status=Status.DONE),
    ],
)
def test_whoever_touches_it_has_it_before_them_for_as_long_again(touch: Callable[[Task], Task]) -> None:
    touched = touch(done(updated_at=AT - 29 * DAY))

    assert not touched.settled(30, at=AT + DAY)
    assert not touched.settled(30, at=LATER + 30 * DAY - MOMENT)
    assert touched.settled(30, at=LATER + 30 * DAY)


def test_a_change_that_changes_nothing_does_not_keep_it() -> None:
    task = done(updated_at=AT)

    assert task.changed(at=LATER, title=task.title).settled(30, at=AT + 30 * DAY)
