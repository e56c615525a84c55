"""The operations tagged Projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.api.reply import Body, Reply, Unread
from tracker.api.representations import member_json, project_json
from tracker.domain.access import Actor, Permission
from tracker.domain.changes import Change
from tracker.domain.project import Member, Project, ProjectRole
from tracker.domain.query import Archived, Cursor, MemberQuery, ProjectQuery
from tracker.domain.refusals import NotFound
from tracker.domain.sharing import MOST, deletion, owners_of, removal, with_role

if TYPE_CHECKING:
    from datetime import datetime

    from tracker.api.cursors import Cursors
    from tracker.domain.clock import Clock
    from tracker.domain.sight import Sight
    from tracker.store.contract import Reader


def list_projects(  # noqa: PLR0913 - a handler takes what it uses, by name
    *, archived: str, limit: int, cursor: str | None, sight: Sight, store: Reader, cursors: Cursors
) -> Reply:
    """List the projects the actor can see, newest first."""
    actor = sight.actor
    this_list = f"projects of {actor.id}, archived: {archived}"
    place = cursors.open(cursor, this_list)
    (scope,) = actor.scopes(Permission.READ_PROJECT)
    query = ProjectQuery(scope.user_id, Archived(archived), place.id if place else None, limit + 1)

    def read() -> tuple[Body, datetime | None]:
        found = store.projects(query)
        items, more = found[:limit], len(found) > limit
        following = cursors.seal(Cursor(None, items[-1].id), this_list) if more else None
        return {"items": [_json(project, actor) for project in items], "next": following}, None

    return Reply(Unread(sight.state, read))


def create_project(body: Body, actor: Actor, clock: Clock) -> Reply:
    """Create a project that the actor owns."""
    at = clock()
    project = Project.new(**body, at=at)
    owner = project.admitted(actor.id, ProjectRole.OWNER, at=at)
    changes = [Change(None, project), Change(None, owner)]
    return Reply(project_json(project, owner.role), status=201, location=f"/projects/{project.id}", changes=changes)


def get_project(project_id: str, actor: Actor, store: Reader) -> Reply:
    """Read a project."""
    return Reply(_json(actor.may(Permission.READ_PROJECT, store.project(project_id)), actor))


def update_project(project_id: str, body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Change parts of a project."""
    project = actor.may(Permission.CHANGE_PROJECT, store.project(project_id))
    changed = project.changed(at=clock(), **body)
    return Reply(_json(changed, actor), changes=[Change(project, changed)])


def delete_project(project_id: str, actor: Actor, store: Reader) -> Reply:
    """Delete a project with its members and tasks."""
    project = actor.may(Permission.DELETE_PROJECT, store.project(project_id))
    members = store.members(MemberQuery(project_id, limit=MOST + 1))
    tasks = store.project_tasks(project_id, limit=MOST + 1)
    return Reply(status=204, changes=deletion(project, members, tasks))


def list_members(  # noqa: PLR0913 - likewise
    *, project_id: str, limit: int, cursor: str | None, actor: Actor, store: Reader, cursors: Cursors
) -> Reply:
    """List who belongs to a project, by user id."""
    _seen(project_id, actor, store)
    this_list = f"members of {project_id} for {actor.id}"
    place = cursors.open(cursor, this_list)
    found = store.members(MemberQuery(project_id, after=place.id if place else None, limit=limit + 1))
    items, more = found[:limit], len(found) > limit
    following = cursors.seal(Cursor(None, items[-1].membership.user_id), this_list) if more else None
    return Reply({"items": [member_json(member) for member in items], "next": following})


def put_member(  # noqa: PLR0913 - likewise
    *, project_id: str, user_id: str, body: Body, actor: Actor, store: Reader, clock: Clock
) -> Reply:
    """Take somebody into a project, or give them another role in it."""
    project, present = _seen(project_id, actor, store), store.membership(project_id, user_id)
    actor.may(Permission.CHANGE_MEMBER if present else Permission.CREATE_MEMBER, project)
    user, role = store.user(user_id), ProjectRole(body["role"])
    if user is None or not (present or user.active):
        raise NotFound("user")
    if present is None:
        member = project.admitted(user.id, role, at=clock())
    else:
        member = with_role(project, present, role, store.members(owners_of(project_id)))
    return Reply(
        member_json(Member(member, user.username)),
        status=200 if present else 201,
        changes=[Change(present, member)],
        requires={project_id: project.head},
    )


def remove_member(project_id: str, user_id: str, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Remove somebody from a project, or leave it."""
    project = _seen(project_id, actor, store)
    membership = actor.may(Permission.DELETE_MEMBER, store.membership(project_id, user_id))
    owners = store.members(owners_of(project_id))
    assigned = store.project_tasks(project_id, limit=MOST + 1, assignee_id=user_id)
    changes = removal(project, membership, owners, assigned, at=clock())
    return Reply(status=204, changes=changes, requires={project_id: project.head})


def _json(project: Project, actor: Actor) -> Body:
    return project_json(project, actor.role_in(project.id))


def _seen(project_id: str, actor: Actor, store: Reader) -> Project:
    return actor.may(Permission.READ_PROJECT, store.project(project_id))
