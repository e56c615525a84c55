"""Entities as documents, and documents as entities.

A document is an entity's members under their names, its id under ``_id``. An instant is a date of BSON, which has
milliseconds; a day and a time of day are text. What the store alone moves stands beside them: of a project ``gone``
(deleted: only its heads count any more) and ``retired`` (the last heads of its earlier lives), of a user
``access_version`` and ``project_ids`` (the projects whose heads they see, changed in one write with the version).
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date, time
from typing import TYPE_CHECKING, Any

from tracker.domain.changes import LogEntry
from tracker.domain.project import Project
from tracker.domain.task import Task, due_as_kept
from tracker.domain.user import User, folded
from tracker.domain.words import words_of
from tracker.store.records import NAMES, PRIORITIES, STATUSES, from_record, made, to_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker.domain.changes import Entity

    Document = dict[str, Any]


def document_of(entity: Entity) -> Document:
    """Return an entity as it is kept, without what the store alone moves."""
    return {"_id": entity.id, **members_of(entity)}


def members_of(entity: Entity) -> Document:
    """Return all of it but its ``_id``: what a replaced entity sets."""
    if isinstance(entity, Task):
        return _members_of_task(entity)
    members = {name: value for name, value in vars(entity).items() if name != "id"}
    if isinstance(entity, User):
        members |= {"username_folded": folded(entity.username), "email_folded": folded(entity.email)}
    if isinstance(entity, Project):
        del members["head"], members["last_number"]
    return members


def _members_of_task(task: Task) -> Document:
    due, overdue_after = task.due, task.overdue_after()
    members = {
        **vars(task),
        "labels": list(task.labels),
        "due_date": due and due.date.isoformat(),
        "due_time": due and due.time and due.time.isoformat("minutes"),
        "due_timezone": due and due.timezone,
        "overdue_after": overdue_after,
        "undated": overdue_after is None,
        "priority_rank": task.priority.rank,
        "words": list(words_of(f"{task.title} {task.description}")),
    }
    del members["id"], members["due"]
    return members


_FIELDS: Mapping[type[Any], tuple[str, ...]] = {entity: tuple(one.name for one in fields(entity)) for entity in NAMES}
_PLAIN_OF_TASK = tuple(name for name in _FIELDS[Task] if name not in {"id", "due"})


def entity_of(entity: type[Any], document: Mapping[str, Any]) -> Any:
    """Return the entity in a document; tasks have ``task_of``."""
    return made(entity, {name: document["_id" if name == "id" else name] for name in _FIELDS[entity]})


def task_of(document: Mapping[str, Any]) -> Task:
    """Return the task in a document."""
    members = {name: document[name] for name in _PLAIN_OF_TASK}
    task = object.__new__(Task)
    # A frozen dataclass sets each member through object.__setattr__: a page is built in a third of the time so.
    object.__setattr__(
        task,
        "__dict__",
        {
            "id": document["_id"],
            **members,
            "status": STATUSES[document["status"]],
            "priority": PRIORITIES[document["priority"]],
            "labels": tuple(document["labels"]),
            "due": document["due_date"] and _due_of(document),
        },
    )
    return task


def _due_of(document: Mapping[str, Any]) -> Any:
    on, at = date.fromisoformat(document["due_date"]), document["due_time"]
    return due_as_kept(on, at and time.fromisoformat(at), document["due_timezone"], document["overdue_after"])


def log_entry_of(document: Mapping[str, Any]) -> LogEntry:
    """Return the entry in a document of the log."""
    before, after = (
        record and from_record(document["entity"], record) for record in (document["before"], document["after"])
    )
    place = document["project_id"], document["head"], document["n"]
    said = document["operation_id"], document["actor_id"], document["at"]
    return LogEntry(*place, *said, document["entity"], document["entity_id"], before, after)


def document_of_entry(entry: LogEntry) -> Document:
    """Return an entry as it is kept; its ``_id`` makes it the only one at its place."""
    return {
        **place_in_log(entry.project_id, entry.head, entry.n),
        "operation_id": entry.operation_id,
        "actor_id": entry.actor_id,
        "at": entry.at,
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "before": entry.before and to_record(entry.before),
        "after": entry.after and to_record(entry.after),
    }


def place_in_log(project_id: str, head: int, n: int) -> Document:
    """Return a place in the log, and the key of what is there."""
    return {"_id": f"{project_id}/{head}/{n}", "project_id": project_id, "head": head, "n": n}
