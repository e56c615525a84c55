"""The schema is made once, whoever starts first."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.builders import a_person, added
from tests.databases import open_store
from tracker.domain.refusals import Unavailable

if TYPE_CHECKING:
    from tracker.store.contract import Store

STARTED_AT_ONCE = 8
START = """
import sys
from tests.databases import open_store
store = open_store(sys.argv[1], connections=1)
sys.stdin.readline()
store.migrate()
store.ping()
assert not store.has_users()
"""


def test_an_empty_database_answers_no_ping_before_it_is_migrated(empty_url: str) -> None:
    store = open_store(empty_url, connections=1)
    with pytest.raises(Unavailable, match="migrations"):
        store.ping()
    store.migrate()
    store.ping()
    store.close()


def test_migrating_again_changes_nothing(store: Store) -> None:
    ann = a_person()
    added(store, *ann)
    store.migrate()
    store.ping()
    assert store.user(ann.user.id) == ann.user


def test_of_many_that_start_at_once_on_an_empty_database_one_migrates_and_all_come_up(empty_url: str) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", START, empty_url], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(STARTED_AT_ONCE)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[1].decode() for process in started]
    assert [(process.returncode, error) for process, error in zip(started, said, strict=True)] == [(0, "")] * 8
