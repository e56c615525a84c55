"""What is done to people from above. An installation always has an active admin; a user has one way back in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.domain.changes import Change
from tracker.domain.password_reset import PasswordReset
from tracker.domain.query import UserQuery
from tracker.domain.refusals import LastAdmin
from tracker.domain.user import Role, UserStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tracker.domain.user import User

ACTIVE_ADMINS = UserQuery(Role.ADMIN, UserStatus.ACTIVE, limit=2)  # two: whoever it is about, another is among them


def changes_of(before: User, after: User, admins: Iterable[User]) -> tuple[Change, ...]:
    """Return what has to become true together for a user to be changed; LastAdmin where no admin would be left.

    ``admins`` are those that ACTIVE_ADMINS finds. Whoever stops being one leaves another, who is held to it: of two who
    shut each other out at once, one is beaten, and decides again.
    """
    if not before.administers or after.administers:
        return (Change(before, after),)
    left = next((admin for admin in admins if admin.id != before.id), None)
    if left is None:
        raise LastAdmin
    return Change(before, after), Change(left, left.held())


def new_reset(
    user: User, present: PasswordReset | None, *, at: datetime
) -> tuple[PasswordReset, str, tuple[Change, ...]]:
    """Return a new reset for a user, its secret, and what becomes true with it: the present one is gone."""
    reset, secret = PasswordReset.issue(user, at=at)
    made = Change(None, reset)
    return reset, secret, (Change(present, None), made) if present else (made,)
