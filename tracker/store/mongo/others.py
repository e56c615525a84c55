"""Writing what is in no project: people, their sessions, what they are told, how far a job or a consumer has come.

Nothing but the versions and the unique keys holds these, so each is matched once more where it is written. ``by`` is
the commit that wrote it last.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tracker.domain.project import Membership
from tracker.domain.user import User
from tracker.store.contract import Stale
from tracker.store.effects import whose_access
from tracker.store.mongo.collections import KEPT_IN
from tracker.store.mongo.documents import document_of, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.domain.changes import Change, Entity
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.collections import In
    from tracker.store.mongo.documents import Document
    from tracker.store.mongo.plan import Plan

    Undoing = list[Callable[[], object]]


def write_other(access: Access, plan: Plan, change: Change, *, by: str, undoing: Undoing) -> None:
    """Make one change, or raise Stale; tell before how it is taken back, where nobody has changed it since."""
    before, after = change.before, change.after
    where, written = KEPT_IN[type(change.entity)], {"_id": {"$eq": change.entity.id}, "by": {"$eq": by}}
    if before is None:
        undoing.append(partial(access.deleted, where, written))
        access.insert(where, [{**document_of(change.entity), **_as_new(plan, change.entity), "by": by}])
        return
    as_it_was = {"_id": {"$eq": before.id}, "version": {"$eq": before.version}}
    if after is not None:
        undoing.append(partial(access.update, where, written, {"$set": {**members_of(before), "by": None}}))
        found = _has_replaced(access, where, as_it_was, change, by)
    elif found := access.deleted(where, as_it_was):
        undoing.append(partial(access.inserted, where, {**document_of(before), "by": None}))
    if not found:
        raise Stale(before.id)


def _has_replaced(access: Access, where: In, as_it_was: Document, change: Change, by: str) -> bool:
    document = {**document_of(change.entity), "by": by}
    if not isinstance(change.after, User):
        return access.replace(where, as_it_was, document)
    while user := access.one(where, as_it_was):
        version = user["access_version"]
        kept = {**user, **document, "access_version": version + (whose_access(change) is not None)}
        if access.replace(where, {**as_it_was, "access_version": {"$eq": version}}, kept):
            return True
    return False


def _as_new(plan: Plan, entity: Entity) -> Document:
    """Return what the store alone keeps of somebody new: they know what they see from the beginning."""
    if not isinstance(entity, User):
        return {}
    created = [change.after for change in plan.changes if change.before is None]
    theirs = [one for one in created if isinstance(one, Membership) and one.user_id == entity.id]
    return {"access_version": 1, "project_ids": [membership.project_id for membership in theirs]}
