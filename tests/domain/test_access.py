"""Who may do what: the table written down a second time, and every condition by examples made by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.builders import AT, a_task
from tracker.domain.access import ACCESS, Actor, Permission, Scope
from tracker.domain.project import Membership, ProjectRole
from tracker.domain.refusals import Forbidden, NotFound
from tracker.domain.task import Task
from tracker.domain.user import Role

# A permission that joins has to be considered for every role here: None says that the role never has it.
#                     admin     member                      viewer
TABLE = {
    "account:read": ("always", "always", "always"),
    "account:change": ("always", "always", "always"),
    "session:read": ("always", "always", "always"),
    "session:end": ("always", "always", "always"),
    "notification:read": ("always", "always", "always"),
    "notification:change": ("always", "always", "always"),
    "project:read": ("always", "belongs to the project", "belongs to the project"),
    "project:create": ("always", "always", None),
    "project:change": ("always", "owns the project", None),
    "project:delete": ("always", "owns the project", None),
    "member:read": ("always", "belongs to the project", "belongs to the project"),
    "member:create": ("always", "owns the project", None),
    "member:change": ("always", "owns the project", None),
    "member:delete": ("always", "owns the project, or is the member", None),
    "task:read": ("always", "belongs to the project", "belongs to the project"),
    "task:create": ("always", "owns or edits the project", None),
    "task:change": ("always", "owns or edits the project", None),
    "task:change_status": (
        "always",
        "owns or edits the project, or belongs to it and created the task or has it to do",
        None,
    ),
    "task:delete": ("always", "owns the project, or edits it and created the task or has it to do", None),
    "operation:undo": ("always", "always", None),
    "user:read": ("always", None, None),
    "user:change": ("always", None, None),
    "user:reset_password": ("always", None, None),
    "user:make_admin": ("always", None, None),
}
OWNER, EDITOR, VIEWER = ProjectRole.OWNER, ProjectRole.EDITOR, ProjectRole.VIEWER


def test_every_permission_is_considered_for_every_role() -> None:
    roles = (Role.ADMIN, Role.MEMBER, Role.VIEWER)
    assert set(roles) == set(Role)
    table = {
        str(permission): tuple(row[role].name if role in row else None for role in roles)
        for permission, row in ACCESS.items()
    }
    assert table == TABLE
    assert set(ACCESS) == set(Permission)


@dataclass(frozen=True)
class Case:
    """What somebody is in the task's project, and what the task is to them."""

    role: ProjectRole | None
    created: bool = False
    assigned: bool = False

    def actor(self, role: Role = Role.MEMBER) -> Actor:
        memberships = {"project": self.role} if self.role else {}
        return Actor("ann", "session", role, "inbox", 1, memberships)

    def task(self) -> Task:
        return a_task(
            project_id="project",
            created_by="ann" if self.created else "bob",
            assignee_id="ann" if self.assigned else None,
        )


# reads, creates, changes, moves, deletes
EXAMPLES = [
    (Case(OWNER), (True, True, True, True, True)),
    (Case(EDITOR), (True, True, True, True, False)),
    (Case(EDITOR, created=True), (True, True, True, True, True)),
    (Case(EDITOR, assigned=True), (True, True, True, True, True)),
    (Case(VIEWER), (True, False, False, False, False)),
    (Case(VIEWER, created=True), (True, False, False, True, False)),
    (Case(VIEWER, assigned=True), (True, False, False, True, False)),
    (Case(None), (False, False, False, False, False)),
    (Case(None, created=True), (False, False, False, False, False)),  # created it, and left the project
    (Case(None, assigned=True), (False, False, False, False, False)),
]
TASK_PERMISSIONS = (
    Permission.READ_TASK,
    Permission.CREATE_TASK,
    Permission.CHANGE_TASK,
    Permission.CHANGE_TASK_STATUS,
    Permission.DELETE_TASK,
)


def outcome(actor: Actor, permission: Permission, thing: Task | Membership | None) -> str:
    try:
        assert actor.may(permission, thing) is thing
    except (NotFound, Forbidden) as refused:
        return type(refused).__name__
    return "may"


@pytest.mark.parametrize(("case", "may"), EXAMPLES)
def test_a_member_may_what_their_place_in_the_project_allows(case: Case, may: tuple[bool, ...]) -> None:
    reads = may[0]
    expected = ["may" if allowed else "Forbidden" if reads else "NotFound" for allowed in may]
    assert [outcome(case.actor(), permission, case.task()) for permission in TASK_PERMISSIONS] == expected


@pytest.mark.parametrize(("case", "may"), EXAMPLES)
def test_a_viewer_of_the_installation_reads_at_the_most(case: Case, may: tuple[bool, ...]) -> None:
    expected = ["may", *["Forbidden"] * 4] if may[0] else ["NotFound"] * 5
    assert [outcome(case.actor(Role.VIEWER), permission, case.task()) for permission in TASK_PERMISSIONS] == expected


@pytest.mark.parametrize("case", [case for case, _ in EXAMPLES])
def test_an_admin_may_everything_everywhere(case: Case) -> None:
    assert all(outcome(case.actor(Role.ADMIN), permission, case.task()) == "may" for permission in TASK_PERMISSIONS)


@pytest.mark.parametrize(
    ("role", "own", "answers"),
    [
        # what they are, whether it is about themselves: reads, takes in, gives a role, removes
        (OWNER, False, ("may", "may", "may", "may")),
        (EDITOR, False, ("may", "Forbidden", "Forbidden", "Forbidden")),
        (EDITOR, True, ("may", "Forbidden", "Forbidden", "may")),
        (VIEWER, True, ("may", "Forbidden", "Forbidden", "may")),
        (None, False, ("NotFound",) * 4),
        (None, True, ("NotFound",) * 4),
    ],
)
def test_owners_decide_who_belongs_and_anybody_may_leave(
    role: ProjectRole | None, *, own: bool, answers: tuple[str, ...]
) -> None:
    membership = Membership("project", "ann" if own else "bob", EDITOR, AT)
    permissions = (
        Permission.READ_MEMBER,
        Permission.CREATE_MEMBER,
        Permission.CHANGE_MEMBER,
        Permission.DELETE_MEMBER,
    )
    assert tuple(outcome(Case(role).actor(), permission, membership) for permission in permissions) == answers


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", TASK_PERMISSIONS)
def test_what_is_not_there_and_what_is_not_ones_to_see_look_alike(role: Role, permission: Permission) -> None:
    actor, stranger = Case(OWNER).actor(role), Case(None).actor(Role.MEMBER)
    with pytest.raises(NotFound) as absent:
        actor.may(permission, None)
    with pytest.raises(NotFound) as hidden:
        stranger.may(permission, Case(None).task())
    assert absent.value.detail == hidden.value.detail


@pytest.mark.parametrize(("permission", "role"), [(p, r) for p in Permission for r in Role if r not in ACCESS[p]])
def test_a_role_that_never_may_is_told_which_permission_is_missing(permission: Permission, role: Role) -> None:
    actor = Case(OWNER).actor(role)
    assert not actor.may_ever(permission)
    with pytest.raises(Forbidden) as refused:
        actor.scopes(permission)
    assert refused.value.permission == permission
    assert permission in refused.value.detail


@pytest.mark.parametrize(("permission", "role"), [(p, r) for p in Permission for r in ACCESS[p]])
def test_nobody_but_an_admin_is_given_scopes_over_everything(permission: Permission, role: Role) -> None:
    scopes = Case(OWNER).actor(role).scopes(permission)
    everything = Scope(None) in scopes
    in_a_project = permission.noun in {"project", "member", "task"} and permission is not Permission.CREATE_PROJECT
    assert everything == (role is Role.ADMIN or not in_a_project)
    assert all(scope.user_id == "ann" for scope in scopes if not everything)


def test_a_scope_says_how_many_projects_it_may_hold_and_is_the_same_without() -> None:
    (scope,) = Case(OWNER).actor().scopes(Permission.READ_TASK)
    assert (scope.projects, Case(None).actor().scopes(Permission.READ_TASK)[0].projects) == (1, 0)
    assert scope == Scope("ann")
