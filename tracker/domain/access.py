"""Who may do what: one table, permission -> role of the installation -> condition on the thing at hand.

Whoever may not read a thing is told that there is none (404); whoever may read it but not do this is told so (403).
Every condition stands here twice, as a predicate on one task and as the Scope a store can filter by; a test in
``tests/store`` holds the two to each other, on every store.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tracker.domain.project import ProjectRole
from tracker.domain.refusals import Forbidden, NotFound
from tracker.domain.user import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracker.domain.task import Task


class Permission(StrEnum):
    """What an operation of the spec asks for in ``x-permission``: the kind of thing, and what is done with it."""

    READ_ACCOUNT = "account:read"
    END_SESSION = "session:end"
    READ_TASK = "task:read"
    CREATE_TASK = "task:create"
    CHANGE_TASK = "task:change"
    CHANGE_TASK_STATUS = "task:change_status"
    DELETE_TASK = "task:delete"
    MAKE_ADMIN = "user:make_admin"

    @property
    def noun(self) -> str:
        """The kind of thing it is about."""
        return self.value.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Scope:
    """The tasks in which one of ``roles`` is held by ``user_id``, and, if ``involved``, that they created or do.

    ``user_id`` None means every task. A condition is one or more scopes, any of which will do.
    """

    user_id: str | None
    roles: frozenset[ProjectRole] = frozenset(ProjectRole)
    involved: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A named predicate on (actor, task), and the same as scopes."""

    name: str
    holds: Callable[[Actor, Task], bool]
    scopes: Callable[[Actor], tuple[Scope, ...]]


WRITERS = frozenset({ProjectRole.OWNER, ProjectRole.EDITOR})
OWNERS = frozenset({ProjectRole.OWNER})

always = Condition(
    "always",
    lambda actor, task: True,  # noqa: ARG005 - a predicate takes both, whatever it looks at
    lambda actor: (Scope(None),),  # noqa: ARG005 - likewise
)
belongs = Condition(
    "belongs to the project",
    lambda actor, task: actor.role_in(task.project_id) is not None,
    lambda actor: (Scope(actor.id),),
)
writes = Condition(
    "owns or edits the project",
    lambda actor, task: actor.role_in(task.project_id) in WRITERS,
    lambda actor: (Scope(actor.id, WRITERS),),
)
involved = Condition(
    "owns or edits the project, or belongs to it and created the task or has it to do",
    lambda actor, task: writes.holds(actor, task) or (belongs.holds(actor, task) and actor.is_involved(task)),
    lambda actor: (*writes.scopes(actor), Scope(actor.id, involved=True)),
)
own = Condition(
    "owns the project, or edits it and created the task or has it to do",
    lambda actor, task: (
        actor.role_in(task.project_id) in OWNERS or (writes.holds(actor, task) and actor.is_involved(task))
    ),
    lambda actor: (Scope(actor.id, OWNERS), Scope(actor.id, WRITERS, involved=True)),
)

ACCESS: Mapping[Permission, Mapping[Role, Condition]] = {
    Permission.READ_ACCOUNT: {Role.ADMIN: always, Role.MEMBER: always, Role.VIEWER: always},
    Permission.END_SESSION: {Role.ADMIN: always, Role.MEMBER: always, Role.VIEWER: always},
    Permission.READ_TASK: {Role.ADMIN: always, Role.MEMBER: belongs, Role.VIEWER: belongs},
    Permission.CREATE_TASK: {Role.ADMIN: always, Role.MEMBER: writes},
    Permission.CHANGE_TASK: {Role.ADMIN: always, Role.MEMBER: writes},
    Permission.CHANGE_TASK_STATUS: {Role.ADMIN: always, Role.MEMBER: involved},
    Permission.DELETE_TASK: {Role.ADMIN: always, Role.MEMBER: own},
    Permission.MAKE_ADMIN: {Role.ADMIN: always},
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks: the user of a live session, and the state of all they can see.

    ``access_version`` goes up with any of their memberships, ``heads`` (the sum over the projects they see) with any
    commit: together they name what their lists would answer. ``memberships`` maps project ids to roles.
    """

    id: str
    session_id: str
    role: Role
    inbox_id: str
    access_version: int
    heads: int
    memberships: Mapping[str, ProjectRole]

    def role_in(self, project_id: str) -> ProjectRole | None:
        """Return their role in a project, or None."""
        return self.memberships.get(project_id)

    def is_involved(self, task: Task) -> bool:
        """Whether they created the task or have it to do."""
        return self.id in {task.created_by, task.assignee_id}

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

    def sees(self, task: Task) -> bool:
        """Whether there is such a task, as far as they are concerned."""
        return self.condition(Permission.READ_TASK).holds(self, task)

    def may(self, permission: Permission, task: Task | None) -> Task:
        """Return the task if they may; NotFound if they may not even read it, Forbidden if that is all they may."""
        if task is None or not self.sees(task):
            raise NotFound(permission.noun)
        if not self.condition(permission).holds(self, task):
            raise Forbidden(permission)
        return task
