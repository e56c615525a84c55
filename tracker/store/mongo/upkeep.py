"""Reads for what happens by itself, and what throws away what is over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tracker.domain.notification import Notification
from tracker.domain.outbox import Position
from tracker.domain.reminder import LOOKED_BACK, reminder_of
from tracker.domain.task import Status
from tracker.store.contract import Perishable
from tracker.store.mongo import people, tasks
from tracker.store.mongo.collections import In
from tracker.store.mongo.documents import entity_of
from tracker.store.mongo.errors import refusing
from tracker.store.mongo.filters import IS_OPEN, NOT_ARCHIVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from tracker.domain.query import NotificationQuery, Place, SettledQuery, UnremindedQuery
    from tracker.domain.task import Task
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.documents import Document

_AT_ONCE = 1000
_BY_PLACE = [("project_id", 1), ("_id", 1)]
_OVER: Mapping[Perishable, tuple[In, str]] = {
    Perishable.SESSIONS: (In.SESSIONS, "expires_at"),
    Perishable.PASSWORD_RESETS: (In.PASSWORD_RESETS, "expires_at"),
    Perishable.CLAIMS: (In.CLAIMS, "at"),
    Perishable.REMINDERS: (In.REMINDERS, "due_at"),
    Perishable.NOTIFICATIONS: (In.NOTIFICATIONS, "created_at"),
    Perishable.JOB_RUNS: (In.JOB_RUNS, "window"),
}


def notifications(access: Access, query: NotificationQuery) -> list[Notification]:
    """Return what a user was told, the newest first."""
    wanted: list[Document] = [{"user_id": {"$eq": query.user_id}}]
    if not query.every_project:
        wanted.append({"project_id": {"$in": list(people.memberships(access, query.user_id))}})
    if query.unread:
        wanted.append({"read_at": {"$eq": None}})
    if query.ids:
        wanted.append({"_id": {"$in": list(query.ids)}})
    bounds = {"$lt": query.before, "$lte": query.up_to}
    wanted += [{"_id": {way: bound}} for way, bound in bounds.items() if bound is not None]
    found = access.find(In.NOTIFICATIONS, {"$and": wanted}, sort=[("_id", -1)], limit=query.limit)
    return [entity_of(Notification, document) for document in found]


def settled(access: Access, query: SettledQuery) -> list[Task]:
    """Return tasks that are to be archived by themselves, by place."""
    own = access.find(In.PROJECTS, {"archive_done_after_days": {"$ne": None}}, fields=["archive_done_after_days"])
    by_days: dict[int, list[str]] = {}
    for project in own:
        by_days.setdefault(project["archive_done_after_days"], []).append(project["_id"])
    ways = [{"project_id": {"$in": ids}, **_long_ago(query.at, days)} for days, ids in by_days.items()]
    if query.default_days is not None:
        others = {"project_id": {"$nin": [project["_id"] for project in own]}}
        ways.append({**others, **_long_ago(query.at, query.default_days)})
    done: Document = {"status": {"$eq": Status.DONE.value}, **NOT_ARCHIVED}
    which = {"$and": [done, {"$or": ways}, *_comes_after(query.after)]}
    return tasks.in_order(access, which, sort=_BY_PLACE, limit=query.limit) if ways else []


def _long_ago(at: datetime, days: int) -> Document:
    return {"updated_at": {"$lte": at - timedelta(days=days)}}


def _comes_after(place: Place | None) -> tuple[Document, ...]:
    if place is None:
        return ()
    project_id, task_id = place
    here = {"project_id": {"$eq": project_id}, "_id": {"$gt": task_id}}
    return ({"$or": [{"project_id": {"$gt": project_id}}, here]},)


def unreminded(access: Access, query: UnremindedQuery) -> list[Task]:
    """Return tasks with something to notice, by place. Nearly all that is near its deadline was noticed before."""
    near: Document = {"overdue_after": {"$gte": query.at - LOOKED_BACK, "$lte": query.at + query.soon}}
    found: list[Task] = []
    place, goes_on = query.after, True
    while goes_on and len(found) < query.limit:
        which = {"$and": [near, IS_OPEN, NOT_ARCHIVED, *_comes_after(place)]}
        due = tasks.in_order(access, which, sort=_BY_PLACE, limit=_AT_ONCE)
        found += _not_noticed(access, due, query)
        goes_on = len(due) == _AT_ONCE
        place = (due[-1].project_id, due[-1].id) if due else None
    return found[: query.limit]


def _not_noticed(access: Access, due: Iterable[Task], query: UnremindedQuery) -> list[Task]:
    new = {reminder.id: task for task in due if (reminder := reminder_of(task, at=query.at, soon=query.soon))}
    noticed = _ids(access, In.REMINDERS, {"_id": {"$in": list(new)}})
    projects = {task.project_id for task in new.values()}
    put_away = _ids(access, In.PROJECTS, {"_id": {"$in": sorted(projects)}, "archived_at": {"$ne": None}})
    return [task for id_, task in new.items() if id_ not in noticed and task.project_id not in put_away]


def _ids(access: Access, where: In, which: Document) -> set[str]:
    return {found["_id"] for found in access.find(where, which, fields=["_id"])}


def behind(access: Access, consumer: str, after: str | None, limit: int) -> list[Position]:
    """Return how far a consumer has read each project that is there and whose log goes on, by project id."""
    found: list[Position] = []
    place, goes_on = after or "", True
    while goes_on and len(found) < limit:
        which = {"_id": {"$gt": place}, **people.THERE}
        projects = access.find(In.PROJECTS, which, fields=["head"], sort=[("_id", 1)], limit=_AT_ONCE)
        positions = _positions(access, consumer, [project["_id"] for project in projects])
        pairs = [(project, positions.get(project["_id"])) for project in projects]
        read = [(project, position or Position(consumer, project["_id"])) for project, position in pairs]
        found += [position for project, position in read if project["head"] > position.head]
        goes_on = len(projects) == _AT_ONCE
        place = projects[-1]["_id"] if projects else ""
    return found[:limit]


def _positions(access: Access, consumer: str, project_ids: list[str]) -> Mapping[str, Position]:
    which: dict[str, Any] = {"consumer": {"$eq": consumer}, "project_id": {"$in": project_ids}}
    found = access.find(In.POSITIONS, which) if project_ids else []
    return {position["project_id"]: entity_of(Position, position) for position in found}


def position(access: Access, consumer: str, project_id: str) -> Position:
    """Return how far a consumer has read a project."""
    return _positions(access, consumer, [project_id]).get(project_id, Position(consumer, project_id))


def purge(access: Access, what: Perishable, before: datetime, limit: int) -> int:
    """Delete what was over before an instant, the oldest first."""
    where, over = _OVER[what]
    old = access.find(where, {over: {"$lt": before}}, fields=["_id"], sort=[(over, 1)], limit=limit)
    ids = [found["_id"] for found in old]
    with refusing():
        if what is Perishable.SESSIONS:
            access.delete(In.REFRESH_TOKENS, {"session_id": {"$in": ids}})
        return access.delete(where, {"_id": {"$in": ids}}) if ids else 0
