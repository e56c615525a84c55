"""Reads of users, their sessions, their projects and what they may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from tracker.domain.project import Member, Membership, Project
from tracker.domain.session import Session
from tracker.domain.user import Role, User
from tracker.store.contract import Standing
from tracker.store.mongo import filters
from tracker.store.mongo.collections import KEPT_IN, In
from tracker.store.mongo.documents import entity_of
from tracker.store.records import PROJECT_ROLES, ROLES, USER_STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tracker.domain.project import ProjectRole
    from tracker.domain.query import MemberQuery, ProjectQuery, UserQuery
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.documents import Document

Found = TypeVar("Found")

THERE: Document = {"gone": {"$eq": False}}
_BY_ID, _NEWEST_FIRST = [("_id", 1)], [("_id", -1)]
_WITH_USER: list[Document] = [
    {"$lookup": {"from": In.USERS.value, "localField": "user_id", "foreignField": "_id", "as": "user"}},
    {"$unwind": "$user"},
]
_EVERYTHING: list[Document] = [{"$group": {"_id": None, "heads": {"$sum": "$head"}, "retired": {"$sum": "$retired"}}}]


def one(access: Access, entity: type[Found], value: str, field: str = "_id") -> Found | None:
    """Return the entity that has a value in a field."""
    found = access.one(KEPT_IN[entity], {field: {"$eq": value}})
    return None if found is None else cast("Found", entity_of(entity, found))


def standing(access: Access, session_id: str, *, heads: bool) -> Standing | None:
    """Return what is known of a session and its user, with the ``heads`` of what they see where they are wanted.

    The user is read before the heads, with the version and the set of their projects in one document; for an admin all
    heads there are come after that. So what it names is never later than its reading ends, and whatever is read
    afterwards and remembered under that name has everything in it that the name stands for (``finish.py``). A project
    that is gone keeps its last head, so that the sum over a set never falls.
    """
    for found in access.made(In.SESSIONS, [{"$match": {"_id": {"$eq": session_id}}}, *_WITH_USER]):
        user = found["user"]
        if user["session_generation"] == found["generation"]:
            seen = _seen_heads(access, user) if heads else None
            who = user["_id"], found["_id"], ROLES[user["role"]], USER_STATUSES[user["status"]], user["inbox_id"]
            return Standing(*who, user["access_version"], seen, found["expires_at"], found["ended_at"])
    return None


def _seen_heads(access: Access, user: Document) -> int:
    if user["role"] == Role.ADMIN.value:
        return _all_heads(access)
    project_ids = user["project_ids"]
    return sum(found["head"] for found in access.find(In.PROJECTS, {"_id": {"$in": project_ids}}, fields=["head"]))


def _all_heads(access: Access) -> int:
    return sum(found["heads"] + found["retired"] for found in access.made(In.PROJECTS, _EVERYTHING))


def memberships(access: Access, user_id: str) -> Mapping[str, ProjectRole]:
    """Return a user's roles by project."""
    found = access.find(In.MEMBERSHIPS, {"user_id": {"$eq": user_id}}, fields=["project_id", "role"])
    return {membership["project_id"]: PROJECT_ROLES[membership["role"]] for membership in found}


def users(access: Access, query: UserQuery) -> list[User]:
    """Return users by id."""
    which: dict[str, Any] = {"_id": {"$gt": query.after or ""}}
    which |= {name: {"$eq": value} for name in ("role", "status") if (value := getattr(query, name)) is not None}
    return [entity_of(User, found) for found in access.find(In.USERS, which, sort=_BY_ID, limit=query.limit)]


def sessions(access: Access, user_id: str, at: datetime, before: str | None, limit: int) -> list[Session]:
    """Return a user's sessions that are alive, the newest first."""
    user = access.one(In.USERS, {"_id": {"$eq": user_id}}, fields=["session_generation"])
    if user is None:
        return []
    which: dict[str, Any] = {
        "user_id": {"$eq": user_id},
        "generation": {"$eq": user["session_generation"]},
        "ended_at": {"$eq": None},
        "expires_at": {"$gt": at},
    }
    if before is not None:
        which["_id"] = {"$lt": before}
    return [entity_of(Session, found) for found in access.find(In.SESSIONS, which, sort=_NEWEST_FIRST, limit=limit)]


def project(access: Access, project_id: str) -> Project | None:
    """Return a project that is there."""
    found = access.one(In.PROJECTS, {"_id": {"$eq": project_id}, **THERE})
    return None if found is None else cast("Project", entity_of(Project, found))


def projects(access: Access, query: ProjectQuery) -> list[Project]:
    """Return projects, the newest first."""
    wanted: list[Document] = [THERE, *filters.archived(query.archived)]
    if query.before is not None:
        wanted.append({"_id": {"$lt": query.before}})
    if query.member_id is not None:
        wanted.append({"_id": {"$in": list(memberships(access, query.member_id))}})
    found = access.find(In.PROJECTS, {"$and": wanted}, sort=_NEWEST_FIRST, limit=query.limit)
    return [entity_of(Project, document) for document in found]


def members(access: Access, query: MemberQuery) -> list[Member]:
    """Return members with their names, by user id."""
    which: dict[str, Any] = {"project_id": {"$eq": query.project_id}, "user_id": {"$gt": query.after or ""}}
    if query.role is not None:
        which["role"] = {"$eq": query.role.value}
    found = access.find(In.MEMBERSHIPS, which, sort=[("user_id", 1)], limit=query.limit)
    ids = [membership["user_id"] for membership in found]
    named = access.find(In.USERS, {"_id": {"$in": ids}}, fields=["username"]) if ids else []
    names = {user["_id"]: user["username"] for user in named}
    return [Member(entity_of(Membership, one_), names[one_["user_id"]]) for one_ in found if one_["user_id"] in names]
