"""The operations tagged Feeds: tasks for other programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from tracker.api.calendars import calendar
from tracker.api.reply import Reply, Text, Unread
from tracker.api.representations import Filters, calendar_address_json, calendar_feed_json, task_filter
from tracker.api.spreadsheet import MOST_ROWS, check_fits, spreadsheet
from tracker.api.task_lists import asked_in, check_is_known, scopes_within, stands_until
from tracker.domain.calendar_feed import CalendarFeed, due_tasks_of
from tracker.domain.changes import Change
from tracker.domain.clock import rfc3339
from tracker.domain.identity import secret_id
from tracker.domain.query import Order, TaskQuery
from tracker.domain.refusals import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tracker.domain.access import Actor
    from tracker.domain.clock import Clock
    from tracker.domain.sight import Sight
    from tracker.domain.task_line import TaskLine
    from tracker.store.contract import Reader

_STRETCH = 500  # tasks that are looked through at once


def export_tasks(*, sort: str, sight: Sight, store: Reader, clock: Clock, **filters: Unpack[Filters]) -> Reply:
    """Return the tasks the actor can see as a table, all of them or none."""
    actor, at = sight.actor, clock()
    asked = asked_in(filters, actor)
    scopes = scopes_within(actor, filters["project_id"], store)
    query = TaskQuery(scopes, _STRETCH, filter=task_filter(asked, at), order=Order.named(sort))

    def read() -> tuple[Text, datetime | None]:
        lines = _whole(query, store)
        if not lines:
            check_is_known(query.filter.assignee_id, actor, scopes, store)
        return Text(spreadsheet(lines, rfc3339(at)), "text/csv", "tasks.csv"), stands_until(lines, query.filter)

    return Reply(Unread(sight.state, read))


def get_calendar(feed_token: str, store: Reader, clock: Clock) -> Reply:
    """Return the calendar of whoever a token was made for."""
    feed = store.calendar_feed(secret_id(feed_token))
    user = store.user(feed.user_id) if feed else None
    if user is None or not user.active:
        raise NotFound("calendar")
    return Reply(Text(calendar(store.tasks(due_tasks_of(user, at=clock())).items), "text/calendar"))


def get_calendar_feed(actor: Actor, store: Reader) -> Reply:
    """Say since when one's own calendar can be read by its address."""
    return Reply(calendar_feed_json(_own(actor, store)))


def create_calendar_feed(actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Make the address of one's own calendar; the one before is worth nothing any more."""
    feed, token = CalendarFeed.issue(actor.id, at=clock())
    present = store.calendar_feed_of(actor.id)
    changes = [Change(present, None), Change(None, feed)] if present else [Change(None, feed)]
    return Reply(calendar_address_json(feed, token), status=201, changes=changes, secret=True)


def revoke_calendar_feed(actor: Actor, store: Reader) -> Reply:
    """Have nobody read one's own calendar any more."""
    return Reply(status=204, changes=[Change(_own(actor, store), None)])


def _own(actor: Actor, store: Reader) -> CalendarFeed:
    feed = store.calendar_feed_of(actor.id)
    if feed is None:
        raise NotFound("calendar feed")
    return feed


def _whole(query: TaskQuery, store: Reader) -> Sequence[TaskLine]:
    """Return all that a query finds, as it was at one instant; TooLong for more than one answer holds.

    What is more than a stretch is looked through before it is read as a whole: what does not fit is never in memory.
    """
    rows = size = 0
    page = store.task_lines(query)
    while True:
        rows, size = rows + len(page.items), size + sum(len(line.title + line.description) for line in page.items)
        check_fits(rows, size)
        if page.next is None:
            break
        page = store.task_lines(replace(query, cursor=page.next))
    if rows > len(page.items):
        page = store.task_lines(replace(query, limit=MOST_ROWS))
        check_fits(MOST_ROWS + (page.next is not None), 0)
    return page.items
