"""What is over is thrown away, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.builders import a_refresh_token
from tracker.domain.query import NotificationQuery
from tracker.domain.session import SESSION_LIFETIME, Session
from tracker.domain.task import Due

if TYPE_CHECKING:
    from tests.jobs.shift import Shift
    from tests.world import Person, World
    from tracker.domain.project import Project


def test_a_session_goes_a_day_after_it_is_over_and_its_refresh_tokens_with_it(
    shift: Shift, world: World, ann: Person
) -> None:
    token = a_refresh_token(ann.session)
    world.add(token)
    shift.clock.advance(seconds=SESSION_LIFETIME.total_seconds() + 86_400)
    later = Session.new(ann.user, at=shift.clock())
    world.add(later)
    shift.clock.advance(milliseconds=-1)
    shift.run("purge")
    assert shift.store.session(ann.session.id)
    shift.run("purge")

    assert shift.store.session(ann.session.id) is None
    assert shift.store.refresh_token(token.id) is None
    assert shift.store.session(later.id) == later


def test_the_key_of_a_request_goes_after_a_day(shift: Shift, world: World, ann: Person) -> None:
    first = world.of(ann).post("/tasks", {"title": "Water the plants"}, headers={"idempotency-key": "k-1"})
    assert shift.store.claimed(ann.id, "k-1")
    shift.clock.advance(days=1)
    shift.run("purge")

    assert first.status == 201
    assert shift.store.claimed(ann.id, "k-1") is None


def test_a_notification_goes_after_ninety_days(shift: Shift, ann: Person, kitchen: Project) -> None:
    shift.done_task(kitchen, created_by=ann.id)
    shift.run("archive", archive_done_after_days=0)
    shift.run("notify")
    shift.clock.advance(days=90)
    assert shift.store.notifications(NotificationQuery(ann.id))
    shift.run("purge")

    assert shift.store.notifications(NotificationQuery(ann.id)) == []


def test_a_deadline_is_not_noticed_again_because_its_reminder_is_gone(shift: Shift, kitchen: Project) -> None:
    shift.task(kitchen, due=Due(shift.clock().date()))
    noticed = 0
    for _ in range(80):
        noticed += shift.run("remind").done
        shift.run("purge")
        shift.clock.advance(days=1)

    assert noticed == 2  # that it is due soon, and that it is overdue


def test_runs_of_jobs_go_after_two_days(shift: Shift) -> None:
    first = shift.run("remind")
    shift.clock.advance(days=2)
    shift.run("purge")

    assert shift.store.job_run("remind", first.window) is None


def test_more_than_a_batch_goes_in_one_run(shift: Shift, world: World, ann: Person) -> None:
    world.add(*(Session.new(ann.user, at=shift.clock()) for _ in range(1200)))
    shift.clock.advance(days=32)
    run = shift.run("purge")

    assert run.done == 1201
    assert shift.store.sessions(ann.id, at=ann.session.created_at) == []
