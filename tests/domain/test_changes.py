"""A write as a value."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import datetime

import pytest

from tests.builders import AT, a_task
from tracker.domain.changes import Change
from tracker.domain.clock import now, to_milliseconds

TASK = a_task()
CHANGED = replace(TASK, title="Water the roses", version=2)


@pytest.mark.parametrize(
    ("before", "after", "entity", "idle"),
    [(None, TASK, TASK, False), (TASK, CHANGED, CHANGED, False), (TASK, None, TASK, False), (TASK, TASK, TASK, True)],
)
def test_a_change_knows_what_changes_and_whether_anything_does(
    before: object, after: object, entity: object, *, idle: bool
) -> None:
    change = Change(before, after)  # type: ignore[arg-type]  # tasks, all of them
    assert (change.entity, change.idle) == (entity, idle)


def test_an_empty_patch_is_an_idle_change() -> None:
    assert Change(TASK, TASK.changed(at=AT)).idle


def test_a_change_of_nothing_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        _ = Change(None, None).entity


def test_what_was_is_never_overwritten() -> None:
    with pytest.raises(FrozenInstanceError):
        TASK.title = "Water the roses"  # type: ignore[misc]  # that it cannot be set is the point


def test_the_present_has_milliseconds_and_no_less() -> None:
    assert now().microsecond % 1000 == 0
    assert now().utcoffset() is not None
    at = datetime.fromisoformat("2026-11-21T12:00:00.999999+00:00")
    assert to_milliseconds(at).isoformat() == "2026-11-21T12:00:00.999000+00:00"
