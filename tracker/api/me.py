"""The operations tagged Me."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracker.api.paging import id_at, page_of
from tracker.api.reply import Body, Reply
from tracker.api.representations import notification_json, session_json, user_json
from tracker.domain.access import Permission, Scope
from tracker.domain.changes import Change
from tracker.domain.query import NotificationQuery
from tracker.domain.refusals import NotFound, Unauthenticated, WrongPassword
from tracker.domain.user import Passwords, check_password

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.api.cursors import Cursors
    from tracker.domain.access import Actor
    from tracker.domain.clock import Clock
    from tracker.domain.notification import Notification
    from tracker.domain.user import User
    from tracker.store.contract import Reader

MOST = 200  # notifications that one operation marks


def get_me(actor: Actor, store: Reader) -> Reply:
    """Read one's own account."""
    return Reply(user_json(_oneself(actor, store)))


def update_me(body: Body, actor: Actor, store: Reader, clock: Clock, passwords: Passwords) -> Reply:
    """Change one's own names; for another address one has to know the password too."""
    user = _oneself(actor, store)
    username, email = body.get("username", user.username), body.get("email", user.email)
    if email != user.email:
        _check_present(user, body.get("current_password", ""), passwords)
    changed = user.changed(at=clock(), username=username, email=email)
    return Reply(user_json(changed), changes=[Change(user, changed)])


def change_password(body: Body, actor: Actor, store: Reader, clock: Clock, passwords: Passwords) -> Reply:
    """Change one's own password, and end all other sessions."""
    user, session = _oneself(actor, store), store.session(actor.session_id)
    if session is None:
        raise Unauthenticated
    _check_present(user, body["current_password"], passwords)
    password = body["new_password"]
    check_password(password, username=user.username, email=user.email, policy=passwords.policy)
    changed = user.with_password(passwords.hash(password), at=clock())
    return Reply(status=204, changes=[Change(user, changed), Change(session, session.kept(changed))])


def list_sessions(  # noqa: PLR0913 - a handler takes what it uses, by name
    *, limit: int, cursor: str | None, actor: Actor, store: Reader, clock: Clock, cursors: Cursors
) -> Reply:
    """List one's own sessions that are alive, the newest first."""
    this_list = f"sessions of {actor.id}"
    found = store.sessions(actor.id, at=clock(), before=id_at(cursor, cursors, this_list), limit=limit + 1)
    items, following = page_of(found, limit, cursors, this_list)
    return Reply({"items": [session_json(session, actor.session_id) for session in items], "next": following})


def revoke_session(session_id: str, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """End one of one's own sessions."""
    session, user = store.session(session_id), _oneself(actor, store)
    if session is None or session.user_id != actor.id or not session.alive(user, clock()):
        raise NotFound("session")
    return Reply(status=204, changes=[Change(session, session.ended(at=clock()))])


def list_notifications(  # noqa: PLR0913 - likewise
    *, unread: bool, limit: int, cursor: str | None, actor: Actor, store: Reader, cursors: Cursors
) -> Reply:
    """List what one was told, the newest first."""
    this_list = f"notifications of {actor.id}, unread: {unread}"
    before = id_at(cursor, cursors, this_list)
    found = store.notifications(replace(_told(actor), unread=unread, before=before, limit=limit + 1))
    items, following = page_of(found, limit, cursors, this_list)
    return Reply({"items": [notification_json(notification) for notification in items], "next": following})


def mark_notifications_read(body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Mark some of what one was told as read, or all up to one."""
    found = _named(body["ids"], actor, store) if "ids" in body else _unread_up_to(body["up_to"], actor, store)
    at = clock()
    changes = [Change(notification, notification.read(at=at)) for notification in found[:MOST]]
    read = sum(not change.idle for change in changes)
    return Reply({"read": read, "more": len(found) > MOST}, changes=changes)


def _told(actor: Actor) -> NotificationQuery:
    """Return the query for all that somebody was told of the projects that they see."""
    return NotificationQuery(actor.id, every_project=Scope(None) in actor.scopes(Permission.READ_TASK))


def _named(ids: Sequence[str], actor: Actor, store: Reader) -> Sequence[Notification]:
    found = store.notifications(replace(_told(actor), ids=tuple(ids), limit=MOST))
    if len(found) < len(ids):
        raise NotFound("notification")
    return found


def _unread_up_to(last: str, actor: Actor, store: Reader) -> Sequence[Notification]:
    """Return what somebody has not read up to one, one more than can be marked at once at the most."""
    _named([last], actor, store)
    return store.notifications(replace(_told(actor), unread=True, up_to=last, limit=MOST + 1))


def _oneself(actor: Actor, store: Reader) -> User:
    user = store.user(actor.id)
    if user is None:
        raise Unauthenticated
    return user


def _check_present(user: User, password: str, passwords: Passwords) -> None:
    if not passwords.verify(user.password_hash, password):
        raise WrongPassword
