"""Sessions and the links of their chain."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from tests.builders import AT, a_session, a_user
from tracker.domain.project import Membership, Project, ProjectKind, ProjectRole
from tracker.domain.registration import new_account
from tracker.domain.session import RefreshToken
from tracker.domain.user import Role, User

MOMENT = timedelta(milliseconds=1)


def test_a_session_is_alive_for_thirty_days_and_not_at_their_end() -> None:
    session = a_session(a_user())
    assert session.alive(AT)
    assert session.alive(AT + timedelta(days=30) - MOMENT)
    assert not session.alive(AT + timedelta(days=30))


def test_a_session_that_ended_is_over_at_once_and_ends_once() -> None:
    ended = a_session(a_user()).ended(at=AT)
    assert not ended.alive(AT)
    assert ended.version == 2
    assert ended.ended(at=AT + MOMENT) is ended


def test_a_refresh_token_is_kept_without_its_secret() -> None:
    token, secret = RefreshToken.issue("session", at=AT)
    assert len(secret) == 43
    assert token.id == hashlib.sha256(secret.encode()).hexdigest() == RefreshToken.id_of(secret)
    assert secret not in repr(token)


def test_no_two_refresh_tokens_are_alike() -> None:
    assert len({RefreshToken.issue("session", at=AT)[1] for _ in range(1000)}) == 1000


def test_a_used_refresh_token_says_when() -> None:
    token, _ = RefreshToken.issue("session", at=AT)
    assert (token.used(at=AT + MOMENT).used_at, token.used(at=AT).version) == (AT + MOMENT, 2)


def test_whoever_registers_owns_an_inbox() -> None:
    user, changes = new_account(username="ann", email="a@example.com", role=Role.MEMBER, password_hash="#", at=AT)
    made = {type(change.after): change.after for change in changes}
    inbox, ownership = made[Project], made[Membership]

    assert made[User] == user
    assert all(change.before is None for change in changes)
    assert isinstance(inbox, Project)
    assert (inbox.id, inbox.kind) == (user.inbox_id, ProjectKind.INBOX)
    assert isinstance(ownership, Membership)
    assert (ownership.project_id, ownership.user_id, ownership.role) == (inbox.id, user.id, ProjectRole.OWNER)
