"""A task is told in one way, whether a list tells it or an answer about it alone."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import orjson
import pytest

from tests.builders import AT, a_task
from tracker.api.representations import task_json, task_line_json
from tracker.domain.clock import rfc3339
from tracker.domain.task import Due, Priority, Status
from tracker.domain.task_line import line_of


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("days", [-1, 0, 1])
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"due": Due(AT.date())},
        {
            "due": Due(date(2026, 3, 29), time(2, 30), "Europe/Berlin"),
            "labels": ("a", "b"),
            "priority": Priority.URGENT,
        },
        {"completed_at": AT, "archived_at": AT, "updated_at": AT + timedelta(milliseconds=1), "version": 7},
    ],
)
def test_a_line_says_what_the_task_says(members: dict[str, Any], days: int, status: Status) -> None:
    task, at = a_task(status=status, **members), AT + timedelta(days=days)
    assert orjson.dumps(task_line_json(line_of(task), rfc3339(at))) == orjson.dumps(task_json(task, at))
