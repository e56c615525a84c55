"""Who may do what: one table, permission -> role of the installation -> condition on the thing at hand.

Whoever may not read a thing is told that there is none (404); whoever may read it but not do this is told so (403).
Every condition stands here twice, as a predicate on one task and as the Scope a store can filter by; a test in
``tests/store`` holds the two to each other, on every store.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tracker.domain.project import ProjectRole
from tracker.domain.refusals import Forbidden, NotFound
from tracker.domain.user import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracker.domain.project import Membership, Project
    from tracker.domain.reminder import Reminder
    from tracker.domain.task import Task

    Thing = Task | Project | Membership | Reminder

Asked = TypeVar("Asked", bound="Thing")


class Permission(StrEnum):
    """What an operation of the spec asks for in ``x-permission``: the kind of thing, and what is done with it."""

    READ_ACCOUNT = "account:read"
    CHANGE_ACCOUNT = "account:change"
    READ_SESSION = "session:read"
    END_SESSION = "session:end"
    READ_NOTIFICATION = "notification:read"
    CHANGE_NOTIFICATION = "notification:change"
    READ_PROJECT = "project:read"
    CREATE_PROJECT = "project:create"
    CHANGE_PROJECT = "project:change"
    DELETE_PROJECT = "project:delete"
    READ_MEMBER = "member:read"
    CREATE_MEMBER = "member:create"
    CHANGE_MEMBER = "member:change"
    DELETE_MEMBER = "member:delete"
    READ_TASK = "task:read"
    CREATE_TASK = "task:create"
    CHANGE_TASK = "task:change"
    CHANGE_TASK_STATUS = "task:change_status"
    DELETE_TASK = "task:delete"
    UNDO_OPERATION = "operation:undo"
    READ_USER = "user:read"
    CHANGE_USER = "user:change"
    RESET_USER_PASSWORD = "user:reset_password"  # noqa: S105 - a name
    MAKE_ADMIN = "user:make_admin"

    @property
    def noun(self) -> str:
        """The kind of thing it is about."""
        return _NOUNS[self]


_NOUNS = {permission: permission.partition(":")[0] for permission in Permission}
_READING = {_NOUNS[permission]: permission for permission in Permission if permission.endswith(":read")}


@dataclass(frozen=True, slots=True)
class Scope:
    """The tasks in which one of ``roles`` is held by ``user_id``, and, if ``involved``, that they created or do.

    ``user_id`` None means every task. A condition is one or more scopes, any of which will do. ``projects`` is how many
    the user belonged to a moment ago, where that is known: a store may choose its way by it, and finds the same.
    """

    user_id: str | None
    roles: frozenset[ProjectRole] = frozenset(ProjectRole)
    involved: bool = False
    projects: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """A named predicate on (actor, task, project or membership), and the same as scopes."""

    name: str
    holds: Callable[[Actor, Thing], bool]
    scopes: Callable[[Actor], tuple[Scope, ...]]


WRITERS = frozenset({ProjectRole.OWNER, ProjectRole.EDITOR})
OWNERS = frozenset({ProjectRole.OWNER})


def _within(actor: Actor, roles: frozenset[ProjectRole] = frozenset(ProjectRole), *, involved: bool = False) -> Scope:
    return Scope(actor.id, roles, involved, len(actor.memberships))


always = Condition(
    "always",
    lambda actor, thing: True,  # noqa: ARG005 - a predicate takes both, whatever it looks at
    lambda actor: (Scope(None),),  # noqa: ARG005 - likewise
)
belongs = Condition(
    "belongs to the project",
    lambda actor, thing: actor.role_in(thing.project_id) is not None,
    lambda actor: (_within(actor),),
)
writes = Condition(
    "owns or edits the project",
    lambda actor, thing: actor.role_in(thing.project_id) in WRITERS,
    lambda actor: (_within(actor, WRITERS),),
)
owns = Condition(
    "owns the project",
    lambda actor, thing: actor.role_in(thing.project_id) in OWNERS,
    lambda actor: (_within(actor, OWNERS),),
)
involved = Condition(
    "owns or edits the project, or belongs to it and created the task or has it to do",
    lambda actor, thing: writes.holds(actor, thing) or (belongs.holds(actor, thing) and actor.is_involved(thing)),
    lambda actor: (*writes.scopes(actor), _within(actor, involved=True)),
)
own = Condition(
    "owns the project, or edits it and created the task or has it to do",
    lambda actor, thing: owns.holds(actor, thing) or (writes.holds(actor, thing) and actor.is_involved(thing)),
    lambda actor: (*owns.scopes(actor), _within(actor, WRITERS, involved=True)),
)

leaves = Condition(
    "owns the project, or is the member",
    lambda actor, thing: owns.holds(actor, thing) or actor.id == getattr(thing, "user_id", None),
    owns.scopes,  # nobody is a task
)

ACCESS: Mapping[Permission, Mapping[Role, Condition]] = {
    Permission.READ_ACCOUNT: {Role.ADMIN: always, Role.MEMBER: always, Role.VIEWER: always},
    Permission.CHANGE_ACCOUNT: {Role.ADMIN: always, Role.MEMBER: always, Role.VIEWER: always},
    Permission.READ_SESSION: {Role.ADMIN: always, Role.MEMBER: always, Role.VIEWER: always},
    Permission.END_SESSION: {Role.ADMIN: always, Role.MEMBER: always, Role.VIEWER: always},
    # Whoever only reads tasks is told of them all the same, and what they are told is theirs.
    Permission.READ_NOTIFICATION: {Role.ADMIN: always, Role.MEMBER: always, Role.VIEWER: always},
    Permission.CHANGE_NOTIFICATION: {Role.ADMIN: always, Role.MEMBER: always, Role.VIEWER: always},
    Permission.READ_PROJECT: {Role.ADMIN: always, Role.MEMBER: belongs, Role.VIEWER: belongs},
    Permission.CREATE_PROJECT: {Role.ADMIN: always, Role.MEMBER: always},
    Permission.CHANGE_PROJECT: {Role.ADMIN: always, Role.MEMBER: owns},
    Permission.DELETE_PROJECT: {Role.ADMIN: always, Role.MEMBER: owns},
    Permission.READ_MEMBER: {Role.ADMIN: always, Role.MEMBER: belongs, Role.VIEWER: belongs},
    Permission.CREATE_MEMBER: {Role.ADMIN: always, Role.MEMBER: owns},
    Permission.CHANGE_MEMBER: {Role.ADMIN: always, Role.MEMBER: owns},
    Permission.DELETE_MEMBER: {Role.ADMIN: always, Role.MEMBER: leaves},
    Permission.READ_TASK: {Role.ADMIN: always, Role.MEMBER: belongs, Role.VIEWER: belongs},
    Permission.CREATE_TASK: {Role.ADMIN: always, Role.MEMBER: writes},
    Permission.CHANGE_TASK: {Role.ADMIN: always, Role.MEMBER: writes},
    Permission.CHANGE_TASK_STATUS: {Role.ADMIN: always, Role.MEMBER: involved},
    Permission.DELETE_TASK: {Role.ADMIN: always, Role.MEMBER: own},
    # The rest is asked of each change that it takes: undoing is changing.
    Permission.UNDO_OPERATION: {Role.ADMIN: always, Role.MEMBER: always},
    Permission.READ_USER: {Role.ADMIN: always},
    Permission.CHANGE_USER: {Role.ADMIN: always},
    Permission.RESET_USER_PASSWORD: {Role.ADMIN: always},
    Permission.MAKE_ADMIN: {Role.ADMIN: always},
}


class Actor(NamedTuple):
    """Whoever asks: the user of a live session.

    ``access_version`` goes up with any of their memberships. ``memberships`` maps project ids to roles.
    """

    id: str
    session_id: str
    role: Role
    inbox_id: str
    access_version: int
    memberships: Mapping[str, ProjectRole]

    def role_in(self, project_id: str) -> ProjectRole | None:
        """Return their role in a project, or None."""
        return self.memberships.get(project_id)

    def is_involved(self, thing: Thing) -> bool:
        """Whether they created the task or have it to do; nobody is so involved in anything else."""
        return self.id in {getattr(thing, "created_by", None), getattr(thing, "assignee_id", None)}

    def condition(self, permission: Permission) -> Condition:
        """Return what has to hold for them to use a permission; Forbidden where their role never may."""
        condition = ACCESS[permission].get(self.role)
        if condition is None:
            raise Forbidden(permission)
        return condition

    def may_ever(self, permission: Permission) -> bool:
        """Whether their role has the permission at all, on whatever condition."""
        return self.role in ACCESS[permission]

    def scopes(self, permission: Permission) -> tuple[Scope, ...]:
        """Return the tasks on which they may use a permission, as a store can filter by."""
        return self.condition(permission).scopes(self)

    def sees(self, thing: Thing, noun: str = "task") -> bool:
        """Whether there is such a thing, as far as they are concerned."""
        return self.condition(_READING[noun]).holds(self, thing)

    def may(self, permission: Permission, thing: Asked | None) -> Asked:
        """Return the thing if they may; NotFound if they may not even read it, Forbidden if that is all they may."""
        if thing is None or not self.sees(thing, permission.noun):
            raise NotFound(permission.noun)
        if not self.condition(permission).holds(self, thing):
            raise Forbidden(permission)
        return thing
