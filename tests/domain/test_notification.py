"""Who is told what of that which happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.builders import AT, a_membership, a_notification, a_project, a_reminder, a_task, a_user
from tracker.domain.changes import LogEntry
from tracker.domain.identity import SYSTEM
from tracker.domain.notification import Notification, NotificationKind, news_of
from tracker.domain.reminder import ReminderKind
from tracker.domain.task import Due, Status

if TYPE_CHECKING:
    from tracker.domain.changes import Logged
    from tracker.domain.notification import News
    from tracker.domain.task import Task

DUE = Due(date(2026, 12, 1), time(17))
DUE_AT = datetime(2026, 12, 1, 17, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
TASK = a_task(created_by="ann", assignee_id="bob", due=DUE)
ELSEWHERE = "another project"


def an_entry(before: Logged | None, after: Logged | None, *, by: str, project_id: str = TASK.project_id) -> LogEntry:
    return LogEntry(project_id, 7, 1, "operation", by, AT, "task", TASK.id, before, after)


def said(before: Logged | None, after: Logged | None, *, by: str, project_id: str = TASK.project_id) -> News | None:
    """Return what an entry says where nothing has happened since."""
    return news_of(an_entry(before, after, by=by, project_id=project_id), {TASK.id: TASK}.get)


def told(news: News | None) -> tuple[str, ...]:
    """Return who is told of something."""
    return news.user_ids if news else ()


def of_reminder(kind: ReminderKind, now: Task | None, reminded: Task = TASK) -> News | None:
    """Return what a reminder says once its task has become another, or is gone."""
    reminder = a_reminder(reminded, kind=kind, due_at=DUE_AT)
    return news_of(an_entry(None, reminder, by=SYSTEM), {TASK.id: now}.get)


def test_whoever_is_given_a_task_is_told() -> None:
    news = said(replace(TASK, assignee_id=None), TASK, by="ann")

    assert news is not None
    assert (news.kind, news.task, news.user_ids) == (NotificationKind.ASSIGNED, TASK, ("bob",))


def test_a_task_that_is_born_with_somebody_to_do_it_tells_them() -> None:
    assert told(said(None, TASK, by="ann")) == ("bob",)


def test_of_two_who_had_and_have_it_to_do_the_new_one_is_told() -> None:
    assert told(said(replace(TASK, assignee_id="eve"), TASK, by="ann")) == ("bob",)


@pytest.mark.parametrize("before", [None, replace(TASK, assignee_id=None), replace(TASK, assignee_id="ann")])
def test_nobody_is_told_of_what_they_took_themselves(before: Task | None) -> None:
    assert said(before, TASK, by="bob") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TASK, replace(TASK, title="Water the roses")),
        (TASK, replace(TASK, assignee_id=None)),
        (TASK, replace(TASK, status=Status.DONE)),
        (TASK, replace(TASK, due=None)),
        (replace(TASK, assignee_id=None), replace(TASK, assignee_id=None, title="Water the roses")),
        (None, replace(TASK, assignee_id=None)),
        (TASK, None),
    ],
)
def test_other_changes_of_a_task_are_no_news(before: Task | None, after: Task | None) -> None:
    assert said(before, after, by="ann") is None
    assert said(before, after, by=SYSTEM) is None


def test_projects_and_memberships_are_no_news() -> None:
    project = a_project(id=TASK.project_id)

    assert said(None, project, by="ann") is None
    assert said(project, replace(project, archived_at=AT), by=SYSTEM) is None
    assert said(None, a_membership(project, a_user(id="bob")), by="ann") is None


def test_what_was_archived_by_itself_is_told_to_whoever_had_it_to_do_and_whoever_made_it() -> None:
    news = said(TASK, TASK.archived(at=LATER), by=SYSTEM)

    assert news is not None
    assert (news.kind, news.user_ids) == (NotificationKind.ARCHIVED, ("bob", "ann"))


@pytest.mark.parametrize("by", ["ann", "bob", "eve"])
def test_what_somebody_archived_is_no_news(by: str) -> None:
    assert said(TASK, TASK.archived(at=LATER), by=by) is None


def test_what_is_archived_stays_so_without_a_word_and_comes_back_so() -> None:
    archived = TASK.archived(at=AT)

    assert said(archived, replace(archived, title="Water the roses"), by=SYSTEM) is None
    assert said(archived, archived.unarchived(at=LATER), by=SYSTEM) is None


@pytest.mark.parametrize("kind", ReminderKind)
def test_a_deadline_is_told_to_whoever_has_it_to_do_and_whoever_made_it(kind: ReminderKind) -> None:
    news = of_reminder(kind, TASK)

    assert news is not None
    assert (news.kind, news.task, news.user_ids) == (NotificationKind(kind.value), TASK, ("bob", "ann"))


def test_a_deadline_is_told_to_whoever_has_it_to_do_by_now() -> None:
    assert told(of_reminder(ReminderKind.OVERDUE, replace(TASK, assignee_id="eve"))) == ("eve", "ann")
    assert told(of_reminder(ReminderKind.OVERDUE, replace(TASK, assignee_id=None))) == ("ann",)


def test_whoever_has_a_task_to_do_and_made_it_is_told_once() -> None:
    own = replace(TASK, assignee_id="ann")

    assert told(of_reminder(ReminderKind.OVERDUE, own)) == ("ann",)
    assert told(said(own, own.archived(at=LATER), by=SYSTEM)) == ("ann",)


@pytest.mark.parametrize("kind", ReminderKind)
@pytest.mark.parametrize(
    "now",
    [
        pytest.param(None, id="deleted"),
        pytest.param(replace(TASK, status=Status.DONE), id="done"),
        pytest.param(replace(TASK, status=Status.CANCELLED), id="cancelled"),
        pytest.param(replace(TASK, archived_at=AT), id="archived"),
        pytest.param(replace(TASK, due=replace(DUE, time=time(17, 1))), id="due at another time"),
        pytest.param(replace(TASK, due=None), id="due at no time"),
        pytest.param(replace(TASK, project_id=ELSEWHERE), id="in another project"),
    ],
)
def test_a_deadline_that_is_none_any_more_is_no_news(kind: ReminderKind, now: Task | None) -> None:
    assert of_reminder(kind, now) is None


def test_a_deadline_that_was_written_in_another_way_since_is_still_one() -> None:
    in_berlin = replace(TASK, due=Due(date(2026, 12, 1), time(18), "Europe/Berlin"), title="Water the roses")
    news = of_reminder(ReminderKind.DUE_SOON, in_berlin)

    assert news is not None
    assert news.task.title == "Water the roses"


def test_a_task_that_moves_is_news_only_where_it_arrives() -> None:
    before = replace(TASK, project_id=ELSEWHERE, assignee_id=None)

    assert said(before, TASK, by="ann", project_id=ELSEWHERE) is None
    assert told(said(before, TASK, by="ann")) == ("bob",)
    assert said(replace(TASK, project_id=ELSEWHERE), TASK, by="ann") is None


def test_a_notification_says_what_the_task_was_called_and_where_it_stands_in_the_log() -> None:
    news = said(None, TASK, by="ann")
    assert news is not None
    first, second = news.told_to("bob", at=LATER), news.told_to("bob", at=LATER)

    assert first.id < second.id
    assert first == Notification(
        first.id, "bob", NotificationKind.ASSIGNED, TASK.project_id, 7, TASK.id, TASK.title, LATER
    )


def test_a_notification_is_read_once() -> None:
    notification = a_notification(a_user(), TASK)
    read = notification.read(at=AT)

    assert read == replace(notification, read_at=AT, version=2)
    assert read.read(at=LATER) is read
