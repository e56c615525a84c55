from __future__ import annotations

from contextlib import closing

import pytest

from bench.loading import load, somebody
from tests.databases import database, open_store
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.clock import now
from tracker.domain.identity import new_id
from tracker.domain.task import Task

_TASKS, _PROJECTS = 32, 3


@pytest.mark.postgresql
def test_what_is_loaded_by_the_thousand_is_what_the_store_would_have_kept() -> None:
    with database("postgresql") as url, closing(open_store(url, connections=1)) as store:
        loaded = somebody(store, _PROJECTS)
        seen: list[int] = []
        load(url, loaded, _TASKS // 2, seen.append)
        load(url, loaded, _TASKS, seen.append)
        assert seen == [_TASKS // 2, _TASKS]
        first = loaded.projects[0]
        project, tasks = store.project(first), store.project_tasks(first, limit=_TASKS)
        assert project is not None
        assert [task.number for task in tasks] == [*range(1, len(tasks) + 1)]
        log = store.log(first)
        assert [entry.after for entry in log if isinstance(entry.after, Task)] == tasks
        assert log[-1].head == project.head
        one_more = Task.new(project_id=first, by=loaded.user.id, at=now(), title="Order the paint")
        store.commit(ChangeSet(new_id(), loaded.user.id, now(), (Change(None, one_more),)))
        kept = store.task(one_more.id)
        assert kept is not None
        assert kept.number == len(tasks) + 1
