"""What is over is thrown away: the oldest first, so much at a time, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.builders import (
    AT,
    Person,
    a_job_run,
    a_notification,
    a_person,
    a_refresh_token,
    a_reminder,
    a_session,
    a_task,
    added,
    changes,
)
from tracker.domain.changes import Change
from tracker.domain.identity import new_id
from tracker.domain.job import JobState
from tracker.domain.password_reset import PasswordReset
from tracker.store.contract import Claim, Perishable, Stale

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from tracker.domain.changes import Entity
    from tracker.store.contract import Store

MOMENT = timedelta(milliseconds=1)
BEFORE, AFTER = [AT - 3 * MOMENT, AT - 2 * MOMENT, AT - MOMENT], [AT, AT + MOMENT]


def kept(store: Store, entity: Entity) -> Callable[[], bool]:
    """Keep an entity, and return how to ask whether it is still there as it was."""
    added(store, entity)

    def is_there() -> bool:
        try:
            store.rehearse(changes(Change(entity, replace(entity, version=entity.version + 1))))
        except Stale:
            return False
        return True

    return is_there


def a_kept_claim(store: Store, _: Person, at: datetime) -> Callable[[], bool]:
    owner = new_id()
    store.commit(changes(), Claim(owner, "k", "f" * 64, at, lambda _receipt: "done"))
    return lambda: store.claimed(owner, "k") is not None


def a_kept_reset(store: Store, _: Person, at: datetime) -> Callable[[], bool]:
    bob = a_person()  # a user has one at the most
    added(store, *bob)
    return kept(store, replace(PasswordReset.issue(bob.user, at=AT)[0], expires_at=at))


# How to keep something that is over at an instant; each returns how to ask whether it is still there.
OVER: Mapping[Perishable, Callable[[Store, Person, datetime], Callable[[], bool]]] = {
    Perishable.SESSIONS: lambda store, ann, at: kept(store, a_session(ann.user, expires_at=at)),
    Perishable.PASSWORD_RESETS: a_kept_reset,
    Perishable.CLAIMS: a_kept_claim,
    Perishable.REMINDERS: lambda store, ann, at: kept(store, a_reminder(a_task(ann.inbox), due_at=at)),
    Perishable.NOTIFICATIONS: lambda store, ann, at: kept(
        store, a_notification(ann.user, a_task(ann.inbox), created_at=at)
    ),
    Perishable.JOB_RUNS: lambda store, _, at: kept(store, a_job_run(job=new_id(), window=at)),
}


@pytest.mark.parametrize("what", Perishable)
def test_what_was_over_before_an_instant_is_thrown_away_the_oldest_first(
    store: Store, ann: Person, what: Perishable
) -> None:
    things = {at: OVER[what](store, ann, at) for at in (*AFTER, *reversed(BEFORE))}

    assert store.purge(what, before=BEFORE[0], limit=10) == 0
    assert store.purge(what, before=AT, limit=2) == 2
    assert [at for at in sorted(things) if things[at]()] == [BEFORE[2], *AFTER]
    assert store.purge(what, before=AT, limit=2) == 1
    assert [at for at in sorted(things) if things[at]()] == AFTER
    assert store.purge(what, before=AT, limit=2) == 0
    assert store.purge(what, before=AFTER[-1] + MOMENT, limit=10) == 2
    assert not any(is_there() for is_there in things.values())


def test_nothing_else_is_thrown_away_and_nothing_tells_of_it(store: Store, ann: Person) -> None:
    things = {what: OVER[what](store, ann, AT - MOMENT) for what in Perishable}

    def left() -> tuple[object, ...]:
        return store.project(ann.inbox.id), store.log(ann.inbox.id), store.standing(ann.session.id, asked="everything")

    before = left()

    for what in Perishable:
        assert store.purge(what, before=AT, limit=10) == 1
        del things[what]
        assert all(is_there() for is_there in things.values())

    assert left() == before


def test_a_session_is_thrown_away_with_its_refresh_tokens_which_do_not_count(store: Store, ann: Person) -> None:
    old = a_session(ann.user, expires_at=AT - MOMENT)
    tokens = [a_refresh_token(old), a_refresh_token(old), a_refresh_token(ann.session)]
    added(store, old, *tokens)

    assert store.purge(Perishable.SESSIONS, before=AT, limit=10) == 1
    assert [store.refresh_token(token.id) for token in tokens] == [None, None, tokens[2]]
    assert store.session(ann.session.id) == ann.session


def test_a_session_is_over_when_it_expires_and_not_when_it_ended(store: Store, ann: Person) -> None:
    ended = a_session(ann.user, ended_at=AT - MOMENT, expires_at=AT)
    added(store, ended)

    assert store.purge(Perishable.SESSIONS, before=AT, limit=10) == 0
    assert store.session(ended.id) == ended


def test_a_run_goes_with_its_window_however_it_stands(store: Store) -> None:
    runs = [a_job_run(job=state, window=AT - MOMENT, state=state, finished_at=AT, held_until=AT) for state in JobState]
    added(store, *runs)

    assert store.purge(Perishable.JOB_RUNS, before=AT, limit=10) == len(runs)
