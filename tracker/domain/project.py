"""Projects and who belongs to them. A project always has an owner; every user has an inbox, a project of their own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tracker.domain.identity import new_id

if TYPE_CHECKING:
    from datetime import datetime

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


@dataclass(frozen=True)
class Project:
    """A set of tasks with one change log. ``head`` counts the commits that touched it; the store alone moves it."""

    id: str
    name: str
    description: str
    kind: ProjectKind
    archive_done_after_days: int | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    head: int = 0
    version: int = 1

    @classmethod
    def new(cls, name: str, *, at: datetime, description: str = "", kind: ProjectKind = ProjectKind.PROJECT) -> Project:
        """Return a project that begins at ``at``; whoever makes it adds its first owner in the same ChangeSet."""
        return cls(new_id(), name, description, kind, None, None, at, at)


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
