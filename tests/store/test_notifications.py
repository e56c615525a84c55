"""What somebody is told, as every store finds it: the newest first, their own, of projects they are in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import (
    AT,
    Person,
    a_membership,
    a_notification,
    a_person,
    a_project,
    a_task,
    added,
    added_tasks,
    removed,
)
from tracker.domain.identity import new_id
from tracker.domain.notification import NotificationKind
from tracker.domain.query import NotificationQuery

if TYPE_CHECKING:
    from tracker.domain.notification import Notification
    from tracker.domain.project import Project
    from tracker.store.contract import Store

MOMENT = timedelta(milliseconds=1)


def in_every_way(query: NotificationQuery, *told: Notification) -> list[NotificationQuery]:
    """Return what finds some unread notifications, with and without each of the things that can be asked for."""
    ids = tuple(one.id for one in told)
    return [
        replace(query, every_project=every_project, unread=unread, ids=ids if named else ())
        for every_project, unread, named in product((False, True), repeat=3)
    ]


@pytest.fixture
def told(store: Store, ann: Person, kitchen: Project) -> list[Notification]:
    """What Ann was told, the newest first; every other one she has read."""
    (task,) = added_tasks(store, a_task(kitchen))
    told = [a_notification(ann.user, task, read_at=AT if n % 2 else None) for n in range(7)]
    added(store, *reversed(told[1:]), told[0])
    return told[::-1]


def test_a_notification_is_found_as_it_was_kept(store: Store, ann: Person, kitchen: Project) -> None:
    instants = {"created_at": AT + MOMENT, "read_at": AT + 2 * MOMENT}
    members: dict[str, Any] = {"head": 2**40, "title": "Wäsche 🪴 '%", "version": 7, **instants}
    told = [a_notification(ann.user, a_task(kitchen), kind=kind, **members) for kind in NotificationKind]
    added(store, *told)

    assert store.notifications(NotificationQuery(ann.user.id)) == told[::-1]


def test_notifications_are_told_the_newest_first_so_many_and_from_a_place_on(
    store: Store, ann: Person, told: list[Notification]
) -> None:
    query = NotificationQuery(ann.user.id)

    assert store.notifications(query) == told
    assert store.notifications(replace(query, limit=3)) == told[:3]
    assert store.notifications(replace(query, limit=3, before=told[2].id)) == told[3:6]
    assert store.notifications(replace(query, before=told[-1].id)) == []


def test_the_unread_ones_and_those_with_an_id_can_be_asked_for_together_and_apart(
    store: Store, ann: Person, told: list[Notification]
) -> None:
    unread = [one for one in told if one.read_at is None]
    some = (told[0].id, told[1].id, told[4].id, new_id())
    query = NotificationQuery(ann.user.id)

    assert store.notifications(replace(query, unread=True)) == unread
    assert store.notifications(replace(query, ids=some)) == [told[0], told[1], told[4]]
    assert store.notifications(replace(query, ids=some, unread=True)) == [told[0], told[4]]
    assert store.notifications(replace(query, ids=some, unread=True, before=told[0].id, limit=1)) == [told[4]]
    assert store.notifications(replace(query, ids=(new_id(),))) == []


def test_nobody_is_told_what_another_is_told(store: Store, kitchen: Project, told: list[Notification]) -> None:
    bob = a_person()
    added(store, *bob, a_membership(kitchen, bob.user))

    for query in in_every_way(NotificationQuery(bob.user.id), *told):
        assert store.notifications(query) == []


def test_of_a_project_that_one_is_no_member_of_one_is_told_nothing_unless_one_sees_every_one(
    store: Store, ann: Person
) -> None:
    garden = a_project()
    membership = a_membership(garden, ann.user)
    told = a_notification(ann.user, a_task(garden))
    added(store, garden, membership, told)
    queries = in_every_way(NotificationQuery(ann.user.id), told)

    assert all(store.notifications(query) == [told] for query in queries)
    removed(store, membership)
    assert [store.notifications(query) == [told] for query in queries] == [query.every_project for query in queries]
    added(store, membership)
    assert all(store.notifications(query) == [told] for query in queries)


def test_what_somebody_was_told_is_no_less_where_its_project_is_gone(store: Store, ann: Person) -> None:
    garden = a_project()
    told = a_notification(ann.user, a_task(garden))
    added(store, garden, a_membership(garden, ann.user), told)
    removed(store, replace(garden, head=1))
    query = NotificationQuery(ann.user.id)

    assert store.notifications(query) == []
    assert store.notifications(replace(query, every_project=True)) == [told]


def test_a_page_is_full_whatever_is_left_out_of_it(store: Store, ann: Person, told: list[Notification]) -> None:
    added(store, *(a_notification(ann.user, a_task(a_project())) for _ in range(5)))
    query = NotificationQuery(ann.user.id, limit=3)

    assert store.notifications(query) == told[:3]
    assert len(store.notifications(replace(query, every_project=True, limit=20))) == 12
