"""People: when two names are the same name, and which passwords are refused."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import AT, a_user
from tracker.domain.refusals import PasswordRefused
from tracker.domain.user import PasswordPolicy, Role, UserStatus, check_password, folded

LATER = AT + timedelta(hours=1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.com", "ANN@Example.COM"),
        ("jos\u00e9", "jose\u0301"),  # one letter, or a letter and an accent
        ("Jos\u00c9", "jose\u0301"),
        ("stra\u00dfe", "STRASSE"),
        ("\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3"),  # a final sigma
        ("\u212b", "\u00e5"),  # the Angstrom sign
    ],
)
def test_two_spellings_of_one_name_are_one_name(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("ann", "anne"), ("ann", "ann "), ("rosa", "r\u043esa"), ("a.b", "ab")])
def test_names_that_differ_stay_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_a_folded_name_is_its_own_folded_form_however_it_was_composed() -> None:
    letters = [chr(code) for code in range(0x3000) if not 0xD800 <= code < 0xE000]
    assert [x for x in letters if folded(folded(x)) != folded(x)] == []
    assert [x for x in letters if folded(unicodedata.normalize("NFD", x)) != folded(x)] == []


ANN = {"username": "ann.of.cleves", "email": "ann@example.com"}


@pytest.mark.parametrize("policy", PasswordPolicy)
@pytest.mark.parametrize("password", ["ann.of.cleves", "ANN.OF.CLEVES", "ann@example.com", "Ann@Example.COM"])
def test_no_policy_takes_ones_own_name_or_address(password: str, policy: PasswordPolicy) -> None:
    with pytest.raises(PasswordRefused) as refused:
        check_password(password, **ANN, policy=policy)
    assert password not in refused.value.detail


@pytest.mark.parametrize("password", ["test@123", "12345678", "password", "aaaaaaaa", "x" * 128])
def test_the_default_policy_takes_what_the_contract_takes(password: str) -> None:
    check_password(password, **ANN, policy=PasswordPolicy.DEFAULT)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("fourteen chars", "15 characters"),
        ("passwordpassword", "guessed"),
        ("Password1234567890!", "guessed"),
        ("correcthorsebatterystaple", "guessed"),
        ("qwertyuiop-asdfghjkl", "guessed"),
        ("aaaabbbbaaaabbbb", "guessed"),
        ("123456789012345", "guessed"),
        ("ann.of.cleves-ann.of.cleves-1540", "guessed"),
        ("Ann of Cleves, ann of cleves", "guessed"),
    ],
)
def test_the_strict_policy_refuses_what_is_short_or_often_guessed(password: str, reason: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        check_password(password, **ANN, policy=PasswordPolicy.STRICT)
    assert reason in refused.value.detail
    assert password not in refused.value.detail


@pytest.mark.parametrize("password", ["seven green umbrellas", "fünfzehn Zeichen", "一二三四五六七八九十百千万億兆"])
def test_the_strict_policy_takes_a_sentence_in_any_script(password: str) -> None:
    check_password(password, **ANN, policy=PasswordPolicy.STRICT)


def test_a_disabled_user_is_the_same_user_one_version_on() -> None:
    user = a_user()
    out = user.changed(at=LATER, status=UserStatus.DISABLED)
    assert (out.id, out.status, out.version, out.updated_at) == (user.id, UserStatus.DISABLED, 2, LATER)
    assert (user.active, out.active) == (True, False)


def test_a_change_that_changes_nothing_is_none() -> None:
    user = a_user()
    assert user.changed(at=LATER) is user
    assert user.changed(at=LATER, username=user.username, role=user.role) is user


def test_what_is_set_of_a_user_is_set_and_the_rest_stays() -> None:
    user = a_user()
    changed = user.changed(at=LATER, username="anna", role=Role.VIEWER)
    assert changed == replace(user, username="anna", role=Role.VIEWER, updated_at=LATER, version=2)


def test_another_password_is_another_version() -> None:
    changed = a_user().with_password("another hash", at=LATER)
    assert (changed.password_hash, changed.version, changed.updated_at) == ("another hash", 2, LATER)


def test_who_is_held_is_the_same_one_version_on() -> None:
    user = a_user()
    assert user.held() == replace(user, version=2)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("status", UserStatus)
def test_only_active_admins_administer(role: Role, status: UserStatus) -> None:
    assert a_user(role=role, status=status).administers == (role is Role.ADMIN and status is UserStatus.ACTIVE)
