"""Deadlines are noticed once: when they are near, and when they have passed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from tracker.domain.changes import Change
from tracker.domain.task import Due, Status

if TYPE_CHECKING:
    from tests.jobs.shift import Shift
    from tests.world import World
    from tracker.domain.project import Project

SECOND = timedelta(seconds=1)
IN_AUCKLAND = Due(date(2027, 6, 1), time(9), "Pacific/Auckland")  # 2027-05-31T21:00Z
IN_LOS_ANGELES = Due(date(2027, 6, 1), None, "America/Los_Angeles")  # that day ends at 2027-06-02T07:00Z
IN_THE_GAP = Due(date(2027, 3, 28), time(2, 30), "Europe/Berlin")  # there is no such minute: 01:30Z, as RFC 5545 has it
IN_THE_REPEATED_HOUR = Due(date(2027, 10, 31), time(2, 30), "Europe/Berlin")  # the first of the two: 00:30Z
ON_A_LEAP_DAY = Due(date(2028, 2, 29), None, None)


@pytest.mark.parametrize(
    ("due", "last"),
    [
        (IN_AUCKLAND, datetime(2027, 5, 31, 21, tzinfo=UTC)),
        (IN_LOS_ANGELES, datetime(2027, 6, 2, 7, tzinfo=UTC)),
        (IN_THE_GAP, datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),
        (IN_THE_REPEATED_HOUR, datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
        (ON_A_LEAP_DAY, datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_deadline_is_noticed_a_day_before_and_after_it_and_each_once(
    shift: Shift, kitchen: Project, due: Due, last: datetime
) -> None:
    shift.go_to(last - timedelta(days=2))
    shift.task(kitchen, due=due)
    seen = []
    for at in (
        last - timedelta(days=1) - SECOND,
        last - timedelta(days=1) + SECOND,
        last - timedelta(hours=1),
        last - SECOND,
        last + SECOND,
        last + timedelta(days=1),
    ):
        shift.go_to(at)
        seen.append(shift.run("remind").done)

    assert seen == [0, 1, 0, 0, 1, 0]
    kinds = [entry.after.kind for entry in shift.store.log(kitchen.id) if entry.entity == "reminder"]  # type: ignore[union-attr]  # a reminder has one
    assert kinds == ["due_soon", "overdue"]


def test_how_soon_is_soon_is_up_to_the_installation(shift: Shift, kitchen: Project) -> None:
    shift.task(kitchen, due=Due((shift.clock() + timedelta(days=3)).date()))

    assert shift.run("remind").done == 0
    assert shift.run("remind", due_soon=timedelta(days=5)).done == 1


def test_a_deadline_that_moves_is_noticed_anew(shift: Shift, kitchen: Project) -> None:
    today, tomorrow = (Due((shift.clock() + timedelta(days=days)).date()) for days in (0, 1))
    task = shift.task(kitchen, due=today)
    assert shift.run("remind").done == 1
    task = shift.change(task, due=tomorrow)
    shift.run("remind", due_soon=timedelta(days=3))
    shift.change(task, due=today)
    again = shift.run("remind").done

    assert len(shift.logged(kitchen, "reminder")) == 2
    assert again == 0


@pytest.mark.parametrize("status", [Status.DONE, Status.CANCELLED])
def test_what_is_closed_has_no_deadline(shift: Shift, kitchen: Project, status: Status) -> None:
    shift.task(kitchen, due=Due(shift.clock().date()), status=status)

    assert shift.run("remind").done == 0


def test_what_is_archived_has_no_deadline(shift: Shift, kitchen: Project, world: World) -> None:
    shift.task(kitchen, due=Due(shift.clock().date()), archived_at=shift.clock())
    shift.task(kitchen, due=Due(shift.clock().date()))
    project = shift.store.project(kitchen.id)
    assert project is not None
    world.commit(Change(project, project.changed(at=shift.clock(), archived=True)))

    assert shift.run("remind").done == 0


def test_what_was_due_long_ago_is_no_news(shift: Shift, kitchen: Project) -> None:
    for days in (29, 32):
        shift.task(kitchen, due=Due((shift.clock() - timedelta(days=days)).date()))

    assert shift.run("remind").done == 1


def test_days_in_which_nobody_looked_are_caught_up(shift: Shift, kitchen: Project) -> None:
    shift.task(kitchen, due=Due(shift.clock().date()))
    shift.clock.advance(days=9)

    assert shift.run("remind").done == 1


def test_a_task_is_as_it_was_though_its_deadline_was_noticed(shift: Shift, kitchen: Project) -> None:
    task = shift.task(kitchen, due=Due(shift.clock().date()))
    shift.run("remind")

    assert shift.now(task) == task
