"""The operations tagged Users: of admins, on everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.api.paging import id_at, page_of
from tracker.api.reply import Body, Reply
from tracker.api.representations import user_json
from tracker.domain.administration import ACTIVE_ADMINS, changes_of, new_reset
from tracker.domain.clock import rfc3339
from tracker.domain.query import UserQuery
from tracker.domain.refusals import NotFound
from tracker.domain.user import Role, UserStatus

if TYPE_CHECKING:
    from tracker.api.cursors import Cursors
    from tracker.domain.access import Actor
    from tracker.domain.clock import Clock
    from tracker.domain.user import User
    from tracker.store.contract import Reader


def list_users(  # noqa: PLR0913 - a handler takes what it uses, by name
    *,
    role: str | None,
    status: str | None,
    limit: int,
    cursor: str | None,
    actor: Actor,
    store: Reader,
    cursors: Cursors,
) -> Reply:
    """List the users by id."""
    this_list = f"users of role {role} and status {status} for {actor.id}"
    query = UserQuery(
        role=Role(role) if role else None,
        status=UserStatus(status) if status else None,
        after=id_at(cursor, cursors, this_list),
        limit=limit + 1,
    )
    items, following = page_of(store.users(query), limit, cursors, this_list)
    return Reply({"items": [user_json(user) for user in items], "next": following})


def get_user(user_id: str, store: Reader) -> Reply:
    """Read a user."""
    return Reply(user_json(_found(user_id, store)))


def update_user(user_id: str, body: Body, store: Reader, clock: Clock) -> Reply:
    """Give a user another role, let them in, or shut them out."""
    user = _found(user_id, store)
    role, status = Role(body.get("role", user.role)), UserStatus(body.get("status", user.status))
    changed = user.changed(at=clock(), role=role, status=status)
    return Reply(user_json(changed), changes=changes_of(user, changed, store.users(ACTIVE_ADMINS)))


def reset_user_password(user_id: str, store: Reader, clock: Clock) -> Reply:
    """Make a secret with which the user can set another password, once."""
    user = _found(user_id, store)
    reset, secret, changes = new_reset(user, store.password_reset_of(user.id), at=clock())
    body = {"secret": secret, "expires_at": rfc3339(reset.expires_at)}
    return Reply(body, status=201, changes=changes, secret=True)


def _found(user_id: str, store: Reader) -> User:
    user = store.user(user_id)
    if user is None:
        raise NotFound("user")
    return user
