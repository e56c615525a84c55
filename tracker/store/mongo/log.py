"""Reads of the change log. An entry beyond its project's head is a commit that is not through yet: nobody sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracker.store.contract import Claimed
from tracker.store.mongo.collections import In
from tracker.store.mongo.documents import log_entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tracker.domain.changes import LogEntry
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.documents import Document

_IN_ORDER = [("project_id", 1), ("head", 1), ("n", 1)]


def log(access: Access, project_id: str, after: int, limit: int, entity_id: str | None) -> list[LogEntry]:
    """Return the entries of a project, of one entity where it is named, by (head, n)."""
    head = heads_of(access, [project_id]).get(project_id, 0)
    which: dict[str, Any] = {"project_id": {"$eq": project_id}, "head": {"$gt": after, "$lte": head}}
    if entity_id is not None:
        which["entity_id"] = {"$eq": entity_id}
    return [log_entry_of(found) for found in access.find(In.LOG, which, sort=_IN_ORDER, limit=limit)]


def operation(access: Access, operation_id: str) -> list[LogEntry]:
    """Return the entries of one operation, by project and place."""
    which = {"operation_id": {"$eq": operation_id}, "entity": {"$ne": None}}
    found = access.find(In.LOG, which, sort=_IN_ORDER)
    heads = heads_of(access, {entry["project_id"] for entry in found})
    return [log_entry_of(entry) for entry in found if entry["head"] <= heads.get(entry["project_id"], 0)]


def heads_of(access: Access, project_ids: Iterable[str]) -> Mapping[str, int]:
    """Return the heads of projects, also of those that are gone."""
    found = access.find(In.PROJECTS, {"_id": {"$in": list(project_ids)}}, fields=["head"])
    return {project["_id"]: project["head"] for project in found}


def claimed(access: Access, owner: str, key: str, wait: Callable[[Document], None]) -> Claimed | None:
    """Return the record of a key; while its commit is not through, ``wait`` and look again.

    Whoever took it for a key that was never used would see what is done, and not that it was done for them.
    """
    which = {"owner": {"$eq": owner}, "key": {"$eq": key}}
    while (found := access.one(In.CLAIMS, which)) is not None and found["open"]:
        wait(found)
    return None if found is None else Claimed(found["fingerprint"], found["at"], found["answer"])
