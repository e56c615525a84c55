"""What a TaskFilter asks for, as a condition on documents. What a client sent is only ever what an operator compares.

A condition on a text is never that text by itself: ``{"$eq": …}`` has it compared whatever it looks like.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tracker.domain.query import Archived, TaskFilter
from tracker.domain.task import CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tracker.store.mongo.documents import Document

NOTHING: Document = {"_id": {"$in": []}}
IS_OPEN: Document = {"status": {"$nin": sorted(status.value for status in CLOSED)}}
NOT_ARCHIVED: Document = {"archived_at": {"$eq": None}}
_ARCHIVED: Mapping[Archived, tuple[Document, ...]] = {
    Archived.EXCLUDE: (NOT_ARCHIVED,),
    Archived.ONLY: ({"archived_at": {"$ne": None}},),
    Archived.INCLUDE: (),
}
_ASKED: Mapping[str, Callable[[Any], Document]] = {
    "ids": lambda ids: {"_id": {"$in": list(ids)}},
    "project_id": lambda id_: {"project_id": {"$eq": id_}},
    "status": lambda statuses: {"status": {"$in": [status.value for status in statuses]}},
    "priority": lambda priorities: {"priority": {"$in": [priority.value for priority in priorities]}},
    "label": lambda labels: {"labels": {"$in": list(labels)}},
    "assignee_id": lambda id_: {"assignee_id": {"$eq": id_}},
    "due_before": lambda at: {"overdue_after": {"$lt": at}},
    "due_after": lambda at: {"overdue_after": {"$gte": at}},
    "created_after": lambda at: {"created_at": {"$gte": at}},
    "updated_after": lambda at: {"updated_at": {"$gte": at}},
}


def archived(which: Archived) -> tuple[Document, ...]:
    """Return what holds of what is archived, of what is not, or nothing."""
    return _ARCHIVED[which]


def is_overdue(at: Any) -> Document:
    """Return what holds of a task that is open and whose deadline has passed an instant."""
    return {**IS_OPEN, "overdue_after": {"$lt": at}}


def conditions(asked: TaskFilter) -> Iterator[Document]:
    """Yield what has to hold of a task, one by one."""
    yield from (made(value) for name, made in _ASKED.items() if (value := getattr(asked, name)) not in {None, ()})
    yield from _ARCHIVED[asked.archived]
    if asked.overdue is not None:
        yield is_overdue(asked.at) if asked.overdue else _is_not_overdue(asked.at)
    if asked.words is not None:
        yield from map(_begins_a_word, asked.words) if asked.words else (NOTHING,)


def _is_not_overdue(at: Any) -> Document:
    closed = {"status": {"$in": sorted(status.value for status in CLOSED)}}
    return {"$or": [{"overdue_after": {"$eq": None}}, {"overdue_after": {"$gte": at}}, closed]}


def _begins_a_word(text: str) -> Document:
    return {"words": {"$elemMatch": {"$regex": f"^{re.escape(text)}"}}}
