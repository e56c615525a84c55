"""The operations tagged Accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.api.reply import Body, Reply
from tracker.api.representations import user_json
from tracker.domain.access import Actor, Permission
from tracker.domain.changes import Change
from tracker.domain.identity import secret_id
from tracker.domain.refusals import Forbidden, WrongCredentials
from tracker.domain.registration import new_account
from tracker.domain.session import RefreshToken, Session, Tokens
from tracker.domain.user import Passwords, Role, User, check_password

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tracker.domain.clock import Clock
    from tracker.store.contract import Reader


def register_user(  # noqa: PLR0913 - a handler takes what it uses, by name
    *, body: Body, actor: Actor | None, store: Reader, clock: Clock, passwords: Passwords, first_user_is_admin: bool
) -> Reply:
    """Register somebody, with an inbox of their own. Nobody makes themselves an admin."""
    role = Role(body.get("role", Role.MEMBER))
    if role is Role.ADMIN and not _may_make_admin(actor, store, first_user_is_admin=first_user_is_admin):
        raise Forbidden(Permission.MAKE_ADMIN)
    username, email, password = body["username"], body["email"], body["password"]
    check_password(password, username=username, email=email, policy=passwords.policy)
    user, changes = new_account(
        username=username, email=email, role=role, password_hash=passwords.hash(password), at=clock()
    )
    return Reply(user_json(user), status=201, changes=changes, by=user.id)


def _may_make_admin(actor: Actor | None, store: Reader, *, first_user_is_admin: bool) -> bool:
    if actor is not None:
        return actor.may_ever(Permission.MAKE_ADMIN)
    return first_user_is_admin and not store.has_users()


def login(body: Body, store: Reader, clock: Clock, passwords: Passwords, tokens: Tokens) -> Reply:
    """Start a session for whoever knows the password."""
    user = store.user_named(username=body.get("username"), email=body.get("email"))
    known = passwords.verify(user.password_hash if user else None, body["password"])
    if user is None or not known or not user.active:
        raise WrongCredentials
    session = Session.new(user, at=clock())
    return _tokens(user, session, [Change(None, session)], tokens, at=session.created_at)


def refresh_token(body: Body, store: Reader, clock: Clock, tokens: Tokens) -> Reply:
    """Trade a refresh token for new tokens; a second use of one ends its session."""
    at = clock()
    token = store.refresh_token(secret_id(body["refresh_token"]))
    session = store.session(token.session_id) if token else None
    user = store.user(session.user_id) if session else None
    if token is None or session is None or user is None:
        raise WrongCredentials
    if not session.alive(user, at):
        raise WrongCredentials
    if token.used_at is not None:
        raise WrongCredentials(changes=(Change(session, session.ended(at=at)),))
    return _tokens(user, session, [Change(token, token.used(at=at))], tokens, at=at)


def logout(actor: Actor, store: Reader, clock: Clock) -> Reply:
    """End the session of the token."""
    session = store.session(actor.session_id)
    return Reply(status=204, changes=[Change(session, session.ended(at=clock()))] if session else [])


def reset_password(body: Body, store: Reader, clock: Clock, passwords: Passwords) -> Reply:
    """Set another password for whoever a one-time secret was made for, and end all their sessions."""
    at = clock()
    reset = store.password_reset(secret_id(body["secret"]))
    user = store.user(reset.user_id) if reset else None
    if reset is None or user is None or not reset.good(user, at):
        raise WrongCredentials
    password = body["new_password"]
    check_password(password, username=user.username, email=user.email, policy=passwords.policy)
    changed = user.with_password(passwords.hash(password), at=at)
    return Reply(status=204, changes=[Change(user, changed), Change(reset, None)], by=user.id)


def get_json_web_keys(public_keys: Sequence[Mapping[str, str]]) -> Reply:
    """List the public keys of the access tokens."""
    return Reply({"keys": list(public_keys)})


def _tokens(user: User, session: Session, changes: list[Change], tokens: Tokens, *, at: datetime) -> Reply:
    link, secret = RefreshToken.issue(session.id, at=at)
    access_token = tokens.issue(user, session, at=at)
    body = {
        "access_token": access_token,
        "token": access_token,
        "token_type": "Bearer",
        "expires_in": int(tokens.lifetime.total_seconds()),
        "refresh_token": secret,
    }
    return Reply(body, changes=[*changes, Change(None, link)], by=user.id, secret=True)
