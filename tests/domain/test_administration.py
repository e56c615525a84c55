"""Administering people: somebody who can is always left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import AT, a_user
from tracker.domain.administration import changes_of, new_reset
from tracker.domain.changes import Change
from tracker.domain.identity import secret_id
from tracker.domain.password_reset import PasswordReset
from tracker.domain.refusals import LastAdmin
from tracker.domain.user import Role, User, UserMembers, UserStatus

MOMENT = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
LEAVING = [UserMembers(role=Role.MEMBER), UserMembers(role=Role.VIEWER), UserMembers(status=UserStatus.DISABLED)]


def an_admin() -> User:
    return a_user(role=Role.ADMIN)


@pytest.mark.parametrize("members", LEAVING)
def test_the_last_admin_cannot_leave(members: UserMembers) -> None:
    ann = an_admin()
    with pytest.raises(LastAdmin):
        changes_of(ann, ann.changed(at=AT, **members), [ann])


@pytest.mark.parametrize("members", LEAVING)
def test_an_admin_who_leaves_leaves_another_who_is_held_to_it(members: UserMembers) -> None:
    ann, bob = an_admin(), an_admin()
    left = ann.changed(at=AT, **members)
    for admins in ([ann, bob], [bob, ann], [bob]):
        assert changes_of(ann, left, admins) == (Change(ann, left), Change(bob, bob.held()))


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_whoever_is_no_admin_can_be_anything(role: Role) -> None:
    ann = a_user(role=role)
    for members in (*LEAVING, UserMembers(role=Role.ADMIN)):
        changed = ann.changed(at=AT, **members)
        assert changes_of(ann, changed, []) == (Change(ann, changed),)


def test_a_disabled_admin_is_none_of_those_who_are_needed() -> None:
    ann = a_user(role=Role.ADMIN, status=UserStatus.DISABLED)
    changed = ann.changed(at=AT, role=Role.MEMBER)
    assert changes_of(ann, changed, []) == (Change(ann, changed),)


def test_the_last_admin_can_change_their_name() -> None:
    ann = an_admin()
    changed = ann.changed(at=AT, username="anna")
    assert changes_of(ann, changed, [ann]) == (Change(ann, changed),)


def test_a_password_reset_is_good_for_an_hour_and_not_at_its_end() -> None:
    ann = a_user()
    reset, _ = PasswordReset.issue(ann, at=AT)
    assert reset.good(ann, AT)
    assert reset.good(ann, AT + HOUR - MOMENT)
    assert not reset.good(ann, AT + HOUR)


def test_a_password_reset_is_kept_without_its_secret() -> None:
    reset, secret = PasswordReset.issue(a_user(), at=AT)
    assert len(secret) == 43
    assert reset.id == secret_id(secret)
    assert secret not in repr(reset)


def test_no_two_password_resets_are_alike() -> None:
    ann = a_user()
    assert len({PasswordReset.issue(ann, at=AT)[1] for _ in range(1000)}) == 1000


def test_a_password_reset_is_void_with_another_password_and_while_one_is_disabled() -> None:
    ann = a_user()
    reset, _ = PasswordReset.issue(ann, at=AT)
    out = ann.changed(at=AT, status=UserStatus.DISABLED)
    assert not reset.good(ann.with_password("another hash", at=AT), AT)
    assert not reset.good(out, AT)
    assert not reset.good(out.changed(at=AT, status=UserStatus.ACTIVE), AT)
    assert reset.good(ann.changed(at=AT, email="ann@example.org"), AT)


def test_a_reset_made_for_who_is_disabled_is_good_once_they_are_let_in() -> None:
    out = a_user(status=UserStatus.DISABLED)
    reset, _ = PasswordReset.issue(out, at=AT)
    assert not reset.good(out, AT)
    assert reset.good(out.changed(at=AT, status=UserStatus.ACTIVE), AT)


def test_another_reset_takes_the_place_of_the_present_one() -> None:
    ann = a_user()
    first, _, made = new_reset(ann, None, at=AT)
    second, _, replaced = new_reset(ann, first, at=AT)
    assert made == (Change(None, first),)
    assert replaced == (Change(first, None), Change(None, second))
