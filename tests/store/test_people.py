"""Users, their sessions and their password resets, as every store finds and keeps them."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from tests.builders import AT, a_person, a_session, a_user, added, changes, replaced
from tests.racing import outcomes_at_once
from tracker.domain.administration import ACTIVE_ADMINS, changes_of
from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.changes import Change
from tracker.domain.password_reset import PasswordReset
from tracker.domain.query import UserQuery
from tracker.domain.user import Role, User, UserStatus
from tracker.store.contract import Stale

if TYPE_CHECKING:
    from tests.builders import Person
    from tracker.store.contract import Store

MOMENT = timedelta(milliseconds=1)
MANY = 16


@pytest.fixture
def people(store: Store) -> list[User]:
    """Two of each role and status, by id."""
    made = [a_person(role=role, status=status) for _ in range(2) for role in Role for status in UserStatus]
    for person in made:
        added(store, *person)
    return sorted((person.user for person in made), key=lambda user: user.id)


def test_users_are_listed_by_id(store: Store, people: list[User]) -> None:
    assert store.users(UserQuery()) == people


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("status", [None, *UserStatus])
def test_users_are_found_by_role_and_status(
    store: Store, people: list[User], role: Role | None, status: UserStatus | None
) -> None:
    expected = [user for user in people if role in {None, user.role} and status in {None, user.status}]
    assert store.users(UserQuery(role, status)) == expected
    assert store.users(UserQuery(role, status, expected[0].id, 1)) == expected[1:2]


@pytest.mark.parametrize("limit", [1, 5, 12, 13])
def test_pages_of_users_hold_each_once(store: Store, people: list[User], limit: int) -> None:
    found: list[User] = []
    while page := store.users(UserQuery(after=found[-1].id if found else None, limit=limit)):
        assert len(page) <= limit
        found += page
    assert found == people


def test_sessions_that_are_alive_are_listed_the_newest_first(store: Store, ann: Person) -> None:
    bob = a_person()
    later = [a_session(ann.user, created_at=AT, expires_at=AT + MOMENT) for _ in range(3)]
    added(store, *bob, *later, a_session(ann.user, ended_at=AT), a_session(ann.user, expires_at=AT))
    alive = [*reversed(later), ann.session]

    assert store.sessions(ann.user.id, at=AT) == alive
    assert store.sessions(ann.user.id, at=AT, limit=2) == alive[:2]
    assert store.sessions(ann.user.id, at=AT, before=alive[1].id) == alive[2:]
    assert store.sessions(ann.user.id, at=AT + MOMENT) == [ann.session]


def test_sessions_of_an_earlier_generation_are_over(store: Store, ann: Person) -> None:
    other = a_session(ann.user)
    added(store, other)
    changed = ann.user.with_password("another", at=AT)
    kept = ann.session.kept(changed)
    store.commit(changes(Change(ann.user, changed), Change(ann.session, kept)))

    assert store.standing(other.id) is None
    assert store.standing(kept.id) is not None
    assert store.sessions(ann.user.id, at=AT) == [kept]
    assert (store.user(ann.user.id), store.session(kept.id)) == (changed, kept)


def test_a_session_that_begins_with_what_was_read_before_has_no_standing(store: Store, ann: Person) -> None:
    late = a_session(ann.user)
    replaced(store, ann.user, session_generation=2)
    added(store, late)
    assert store.standing(late.id) is None


def test_a_password_reset_is_found_by_its_id_and_by_its_user(store: Store, ann: Person) -> None:
    reset, secret = PasswordReset.issue(ann.user, at=AT)
    assert store.password_reset_of(ann.user.id) is None
    added(store, reset)
    assert store.password_reset(reset.id) == store.password_reset_of(ann.user.id) == reset
    assert store.password_reset(secret) is None


def test_a_user_has_one_password_reset_and_another_takes_its_place(store: Store, ann: Person) -> None:
    first, second = (PasswordReset.issue(ann.user, at=AT)[0] for _ in range(2))
    added(store, first)
    with pytest.raises(Stale):
        added(store, second)
    store.commit(changes(Change(first, None), Change(None, second)))
    assert store.password_reset(first.id) is None
    assert store.password_reset_of(ann.user.id) == second


def test_of_many_who_make_a_reset_for_one_user_at_once_one_does(store: Store, ann: Person) -> None:
    resets = [PasswordReset.issue(ann.user, at=AT)[0] for _ in range(MANY)]
    outcomes = outcomes_at_once(MANY, lambda n: added(store, resets[n]))
    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == MANY - 1


def test_of_many_who_use_one_reset_at_once_one_does(store: Store, ann: Person) -> None:
    reset, _ = PasswordReset.issue(ann.user, at=AT)
    added(store, reset)
    outcomes = outcomes_at_once(MANY, lambda _: store.commit(changes(Change(reset, None))))
    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == MANY - 1


def test_nobody_can_be_given_a_reset_who_is_not_there(store: Store) -> None:
    with pytest.raises(Stale):
        added(store, PasswordReset.issue(a_user(), at=AT)[0])


def test_a_calendar_feed_is_found_by_its_id_and_by_its_user(store: Store, ann: Person) -> None:
    feed, token = CalendarFeed.issue(ann.user.id, at=AT)
    assert store.calendar_feed_of(ann.user.id) is None
    added(store, feed)
    assert store.calendar_feed(feed.id) == store.calendar_feed_of(ann.user.id) == feed
    assert store.calendar_feed(token) is None


def test_a_user_has_one_calendar_feed_and_another_takes_its_place(store: Store, ann: Person) -> None:
    first, second = (CalendarFeed.issue(ann.user.id, at=AT)[0] for _ in range(2))
    added(store, first)
    with pytest.raises(Stale):
        added(store, second)
    store.commit(changes(Change(first, None), Change(None, second)))
    assert store.calendar_feed(first.id) is None
    assert store.calendar_feed_of(ann.user.id) == second


def test_of_many_who_make_a_calendar_feed_for_one_user_at_once_one_does(store: Store, ann: Person) -> None:
    feeds = [CalendarFeed.issue(ann.user.id, at=AT)[0] for _ in range(MANY)]
    outcomes = outcomes_at_once(MANY, lambda n: added(store, feeds[n]))
    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == MANY - 1


def test_nobody_can_be_given_a_calendar_feed_who_is_not_there(store: Store) -> None:
    with pytest.raises(Stale):
        added(store, CalendarFeed.issue(a_user().id, at=AT)[0])


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_of_three_admins_who_each_shut_another_out_at_once_one_succeeds(store: Store, order: tuple[int, ...]) -> None:
    admins = [a_person(role=Role.ADMIN) for _ in range(3)]
    for admin in admins:
        added(store, *admin)
    found = store.users(ACTIVE_ADMINS)  # all decide on this
    outs = [(user, user.changed(at=AT, status=UserStatus.DISABLED)) for user, *_ in admins]
    decided = [changes(*changes_of(user, out, found)) for user, out in outs]

    store.commit(decided[order[0]])
    for beaten in order[1:]:
        with pytest.raises(Stale):
            store.commit(decided[beaten])
    assert len(store.users(UserQuery(Role.ADMIN, UserStatus.ACTIVE))) == 2
