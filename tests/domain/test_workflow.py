"""How a task moves: the table as it is meant to be, written down a second time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest

from tests.builders import AT, a_task
from tracker.domain.refusals import IllegalTransition, UnknownTimezone
from tracker.domain.task import TRANSITIONS, Due, Priority, Status, Task

LATER = AT + timedelta(hours=1)
MOVES = {
    "todo": {"in_progress", "blocked", "done", "cancelled"},
    "in_progress": {"todo", "blocked", "done", "cancelled"},
    "blocked": {"todo", "in_progress", "cancelled"},
    "done": {"todo", "in_progress"},
    "cancelled": {"todo"},
}


def test_every_status_has_its_moves_in_the_table() -> None:
    assert {str(here): set(map(str, there)) for here, there in TRANSITIONS.items()} == MOVES


@pytest.mark.parametrize(("here", "there"), [pair for pair in product(Status, Status) if pair[0] != pair[1]])
def test_a_task_moves_only_along_its_workflow(here: Status, there: Status) -> None:
    task = a_task(status=here)
    if there in MOVES[here]:
        assert task.changed(at=LATER, status=there).status is there
    else:
        with pytest.raises(IllegalTransition) as refused:
            task.changed(at=LATER, status=there)
        assert refused.value.allowed == task.allowed_statuses
        assert all(status in refused.value.detail for status in MOVES[here])


@pytest.mark.parametrize("status", Status)
def test_staying_where_it_is_is_no_move(status: Status) -> None:
    task = a_task(status=status)
    assert task.changed(at=LATER, status=status) is task


def test_a_task_remembers_when_it_was_done_until_it_is_taken_up_again() -> None:
    done = a_task().changed(at=LATER, status=Status.DONE)
    renamed = done.changed(at=LATER + timedelta(hours=1), title="Water the roses")

    assert done.completed_at == renamed.completed_at == LATER
    assert renamed.changed(at=LATER, status=Status.TODO).completed_at is None


def test_a_cancelled_task_was_not_done() -> None:
    assert a_task().changed(at=LATER, status=Status.CANCELLED).completed_at is None


@pytest.mark.parametrize("status", Status)
def test_a_task_can_be_born_in_any_status_a_new_one_may_move_to(status: Status) -> None:
    born = Task.new(project_id="project", by="ann", at=AT, title="Water the plants", status=status)

    assert (born.status, born.version, born.number) == (status, 1, 0)
    assert born.completed_at == (AT if status is Status.DONE else None)


def test_a_change_is_one_version_and_says_when() -> None:
    task = a_task()
    changed = task.changed(at=LATER, title="Water the roses", priority=Priority.HIGH, labels=("garden",))

    assert changed == replace(
        task, title="Water the roses", priority=Priority.HIGH, labels=("garden",), updated_at=LATER, version=2
    )


def test_a_change_to_what_is_already_so_changes_nothing() -> None:
    task = a_task()
    assert task.changed(at=LATER) is task
    assert task.changed(at=LATER, title=task.title, labels=task.labels) is task


def test_a_refused_change_leaves_the_task_as_it_was() -> None:
    task = a_task(status=Status.BLOCKED)
    before = replace(task)
    with pytest.raises(IllegalTransition):
        task.changed(at=LATER, title="Done at last", status=Status.DONE)
    assert task == before


def test_a_zone_that_is_gone_hinders_only_who_sets_it() -> None:
    task = a_task(due=Due(date(2026, 12, 1), timezone="Europe/Atlantis"))

    assert task.changed(at=LATER, title="Dive").title == "Dive"
    with pytest.raises(UnknownTimezone):
        task.overdue_after()
    with pytest.raises(UnknownTimezone):
        a_task().changed(at=LATER, due=task.due)


def test_a_task_without_a_deadline_is_never_overdue() -> None:
    assert a_task().overdue_after() is None
