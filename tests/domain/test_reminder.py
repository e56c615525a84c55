"""What there is to notice of a deadline, and when: soon, over, or no news any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.builders import AT, a_task
from tracker.domain.reminder import LOOKED_BACK, Reminder, ReminderKind, reminder_of
from tracker.domain.task import Due, Status

SOON, MOMENT = timedelta(hours=24), timedelta(milliseconds=1)
DUE = Due(date(2026, 12, 1), time(17))
DUE_AT = datetime(2026, 12, 1, 17, tzinfo=UTC)
OVERDUE, DUE_SOON = ReminderKind.OVERDUE, ReminderKind.DUE_SOON


def noticed(due: Due, at: datetime) -> ReminderKind | None:
    """Return what is noticed of an open task at an instant."""
    found = reminder_of(a_task(due=due), at=at, soon=SOON)
    return found.kind if found else None


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_reminder_says_of_which_task_it_is_and_when_that_is_due() -> None:
    task = a_task(due=DUE)
    at = DUE_AT - timedelta(hours=1)

    assert reminder_of(task, at=at, soon=SOON) == Reminder(task.project_id, task.id, DUE_SOON, DUE_AT, at)


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        (DUE_AT - SOON - MOMENT, None),
        (DUE_AT - SOON, DUE_SOON),
        (DUE_AT - MOMENT, DUE_SOON),
        (DUE_AT, DUE_SOON),  # the last instant at which it is not overdue
        (DUE_AT + MOMENT, OVERDUE),
        (DUE_AT + LOOKED_BACK, OVERDUE),
        (DUE_AT + LOOKED_BACK + MOMENT, None),
    ],
)
def test_it_is_noticed_soon_before_and_for_some_time_after_to_the_millisecond(
    at: datetime, kind: ReminderKind | None
) -> None:
    assert noticed(DUE, at) is kind


def test_how_soon_is_soon_is_asked_each_time() -> None:
    task = a_task(due=DUE)

    assert reminder_of(task, at=DUE_AT, soon=timedelta(0)) is not None
    assert reminder_of(task, at=DUE_AT - MOMENT, soon=timedelta(0)) is None
    assert reminder_of(task, at=DUE_AT - timedelta(days=7), soon=timedelta(days=7)) is not None


@pytest.mark.parametrize("seconds", [-60, 0, 60])
def test_it_is_overdue_just_when_the_task_says_so(seconds: int) -> None:
    task, at = a_task(due=DUE), DUE_AT + timedelta(seconds=seconds)
    found = reminder_of(task, at=at, soon=SOON)

    assert found is not None
    assert (found.kind is OVERDUE) is task.overdue(at)


@pytest.mark.parametrize(
    ("day", "at", "zone", "last"),
    [
        ("2026-12-01", None, "Pacific/Auckland", "2026-12-01T11:00"),  # that day is over early
        ("2026-12-01", None, "America/Los_Angeles", "2026-12-02T08:00"),  # and late
        ("2026-12-01", None, None, "2026-12-02T00:00"),
        ("2026-12-01", "09:00", "Pacific/Auckland", "2026-11-30T20:00"),
        ("2026-12-01", "09:00", "America/Los_Angeles", "2026-12-01T17:00"),
        ("2026-03-08", "02:30", "America/Los_Angeles", "2026-03-08T10:30"),  # a minute the clocks leave out
        ("2026-09-27", "02:30", "Pacific/Auckland", "2026-09-26T14:30"),  # likewise
        ("2026-11-01", "01:30", "America/Los_Angeles", "2026-11-01T08:30"),  # of a minute they repeat, the first
        ("2026-04-05", "02:30", "Pacific/Auckland", "2026-04-04T13:30"),  # likewise
        ("2026-03-08", None, "America/Los_Angeles", "2026-03-09T07:00"),  # a day of 23 hours
        ("2026-11-01", None, "America/Los_Angeles", "2026-11-02T08:00"),  # and of 25
        ("2028-02-29", None, "Pacific/Auckland", "2028-02-29T11:00"),
        ("2028-02-29", "23:59", "America/Los_Angeles", "2028-03-01T07:59"),
    ],
)
def test_it_is_due_where_it_is_due(day: str, at: str | None, zone: str | None, last: str) -> None:
    due = Due(date.fromisoformat(day), time.fromisoformat(at) if at else None, zone)

    assert noticed(due, instant(last) - SOON - MOMENT) is None
    assert noticed(due, instant(last) - SOON) is DUE_SOON
    assert noticed(due, instant(last)) is DUE_SOON
    assert noticed(due, instant(last) + MOMENT) is OVERDUE


@pytest.mark.parametrize(
    ("status", "is_noticed"),
    [
        (Status.TODO, True),
        (Status.IN_PROGRESS, True),
        (Status.BLOCKED, True),
        (Status.DONE, False),
        (Status.CANCELLED, False),
    ],
)
def test_of_what_is_closed_there_is_nothing_to_notice(status: Status, *, is_noticed: bool) -> None:
    assert (reminder_of(a_task(due=DUE, status=status), at=DUE_AT, soon=SOON) is not None) is is_noticed


def test_nor_of_what_is_archived_or_due_at_no_time() -> None:
    assert reminder_of(a_task(due=DUE, archived_at=AT), at=DUE_AT, soon=SOON) is None
    assert reminder_of(a_task(), at=DUE_AT, soon=SOON) is None


def test_a_reminder_is_the_same_whenever_it_is_made_and_wherever_its_task_is_by_then() -> None:
    task = a_task(due=DUE)
    first = reminder_of(task, at=DUE_AT + MOMENT, soon=SOON)
    again = reminder_of(replace(task, title="Moved", project_id="another"), at=DUE_AT + SOON, soon=SOON)

    assert first is not None
    assert again is not None
    assert first.id == again.id


def test_another_kind_another_deadline_or_another_task_is_another_reminder() -> None:
    task = a_task(due=DUE)
    moved = replace(task, due=replace(DUE, time=time(17, 1)))
    found = [
        reminder_of(one, at=at, soon=SOON)
        for one, at in ((task, DUE_AT), (task, DUE_AT + MOMENT), (moved, DUE_AT), (a_task(due=DUE), DUE_AT))
    ]

    assert len({reminder.id for reminder in found if reminder}) == 4


def test_a_deadline_that_is_written_in_another_way_is_the_same() -> None:
    task = a_task(due=DUE)
    in_berlin = replace(task, due=Due(date(2026, 12, 1), time(18), "Europe/Berlin"))
    first, second = (reminder_of(one, at=DUE_AT, soon=SOON) for one in (task, in_berlin))

    assert first == second
