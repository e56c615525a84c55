"""Instants as text: what the tables say is what the standard library says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.clock import rfc3339, to_milliseconds


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_is_written_as_the_standard_library_writes_it(at: datetime) -> None:
    at = to_milliseconds(at)
    assert rfc3339(at) == at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert datetime.fromisoformat(rfc3339(at)) == at


@pytest.mark.parametrize("hours", [-12, -5, 1, 14])
def test_an_instant_of_another_zone_is_written_in_utc(hours: int) -> None:
    at = datetime(2026, 11, 26, 23, 5, 9, 7000, tzinfo=timezone(timedelta(hours=hours)))
    assert rfc3339(at) == at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_what_is_less_than_a_millisecond_is_not_said() -> None:
    assert rfc3339(datetime(999, 1, 2, 3, 4, 5, 6999, tzinfo=UTC)) == "0999-01-02T03:04:05.006Z"
