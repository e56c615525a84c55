"""Reads of tasks: pages in an order, and counts."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tracker.domain.query import Page, SortKey, Summary
from tracker.domain.task import Status
from tracker.store.mongo import filters
from tracker.store.mongo.collections import In
from tracker.store.mongo.documents import task_of
from tracker.store.mongo.filters import IS_OPEN, NOT_ARCHIVED, NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracker.domain.access import Scope
    from tracker.domain.query import Cursor, Days, Order, SummaryQuery, TaskQuery
    from tracker.domain.task import Task
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.documents import Document

_SORTED_BY: Mapping[SortKey, str] = {
    SortKey.CREATED_AT: "created_at",
    SortKey.UPDATED_AT: "updated_at",
    SortKey.DUE: "overdue_after",
    SortKey.PRIORITY: "priority_rank",
    SortKey.NUMBER: "number",
}
# What they are sorted and searched by is made of the rest.
_MEMBERS = {"words": False, "undated": False, "priority_rank": False}


def page(access: Access, query: TaskQuery) -> Page:
    """Return a page; one task more than it shows tells whether it goes on."""
    wanted = [_visible(access, query.scopes), *filters.conditions(query.filter)]
    if query.cursor is not None:
        wanted.append(_after(query.cursor, query.order))
    found = in_order(access, {"$and": wanted}, sort=_sort(query.order), limit=query.limit + 1)
    items = tuple(found[: query.limit])
    return Page(items, query.order.place_of(items[-1]) if len(found) > query.limit else None)


def in_order(access: Access, which: Document, *, sort: list[tuple[str, int]], limit: int) -> list[Task]:
    """Return tasks."""
    return [task_of(found) for found in access.find(In.TASKS, which, fields=_MEMBERS, sort=sort, limit=limit)]


def _sort(order: Order) -> list[tuple[str, int]]:
    way = -1 if order.descending else 1
    dated = [("undated", 1)] if order.key is SortKey.DUE else []
    return [*dated, (_SORTED_BY[order.key], way), ("_id", way)]


def _after(place: Cursor, order: Order) -> Document:
    """Return what holds of all that comes after a place. Those without a deadline come last, whichever way."""
    field, way = _SORTED_BY[order.key], "$lt" if order.descending else "$gt"
    later: Document = {field: {"$eq": place.value}, "_id": {way: place.id}}
    if place.value is None:
        return later
    ways = [{field: {way: place.value}}, later]
    return {"$or": [*ways, {"undated": {"$eq": True}}] if order.key is SortKey.DUE else ways}


def summary(access: Access, query: SummaryQuery) -> Summary:
    """Return all the numbers, counted in one pass."""
    within = [{"project_id": {"$eq": query.project_id}}] if query.project_id is not None else []
    which = {"$and": [_visible(access, query.scopes), NOT_ARCHIVED, *within]}
    due = {
        "overdue": filters.is_overdue(query.at),
        "today": _is_due_in(query.today),
        "week": _is_due_in(query.this_week),
    }
    open_ones = {name: {"$and": [which, IS_OPEN, condition]} for name, condition in due.items()}
    by_status = _counted(access, which)
    counts = {name: sum(_counted(access, condition).values()) for name, condition in open_ones.items()}
    return Summary({status: by_status.get(status.value, 0) for status in Status}, *counts.values())


def _counted(access: Access, which: Document) -> dict[str, int]:
    grouped = access.made(In.TASKS, [{"$match": which}, {"$group": {"_id": "$status", "count": {"$sum": 1}}}])
    return {one["_id"]: one["count"] for one in grouped}


def _is_due_in(days: Days) -> Document:
    """Return what holds of what is due in some days: on one of them as it is written, or at a minute of them."""
    on_a_day = {
        "due_time": {"$eq": None},
        "due_date": {"$gte": days.first.isoformat(), "$lt": days.end.isoformat()},
    }
    at_a_minute = {"due_time": {"$ne": None}, "overdue_after": {"$gte": days.begins, "$lt": days.ends}}
    return {"$or": [on_a_day, at_a_minute]}


def _visible(access: Access, scopes: Iterable[Scope]) -> Document:
    """Return what holds of a task that is in any of the scopes."""
    listed = list(scopes)
    if any(scope.user_id is None for scope in listed):
        return {}
    roles = _roles(access, {str(scope.user_id) for scope in listed})
    ways = [_in_scope(scope, roles[str(scope.user_id)]) for scope in listed]
    return {"$or": ways} if ways else NOTHING


def _roles(access: Access, user_ids: set[str]) -> Mapping[str, Mapping[str, str]]:
    """Return by user and project what role they have there."""
    roles: dict[str, dict[str, str]] = defaultdict(dict)
    for found in access.find(In.MEMBERSHIPS, {"user_id": {"$in": sorted(user_ids)}}) if user_ids else ():
        roles[found["user_id"]][found["project_id"]] = found["role"]
    return roles


def _in_scope(scope: Scope, roles: Mapping[str, str]) -> Document:
    within = sorted(project_id for project_id, role in roles.items() if role in scope.roles)
    there: dict[str, Any] = {"project_id": {"$in": within}}
    if not scope.involved:
        return there
    return {**there, "$or": [{"created_by": {"$eq": scope.user_id}}, {"assignee_id": {"$eq": scope.user_id}}]}
