"""Idempotency keys, rehearsals, and what is read of the log for undoing: what every store promises of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.builders import AT, a_person, a_project, a_task, a_user, added, added_tasks, changes, removed, replaced
from tests.racing import outcomes_at_once
from tracker.domain.changes import Change
from tracker.domain.refusals import Taken
from tracker.store.contract import CLAIM_LIFETIME, Claim, Claimed, Receipt, Stale

if TYPE_CHECKING:
    from datetime import datetime

    from tracker.domain.project import Project
    from tracker.store.contract import Store


@pytest.fixture
def kitchen(store: Store) -> Project:
    project = a_project()
    added(store, project)
    return project


def a_claim(at: datetime = AT, *, owner: str = "ann", key: str = "k", answer: str = "done") -> Claim:
    return Claim(owner, key, "f" * 64, at, lambda _receipt: answer)


def test_a_claim_is_kept_with_what_it_claims(store: Store, kitchen: Project) -> None:
    task = a_task(kitchen)

    def answer(receipt: Receipt) -> str:
        return f"number {receipt.kept(task).number}"

    store.commit(changes(Change(None, task)), replace(a_claim(), answer=answer))

    assert store.claimed("ann", "k") == Claimed("f" * 64, AT, "number 1")
    assert store.task(task.id) is not None


def test_a_claim_is_kept_also_when_nothing_changes(store: Store) -> None:
    assert store.commit(changes(), a_claim()) == Receipt({}, {})

    assert store.claimed("ann", "k") == Claimed("f" * 64, AT, "done")


def test_a_second_claim_of_a_key_is_stale_and_nothing_of_it_is_written(store: Store, kitchen: Project) -> None:
    store.commit(changes(), a_claim())
    task = a_task(kitchen)

    with pytest.raises(Stale):
        store.commit(changes(Change(None, task)), a_claim(answer="again"))

    assert store.task(task.id) is None
    assert store.claimed("ann", "k") == Claimed("f" * 64, AT, "done")


def test_keys_belong_to_their_owner(store: Store) -> None:
    store.commit(changes(), a_claim(answer="hers"))
    store.commit(changes(), a_claim(owner="bob", answer="his"))

    assert [getattr(store.claimed(owner, "k"), "answer", None) for owner in ("ann", "bob", "eve")] == [
        "hers",
        "his",
        None,
    ]


def test_a_claim_makes_way_for_another_after_a_day_and_not_before(store: Store) -> None:
    store.commit(changes(), a_claim())
    with pytest.raises(Stale):
        store.commit(changes(), a_claim(AT + CLAIM_LIFETIME - timedelta(milliseconds=1)))

    store.commit(changes(), a_claim(AT + CLAIM_LIFETIME, answer="anew"))

    assert store.claimed("ann", "k") == Claimed("f" * 64, AT + CLAIM_LIFETIME, "anew")


def test_of_many_with_the_same_key_one_has_an_effect(store: Store, kitchen: Project) -> None:
    made = outcomes_at_once(8, lambda _n: store.commit(changes(Change(None, a_task(kitchen))), a_claim()))

    assert [type(outcome) for outcome in sorted(made, key=repr)] == [Receipt] + [Stale] * 7
    assert [entry.entity for entry in store.log(kitchen.id)] == ["project", "task"]


def test_a_rehearsal_tells_what_would_be_and_leaves_everything_as_it_is(store: Store, kitchen: Project) -> None:
    task = a_task(kitchen)

    receipt = store.rehearse(changes(Change(None, task)))

    assert receipt.kept(task) == replace(task, number=1)
    assert receipt.heads == {kitchen.id: 2}
    assert store.task(task.id) is None
    assert [entry.head for entry in store.log(kitchen.id)] == [1]
    assert added_tasks(store, a_task(kitchen))[0].number == 1


def test_a_rehearsal_refuses_what_a_commit_would(store: Store, kitchen: Project) -> None:
    ann = a_person()
    added(store, ann.inbox, ann.user)
    other = a_project()
    (task,) = added_tasks(store, a_task(kitchen))
    replaced(store, task, title="Somebody was first")

    with pytest.raises(Taken):
        store.rehearse(changes(Change(None, other), Change(None, a_user(email=ann.user.email, inbox_id=other.id))))
    with pytest.raises(Stale):
        store.rehearse(changes(Change(task, replace(task, title="Second", version=2))))


def test_a_rehearsed_change_of_one_task_is_not_made(store: Store, kitchen: Project) -> None:
    (task,) = added_tasks(store, a_task(kitchen))

    store.rehearse(changes(Change(task, replace(task, title="Not yet", version=2))))

    assert store.task(task.id) == task


def test_a_task_that_comes_back_has_the_number_it_had(store: Store, kitchen: Project) -> None:
    first, second = added_tasks(store, a_task(kitchen), a_task(kitchen))
    removed(store, first)

    back = replace(first, version=2)
    receipt = store.commit(changes(Change(None, back)))

    assert receipt.kept(back) == back == store.task(first.id)
    assert added_tasks(store, a_task(kitchen))[0].number == second.number + 1


def test_a_task_that_moves_back_has_the_number_it_had(store: Store, kitchen: Project) -> None:
    garden = a_project()
    added(store, garden)
    (task,) = added_tasks(store, a_task(kitchen))
    moved = replace(task, project_id=garden.id, number=0, version=2)
    receipt = store.commit(changes(Change(task, moved)))
    there = receipt.kept(moved)

    back = replace(task, version=3)
    store.commit(changes(Change(there, back)))

    assert there.number == 1
    assert store.task(task.id) == back


def test_a_project_that_comes_back_goes_on_where_its_log_ended(store: Store, kitchen: Project) -> None:
    added_tasks(store, a_task(kitchen), a_task(kitchen))
    last = store.project(kitchen.id)
    assert last is not None
    removed(store, last)
    (gone,) = store.log(kitchen.id, after=last.head)

    store.commit(changes(Change(None, replace(last, head=gone.head, version=2))))

    back = store.project(kitchen.id)
    assert back == replace(last, head=gone.head + 1, version=2)
    assert added_tasks(store, a_task(kitchen))[0].number == 3
    assert [entry.head for entry in store.log(kitchen.id)] == [1, 2, 2, 3, 4, 5]


def test_an_operation_is_found_in_every_project_it_touched(store: Store, kitchen: Project) -> None:
    garden = a_project()
    added(store, garden)
    here, there = a_task(kitchen), a_task(garden)

    store.commit(changes(Change(None, here), Change(None, there), operation_id="this-one"))

    entries = store.operation("this-one")
    assert {(entry.project_id, entry.entity_id) for entry in entries} == {
        (kitchen.id, here.id),
        (garden.id, there.id),
    }
    assert [entry.project_id for entry in entries] == sorted((kitchen.id, garden.id))
    assert store.operation("nothing") == []


def test_the_log_of_one_entity_has_its_entries_alone(store: Store, kitchen: Project) -> None:
    task, _other = added_tasks(store, a_task(kitchen), a_task(kitchen))
    changed = replaced(store, task, title="Water the roses")

    entries = store.log(kitchen.id, entity_id=task.id)

    assert [entry.after for entry in entries] == [task, changed]
    assert store.log(kitchen.id, entity_id=task.id, after=entries[0].head) == entries[1:]
