"""A commit in a transaction is made as a whole, whatever fails at whichever of its writes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from tests.builders import a_membership, a_person, a_project, a_task, added, added_tasks, changes
from tests.contents import looking_into
from tests.databases import TRANSACTIONAL, database, open_store
from tests.store.test_claims import a_claim
from tracker.domain.changes import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.domain.changes import ChangeSet
    from tracker.store.contract import Store

WRITES = ("insert_one", "insert_many", "update_one", "update_many", "delete_one", "delete_many", "bulk_write")
MOST = 40


class Broken(Exception):
    """What no store expects."""


@dataclass
class Breaking:
    """Lets so many writes through, and raises after the last of them, once."""

    after: int
    error: Exception
    done: int = 0

    def around(self, write: Any) -> Any:
        def broken(of: Collection[Any], *given: Any, **named: Any) -> Any:
            made = write(of, *given, **named)
            self.done += 1
            if self.done == self.after:
                raise self.error
            return made

        return broken


@pytest.fixture(params=TRANSACTIONAL)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with database(request.param) as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url, connections=1)) as store:
        yield store


@pytest.fixture
def busy(store: Store) -> ChangeSet:
    """Changes of every kind at once: two projects, one that is new, people, a task that moves and one that goes."""
    ann, bob, garden = a_person(), a_person(), a_project()
    added(store, *ann)
    added(store, garden, a_membership(garden, ann.user))
    moving, going, staying = added_tasks(store, *(a_task(ann.inbox) for _ in range(3)))
    return changes(
        Change(moving, replace(moving, project_id=garden.id, number=0, version=2)),
        Change(going, None),
        Change(staying, replace(staying, title="other", version=2)),
        Change(ann.user, replace(ann.user, password_hash="another", version=2)),
        Change(ann.session, None),
        *(Change(None, entity) for entity in bob),
    )


def failing_at_each(
    store: Store, busy: ChangeSet, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> Iterator[Exception | None]:
    """Commit again and again, with an error after the first write, the second, and so on; yield what came of each."""
    for after in count(1):
        breaking = Breaking(after, error)
        outcome: Exception | None = None
        with monkeypatch.context() as patched:
            for name in WRITES:
                patched.setattr(Collection, name, breaking.around(getattr(Collection, name)))
            try:
                store.commit(busy, a_claim(key=f"{after}"))
            except Exception as raised:  # noqa: BLE001 - whatever it is, it is looked at
                outcome = raised
        yield outcome
        if breaking.done < after:
            assert after > 5, "it makes fewer writes than there are changes"
            return
        assert after < MOST


def test_a_failure_after_any_write_leaves_nothing(
    url: str, store: Store, busy: ChangeSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with looking_into(url) as everything:
        before = everything()
        outcomes = []
        for outcome in failing_at_each(store, busy, monkeypatch, Broken()):
            outcomes.append(outcome)
            if outcome is not None:
                assert everything() == before
    *failed, made = outcomes
    assert {type(outcome) for outcome in failed} == {Broken}
    assert made is None


def test_what_a_server_breaks_off_in_passing_is_done_again_and_made_once(
    store: Store, busy: ChangeSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = OperationFailure("an election", 189, {"errorLabels": ["TransientTransactionError"]})

    first = next(failing_at_each(store, busy, monkeypatch, passing))

    assert first is None
    assert store.claimed("ann", "1") is not None
    for project_id in {change.entity.project_id for change in busy.changes if hasattr(change.entity, "project_id")}:
        heads = [entry.head for entry in store.log(project_id)]
        assert sorted(set(heads)) == list(range(1, max(heads) + 1))
