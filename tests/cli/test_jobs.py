"""``tracker jobs`` says what happened by itself; ``tracker jobs run`` has it happen now."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from tests.builders import a_project, a_task, added
from tracker.cli import tracker
from tracker.domain import clock
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.identity import new_id
from tracker.domain.job import JobRun, window_at
from tracker.domain.task import Status
from tracker.settings import Settings
from tracker.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracker.store.contract import Store


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with patch.dict("os.environ", {"TRACKER_ENV": "development", "ARCHIVE_DONE_AFTER_DAYS": "0"}, clear=True):
        yield


@pytest.fixture
def store() -> Iterator[Store]:
    with closing(open_store(Settings(), connections=1)) as store:
        store.migrate()
        yield store


def run(*arguments: str) -> Result:
    return CliRunner().invoke(tracker, ["jobs", *arguments], prog_name="tracker")


def keep(store: Store, job: JobRun) -> None:
    store.commit(ChangeSet(new_id(), "tester", clock.now(), (Change(None, job),)))


@pytest.mark.usefixtures("store")
def test_jobs_that_never_ran_are_listed_all_the_same() -> None:
    listed = run()

    assert listed.exit_code == 0
    for name in ("archive", "remind", "notify", "purge"):
        assert f"{name}, every " in listed.stdout
    assert listed.stdout.count("never ran yet") == 4


def test_a_job_that_is_run_says_what_it_did_and_is_listed(store: Store) -> None:
    project = a_project()
    added(store, project, *(a_task(project, status=Status.DONE, completed_at=clock.now()) for _ in range(3)))
    ran = run("run", "archive")

    assert (ran.stdout, ran.exit_code) == ("archive: tasks archived: 3\n", 0)
    assert "Z  finished  3 done" in run().stdout


def test_a_run_that_nobody_ended_is_shown_as_lost(store: Store) -> None:
    at = clock.now()
    keep(store, JobRun.begun("archive", window_at(at, timedelta(minutes=1)), at=at))
    keep(store, JobRun.begun("purge", at - timedelta(hours=1), at=at - timedelta(hours=1)))
    listed = run().stdout

    assert "Z  running  0 done" in listed
    assert "Z  lost  0 done" in listed


@pytest.mark.usefixtures("store")
def test_a_job_that_there_is_not_is_refused_by_the_names_of_those_that_there_are() -> None:
    refused = run("run", "archives")

    assert refused.exit_code == 1
    assert refused.stderr == "tracker: there is no job 'archives'; there are archive, remind, notify, purge\n"


@pytest.mark.usefixtures("store")
def test_what_could_not_be_done_ends_with_another_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object, **__: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("tracker.jobs.archive.change_by_project", lambda work, *_: work.step("here", stumble))
    ran = run("run", "archive")

    assert ran.exit_code == 1
    assert "1 failed (ZeroDivisionError)" in ran.stderr


def test_a_database_that_is_not_there_is_said_in_a_line() -> None:
    refused = run("run", "archive")

    assert refused.exit_code == 1
    assert refused.stderr.startswith("tracker: The database is not at the schema")


def doctor() -> list[str]:
    shown = CliRunner().invoke(tracker, ["doctor"]).stdout
    return [line for line in shown.splitlines() if " jobs: " in line]


@pytest.mark.usefixtures("store")
def test_the_doctor_says_whether_anything_happens_by_itself() -> None:
    assert doctor() == ["note  jobs: nothing has happened by itself yet; that takes: tracker serve"]
    run("run", "archive")
    assert doctor() == ["ok    jobs: what is to happen by itself happens"]


def test_the_doctor_says_since_when_nothing_has_happened(store: Store) -> None:
    at = clock.now() - timedelta(hours=1)
    keep(store, JobRun.begun("archive", at, at=at))

    assert doctor() == [
        f"note  jobs: nothing has happened by itself since {at:%Y-%m-%d %H:%M}Z; that takes: tracker serve"
    ]
