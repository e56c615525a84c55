"""What must hold for a commit to stand, read before anything is written: each kind of thing is one round trip.

Of what is in a project nothing can change afterwards, where the head that was read first is then taken; of the rest
the unique keys and the versions are matched once more in writing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.notification import Notification
from tracker.domain.password_reset import PasswordReset
from tracker.domain.project import Membership
from tracker.domain.refusals import Taken
from tracker.domain.session import RefreshToken, Session
from tracker.domain.task import Task
from tracker.domain.user import User, folded
from tracker.store.contract import Stale
from tracker.store.effects import arrives, needs_number
from tracker.store.mongo.collections import KEPT_IN, In
from tracker.store.mongo.plan import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracker.domain.changes import Change
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.plan import Plan

_NAMES = {"email": "email_folded", "username": "username_folded"}


def check_within(access: Access, plan: Plan, project_id: str) -> None:
    """Raise Stale or Taken where something in a project is not as it was decided on."""
    changes = plan.within(project_id)
    _check_versions(access, changes)
    _check_numbers(access, project_id, changes)


def check_others(access: Access, plan: Plan) -> None:
    """The same for what is in no project, and for whatever anything new refers to."""
    _check_versions(access, in_order(plan.others))
    for change in plan.others:
        if isinstance(change.after, User):
            _check_names(access, change.after)
        if isinstance(change.after, PasswordReset | CalendarFeed) and change.before is None:
            _check_only_one(access, plan, change.after)
    for where, referred in _referred_to(plan).items():
        _check_there(access, where, referred)


def _check_versions(access: Access, changes: Iterable[Change]) -> None:
    versions = _versions(access, changes)
    for change in changes:
        present = versions.get((type(change.entity), change.entity.id))
        if present != (change.before and change.before.version):
            raise (
                Taken("membership")
                if change.before is None and isinstance(change.after, Membership)
                else Stale(change.entity.id)
            )


def _versions(access: Access, changes: Iterable[Change]) -> Mapping[tuple[type[Any], str], int]:
    ids: dict[type[Any], list[str]] = defaultdict(list)
    for change in changes:
        ids[type(change.entity)].append(change.entity.id)
    return {
        (kind, found["_id"]): found["version"]
        for kind, wanted in ids.items()
        for found in access.find(KEPT_IN[kind], {"_id": {"$in": wanted}}, fields=["version"])
    }


def _check_numbers(access: Access, project_id: str, changes: Iterable[Change]) -> None:
    """A task that brings its number had it there before: nobody else has it."""
    arrived = [change.after for change in changes if arrives(change) and not needs_number(change)]
    tasks = [task for task in arrived if isinstance(task, Task) and task.project_id == project_id]
    brought = {task.number: task.id for task in tasks}
    if brought:
        which = {"project_id": {"$eq": project_id}, "number": {"$in": list(brought)}}
        for found in access.find(In.TASKS, which, fields=["number"]):
            raise Stale(brought[found["number"]])


def _check_names(access: Access, user: User) -> None:
    names = {field: folded(getattr(user, name)) for name, field in _NAMES.items()}
    same = [{field: {"$eq": value}} for field, value in names.items()]
    for found in access.find(In.USERS, {"$or": same, "_id": {"$ne": user.id}}, fields=list(names)):
        raise Taken(next(name for name, field in _NAMES.items() if found[field] == names[field]))


def _check_only_one(access: Access, plan: Plan, new: PasswordReset | CalendarFeed) -> None:
    gone = [change.entity.id for change in plan.others if change.after is None]
    which = {"user_id": {"$eq": new.user_id}, "_id": {"$nin": gone}}
    if access.one(KEPT_IN[type(new)], which, fields=["_id"]):
        raise Stale(new.id)


def _referred_to(plan: Plan) -> Mapping[In, Mapping[str, str]]:
    """Return, by where it is kept, what has to be there for something new: its id, and that of what refers to it."""
    referred: dict[In, dict[str, str]] = defaultdict(dict)
    created = [change.after for change in plan.changes if change.before is None]
    new = {entity.id for entity in created if entity}
    for entity in created:
        match entity:
            case Session() | PasswordReset() | CalendarFeed() | Notification() | Membership():
                referred[In.USERS][entity.user_id] = entity.id
            case RefreshToken():
                referred[In.SESSIONS][entity.session_id] = entity.id
            case User():
                referred[In.PROJECTS][entity.inbox_id] = entity.id
            case _:
                pass
    return {where: {id_: by for id_, by in ids.items() if id_ not in new} for where, ids in referred.items()}


def _check_there(access: Access, where: In, referred: Mapping[str, str]) -> None:
    if referred:
        there = {"gone": {"$eq": False}} if where is In.PROJECTS else {}
        found = {one["_id"] for one in access.find(where, {"_id": {"$in": list(referred)}, **there}, fields=["_id"])}
        for id_, by in referred.items():
            if id_ not in found:
                raise Stale(by)
