"""The instant after which a task is overdue: days, minutes, zones, and the hours that clocks leave out or repeat."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from tracker.domain.refusals import UnknownTimezone
from tracker.domain.task import Due


def overdue_after(day: str, at: str | None, zone: str | None) -> str:
    due = Due(date.fromisoformat(day), time.fromisoformat(at) if at else None, zone)
    return due.overdue_after().isoformat().removesuffix("+00:00")


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        ("2026-12-01", None, "2026-12-02T00:00:00"),
        ("2026-12-01", "UTC", "2026-12-02T00:00:00"),
        ("2026-12-01", "Europe/Berlin", "2026-12-01T23:00:00"),
        ("2026-07-01", "Europe/Berlin", "2026-07-01T22:00:00"),
        ("2026-12-01", "America/Los_Angeles", "2026-12-02T08:00:00"),
        ("2026-12-01", "Pacific/Kiritimati", "2026-12-01T10:00:00"),  # fourteen hours ahead
        ("2026-12-01", "Asia/Kathmandu", "2026-12-01T18:15:00"),
        ("2026-12-31", None, "2027-01-01T00:00:00"),
        ("2028-02-28", None, "2028-02-29T00:00:00"),
        ("2028-02-29", None, "2028-03-01T00:00:00"),
        ("2100-02-28", None, "2100-03-01T00:00:00"),  # not a leap year
        ("1900-01-01", None, "1900-01-02T00:00:00"),
        ("1900-01-01", "Europe/Berlin", "1900-01-01T23:00:00"),
        ("2999-12-31", None, "3000-01-01T00:00:00"),
        ("2999-12-31", "America/New_York", "3000-01-01T05:00:00"),
    ],
)
def test_a_day_means_that_day_to_its_end_where_it_is(day: str, zone: str | None, end: str) -> None:
    assert overdue_after(day, None, zone) == end


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        ("2026-03-29", "Europe/Berlin", "2026-03-29T22:00:00"),  # a day of 23 hours
        ("2026-10-25", "Europe/Berlin", "2026-10-25T23:00:00"),  # a day of 25
        ("2018-11-03", "America/Sao_Paulo", "2018-11-04T03:00:00"),  # the next day began at one
        ("2026-10-31", "America/Havana", "2026-11-01T04:00:00"),  # the next day has its first hour twice
        ("2011-12-29", "Pacific/Apia", "2011-12-30T10:00:00"),  # there was no next day
    ],
)
def test_a_day_ends_when_the_next_begins_whatever_the_clocks_do_that_night(day: str, zone: str, end: str) -> None:
    assert overdue_after(day, None, zone) == end


@pytest.mark.parametrize(
    ("at", "zone", "instant"),
    [
        ("17:00", None, "2026-12-01T17:00:00"),
        ("17:00", "Europe/Berlin", "2026-12-01T16:00:00"),
        ("00:00", None, "2026-12-01T00:00:00"),  # the first minute, and not the whole day
        ("23:59", "America/New_York", "2026-12-02T04:59:00"),
    ],
)
def test_a_minute_means_that_minute_where_it_is(at: str, zone: str | None, instant: str) -> None:
    assert overdue_after("2026-12-01", at, zone) == instant


def test_a_minute_the_clocks_leave_out_counts_from_before_they_jump() -> None:
    assert overdue_after("2026-03-29", "02:30", "Europe/Berlin") == "2026-03-29T01:30:00"


def test_of_a_minute_the_clocks_repeat_it_is_the_first() -> None:
    assert overdue_after("2026-10-25", "02:30", "Europe/Berlin") == "2026-10-25T00:30:00"


def test_the_instant_is_in_utc() -> None:
    assert Due(date(2026, 12, 1), timezone="Asia/Tokyo").overdue_after().tzinfo is UTC


def test_days_one_after_the_other_end_one_after_the_other() -> None:
    first = date(2026, 1, 1)
    ends = [Due(first + timedelta(days=n), timezone="Europe/Berlin").overdue_after() for n in range(366)]
    hours = [(later - earlier) / timedelta(hours=1) for earlier, later in pairwise(ends)]

    assert (sorted(set(hours)), ends[0]) == ([23, 24, 25], datetime(2026, 1, 1, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    "zone", ["Europe/Atlantis", "Europe", "../../etc/passwd", "/etc/passwd", "UTC\0", "x" * 300, "Mars/Olympus Mons"]
)
def test_a_zone_the_database_does_not_have_is_refused_without_naming_it(zone: str) -> None:
    with pytest.raises(UnknownTimezone) as refused:
        Due(date(2026, 12, 1), timezone=zone).overdue_after()
    assert zone not in refused.value.detail
