"""``tracker export`` and ``tracker import``, as they are called."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from tests.builders import a_person, a_task, added
from tests.databases import open_store
from tracker.cli import tracker

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE, THERE = "sqlite:///here.db", "sqlite:///there.db"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with patch.dict("os.environ", {"TRACKER_ENV": "development", "DATABASE_URL": HERE}, clear=True):
        yield


@pytest.fixture(autouse=True)
def _somebody_with_a_task(_own_folder: None) -> None:
    with closing(open_store(HERE)) as store:
        store.migrate()
        ann = a_person()
        added(store, *ann)
        project = store.project(ann.inbox.id)
        added(store, a_task(project))


def run(*arguments: str, database: str = HERE, given: bytes | None = None) -> Result:
    with patch.dict("os.environ", {"DATABASE_URL": database}):
        return CliRunner().invoke(tracker, arguments, input=given, prog_name="tracker")


def refusal(result: Result) -> str:
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    return line.removeprefix("tracker: ")


def test_an_export_goes_through_a_file_that_its_owner_alone_reads() -> None:
    result = run("export", "all.ndjson")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("7 lines are exported, sha256 ")
    assert result.stderr == ""
    assert stat.S_IMODE(Path("all.ndjson").stat().st_mode) == 0o600
    assert [path.name for path in Path().glob("all*")] == ["all.ndjson"]
    sha256 = result.stdout.split()[-1]
    back = run("import", "all.ndjson", database=THERE)
    assert (back.stdout, back.stderr) == (f"7 lines are imported, sha256 {sha256}\n", "")
    assert run("export", "again.ndjson", database=THERE).stdout == result.stdout
    assert Path("again.ndjson").read_bytes() == Path("all.ndjson").read_bytes()


def test_an_export_goes_through_a_pipe_with_nothing_else_in_it() -> None:
    result = run("export", "-")
    assert result.stdout_bytes.endswith(b"}\n")
    assert result.stderr.startswith("7 lines are exported, sha256 ")
    back = run("import", "-", database=THERE, given=result.stdout_bytes)
    assert back.stdout.split()[-1] == result.stderr.split()[-1]


def test_what_cannot_be_imported_is_said_in_one_line_and_leaves_nothing() -> None:
    run("export", "all.ndjson")
    assert "not empty" in refusal(run("import", "all.ndjson"))
    lines = Path("all.ndjson").read_bytes().splitlines(keepends=True)
    assert "cut off" in refusal(run("import", "-", database=THERE, given=b"".join(lines[:-1])))
    assert run("import", "all.ndjson", database=THERE).exit_code == 0


def test_a_file_that_is_not_there_or_cannot_be_written_is_said_in_one_line() -> None:
    assert refusal(run("import", "none.ndjson", database=THERE)) == "the file cannot be read: No such file or directory"
    assert refusal(run("export", "none/all.ndjson")) == "the file cannot be written: No such file or directory"


def test_an_export_that_fails_half_way_leaves_the_file_of_before() -> None:
    Path("all.ndjson").write_text("before")
    with patch("tracker.transfer.exporting.line_of", side_effect=OSError(28, "No space left on device")):
        assert "No space left" in refusal(run("export", "all.ndjson"))
    assert Path("all.ndjson").read_text() == "before"
    assert [path.name for path in Path().glob("all*")] == ["all.ndjson"]


def test_an_export_that_is_told_to_stop_leaves_no_half_file() -> None:
    """It is stopped where it has begun to write, by the signal that a service manager sends."""
    script = (
        "import os, signal\n"
        "from unittest.mock import patch\n"
        "from tracker.cli import main\n"
        "stop = lambda _: os.kill(os.getpid(), signal.SIGTERM)\n"
        "with patch('tracker.transfer.exporting.line_of', side_effect=stop):\n"
        "    main()\n"
    )
    root = str(Path(__file__).parents[2])
    environment = {"TRACKER_ENV": "development", "DATABASE_URL": HERE, "PYTHONPATH": root, "PATH": "/usr/bin:/bin"}
    stopped = subprocess.run(
        [sys.executable, "-c", script, "export", "all.ndjson"], env=environment, check=False, timeout=120
    )
    assert stopped.returncode in {143, -signal.SIGTERM}
    assert list(Path().glob("all*")) == []
