"""Registering somebody: a user comes with an inbox and owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.domain.changes import Change
from tracker.domain.project import INBOX_NAME, Membership, Project, ProjectKind, ProjectRole
from tracker.domain.user import User

if TYPE_CHECKING:
    from datetime import datetime

    from tracker.domain.user import Role


def new_account(
    *, username: str, email: str, role: Role, password_hash: str, at: datetime
) -> tuple[User, tuple[Change, ...]]:
    """Return a new user, and all that becomes true with them."""
    inbox = Project.new(INBOX_NAME, at=at, kind=ProjectKind.INBOX)
    user = User.new(username=username, email=email, role=role, password_hash=password_hash, inbox_id=inbox.id, at=at)
    ownership = Membership(inbox.id, user.id, ProjectRole.OWNER, at)
    return user, (Change(None, inbox), Change(None, user), Change(None, ownership))
