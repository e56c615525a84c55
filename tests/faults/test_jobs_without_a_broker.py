"""A server that has no broker does its work itself, whichever of its processes does it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.builders import a_person, a_task, added
from tests.databases import ON_EVERY_DATABASE, database, open_store
from tests.faults.server import PATIENCE, running
from tracker.domain.query import NotificationQuery
from tracker.domain.task import Status

if TYPE_CHECKING:
    from pathlib import Path

TASKS = 30


@pytest.mark.parametrize("kind", ON_EVERY_DATABASE)
def test_done_tasks_are_archived_and_told_of_and_the_log_says_so(kind: str, tmp_path: Path) -> None:
    ann = a_person()
    with database(kind) as url:
        store = open_store(url, connections=1)
        done = [a_task(ann.inbox, status=Status.DONE, created_by=ann.user.id) for _ in range(TASKS)]
        added(store, *ann, *done)
        with running(tmp_path, url, workers=3, ARCHIVE_DONE_AFTER_DAYS="0") as server:
            until = time.monotonic() + PATIENCE
            while len(store.notifications(NotificationQuery(ann.user.id))) < TASKS:
                assert time.monotonic() < until, server.log.read_text(encoding="utf-8")
                time.sleep(0.1)
        archived = [entry.actor_id for entry in store.log(ann.inbox.id, after=1)]
        told = store.notifications(NotificationQuery(ann.user.id, limit=200))
        store.close()

    assert archived == ["system"] * TASKS
    assert len(told) == TASKS
    log = server.log.read_text(encoding="utf-8")
    assert f"job archive: tasks archived: {TASKS}" in log
    assert f"job notify: notifications made: {TASKS}" in log
