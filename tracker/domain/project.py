"""Projects and who belongs to them. A project always has an owner; every user has an inbox, a project of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict

from tracker.domain.identity import new_id
from tracker.domain.refusals import InboxIsPersonal

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Unpack

INBOX_NAME = "Inbox"


class ProjectKind(StrEnum):
    """An inbox belongs to one user for good; a project can be shared."""

    INBOX = "inbox"
    PROJECT = "project"


class ProjectRole(StrEnum):
    """What a member may do in one project."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


class ProjectMembers(TypedDict, total=False):
    """What can be set of a project; a member that is absent stays as it is."""

    name: str
    description: str
    archive_done_after_days: int | None


@dataclass(frozen=True)
class Project:
    """A set of tasks with one change log.

    ``head`` counts the commits that touched it, ``last_number`` the numbers its tasks were given; the store alone moves
    these two.
    """

    id: str
    name: str
    description: str
    kind: ProjectKind
    archive_done_after_days: int | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    head: int = 0
    last_number: int = 0
    version: int = 1

    @classmethod
    def new(
        cls,
        name: str,
        *,
        at: datetime,
        description: str = "",
        kind: ProjectKind = ProjectKind.PROJECT,
        archive_done_after_days: int | None = None,
    ) -> Project:
        """Return a project that begins at ``at``; whoever makes it adds its first owner in the same ChangeSet."""
        return cls(new_id(), name, description, kind, archive_done_after_days, None, at, at)

    @property
    def project_id(self) -> str:
        """Its own id: what is in a project, and the project itself, answer alike where they belong."""
        return self.id

    def changed(self, *, at: datetime, archived: bool | None = None, **members: Unpack[ProjectMembers]) -> Project:
        """Return this project with ``members`` in place of its own, one version on; itself where nothing differs.

        Where ``archived`` is None that stays as it is too; what is archived already stays so since then. Raises
        InboxIsPersonal for another name of an inbox, or an inbox that would be archived.
        """
        since = self.archived_at if archived is None else (self.archived_at or at) if archived else None
        changed = replace(self, archived_at=since, **members)
        if changed == self:
            return self
        if (changed.name, changed.archived_at) != (self.name, self.archived_at):
            self.check_shareable()
        return replace(changed, updated_at=at, version=self.version + 1)

    def admitted(self, user_id: str, role: ProjectRole, *, at: datetime) -> Membership:
        """Return the membership of somebody new; InboxIsPersonal for an inbox."""
        self.check_shareable()
        return Membership(self.id, user_id, role, at)

    def check_shareable(self) -> None:
        """Raise InboxIsPersonal for an inbox: whatever makes a project more or less than one user's own."""
        if self.kind is ProjectKind.INBOX:
            raise InboxIsPersonal


@dataclass(frozen=True)
class Membership:
    """One user's role in one project. Any change of it raises that user's ``access_version``."""

    project_id: str
    user_id: str
    role: ProjectRole
    created_at: datetime
    version: int = 1

    @property
    def id(self) -> str:
        """The pair that names it."""
        return f"{self.project_id}/{self.user_id}"

    @property
    def owns(self) -> bool:
        """Whether it is one of those that a project cannot all be without."""
        return self.role is ProjectRole.OWNER

    def changed(self, role: ProjectRole) -> Membership:
        """Return this membership with a role, one version on; itself where it is that role already."""
        return self if role is self.role else replace(self, role=role, version=self.version + 1)


@dataclass(frozen=True)
class Member:
    """A membership, and what whoever holds it is called."""

    membership: Membership
    username: str
