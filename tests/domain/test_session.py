"""Sessions and the links of their chain."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from tests.builders import AT, a_session, a_user
from tracker.domain.identity import secret_id
from tracker.domain.project import Membership, Project, ProjectKind, ProjectRole
from tracker.domain.registration import new_account
from tracker.domain.session import RefreshToken
from tracker.domain.user import Role, User, UserStatus

MOMENT = timedelta(milliseconds=1)


def test_a_session_is_alive_for_thirty_days_and_not_at_their_end() -> None:
    ann = a_user()
    session = a_session(ann)
    assert session.alive(ann, AT)
    assert session.alive(ann, AT + timedelta(days=30) - MOMENT)
    assert not session.alive(ann, AT + timedelta(days=30))


def test_a_session_that_ended_is_over_at_once_and_ends_once() -> None:
    ann = a_user()
    ended = a_session(ann).ended(at=AT)
    assert not ended.alive(ann, AT)
    assert ended.version == 2
    assert ended.ended(at=AT + MOMENT) is ended


def test_with_another_password_every_session_is_over_but_the_one_that_is_kept() -> None:
    ann = a_user()
    one, other = a_session(ann), a_session(ann)
    changed = ann.with_password("another hash", at=AT)
    assert not one.alive(changed, AT)
    assert not other.alive(changed, AT)
    assert one.kept(changed).alive(changed, AT)
    assert one.kept(changed).version == 2
    assert a_session(changed).alive(changed, AT)


def test_a_session_begun_with_what_was_read_before_is_over_when_it_begins() -> None:
    ann = a_user()
    changed = ann.with_password("another hash", at=AT)
    assert not a_session(ann).alive(changed, AT)


def test_who_is_shut_out_has_no_session_nor_has_one_back_when_let_in_again() -> None:
    ann = a_user()
    session = a_session(ann)
    out = ann.changed(at=AT, status=UserStatus.DISABLED)
    assert not session.alive(out, AT)
    back = out.changed(at=AT, status=UserStatus.ACTIVE)
    assert not session.alive(back, AT)
    assert a_session(back).alive(back, AT)


def test_another_role_or_name_ends_no_session() -> None:
    ann = a_user()
    changed = ann.changed(at=AT, role=Role.VIEWER, username="anna", email="anna@example.org")
    assert a_session(ann).alive(changed, AT)


def test_a_refresh_token_is_kept_without_its_secret() -> None:
    token, secret = RefreshToken.issue("session", at=AT)
    assert len(secret) == 43
    assert token.id == hashlib.sha256(secret.encode()).hexdigest() == secret_id(secret)
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
