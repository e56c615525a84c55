"""What every store says when its database is gone, and what it leaves of a commit that is broken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import a_person, a_task, added
from tests.databases import open_store
from tracker.domain.refusals import Unavailable

if TYPE_CHECKING:
    from tracker.domain.project import Project
    from tracker.store.contract import Store


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@127.0.0.1:1/nothing",
        "sqlite:////no/such/folder/tracker.db",
        "mongodb://nobody:nothing@127.0.0.1:1/nothing",
    ],
    ids=["postgresql", "sqlite", "mongodb"],
)
def test_a_database_that_is_not_there_is_unavailable(url: str) -> None:
    store = open_store(url, connections=1)
    for act in (store.has_users, store.ping, store.migrate, lambda: added(store, *a_person())):
        with pytest.raises(Unavailable):
            act()
    store.close()


def test_a_commit_that_is_broken_off_leaves_no_transaction_behind(store: Store, kitchen: Project) -> None:
    unreadable = a_task(kitchen, labels=(object(),))
    with pytest.raises(Exception, match="object"):
        added(store, a_task(kitchen), unreadable)
    added(store, a_task(kitchen))
    assert [entry.head for entry in store.log(kitchen.id)] == [1, 1, 2]
