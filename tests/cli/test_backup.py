"""A backup holds what there was at an instant, and restoring puts it back, or leaves everything as it was."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from alembic import command
from click.testing import CliRunner, Result

from tests.builders import a_project, a_task, added
from tests.faults.server import running
from tracker.cli import tracker
from tracker.store.sql import migrations
from tracker.store.sql.engine import open_engine
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DATABASE, BACKUP = Path("tracker.db"), Path("backup.db")
PATIENCE = 600  # seconds; for what takes ten


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    with patch.dict("os.environ", {"SECRET_KEY": "k3yOf-more_than.thirty2bytes-0123456789"}, clear=True):
        yield


@contextmanager
def opened(file: Path = DATABASE) -> Iterator[SqlStore]:
    with closing(SqlStore.open(f"sqlite:///{file}", connections=1)) as store:
        store.migrate()
        yield store


def hold(tasks: int, file: Path = DATABASE) -> None:
    """Have a database with so many tasks more."""
    project = a_project()
    with opened(file) as store:
        added(store, project)
        added(store, *(a_task(project, number=n + 1) for n in range(tasks)))


def tasks_in(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM tasks").fetchone()[0])


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(tracker, [str(argument) for argument in arguments])


def refusal(result: Result) -> str:
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    return line


def kept() -> list[Path]:
    return sorted(Path().glob("*.before-restore-*"))


def drafts() -> list[Path]:
    return sorted(Path().glob(".*.draft*"))


def test_a_backup_says_what_it_holds_and_is_for_its_owner_alone() -> None:
    hold(3)
    said = run("backup", BACKUP).stdout
    digest = hashlib.sha256(BACKUP.read_bytes()).hexdigest()
    size = BACKUP.stat().st_size
    assert said == f"backup.db: {size} bytes, 0 users, 3 tasks, schema {migrations.steps()[-1]}, SHA-256 {digest}\n"
    assert stat.S_IMODE(BACKUP.stat().st_mode) == 0o600
    assert sorted(path.name for path in Path().glob("backup*")) == ["backup.db"]
    assert drafts() == []


def test_a_backup_overwrites_nothing_unless_it_is_told_to() -> None:
    hold(1)
    BACKUP.write_text("precious")
    assert "backup.db is there already" in refusal(run("backup", BACKUP))
    assert BACKUP.read_text() == "precious"
    assert run("backup", BACKUP, "--force").exit_code == 0
    assert tasks_in(BACKUP) == 1


@pytest.mark.parametrize("place", [DATABASE, Path("link.db")])
def test_a_backup_never_overwrites_the_database_itself(place: Path) -> None:
    hold(1)
    Path("link.db").symlink_to(DATABASE)
    assert "is there already" in refusal(run("backup", place, "--force"))
    assert tasks_in(DATABASE) == 1


def test_without_a_database_there_is_no_backup_and_none_is_made() -> None:
    assert "there is no database" in refusal(run("backup", BACKUP))
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("name", ["backup", "restore"])
@pytest.mark.parametrize("url", ["postgresql://ann:geheim@db/tracker", "mongodb://ann:geheim@db/tracker"])
def test_other_databases_have_tools_of_their_own(name: str, url: str) -> None:
    BACKUP.touch()
    with patch.dict("os.environ", DATABASE_URL=url):
        said = refusal(run(name, BACKUP))
    assert "docs/backup.md" in said
    assert "geheim" not in said


@contextmanager
def written_to() -> Iterator[None]:
    """Have somebody write two tasks after the other two, each two in one commit."""
    stop, project = threading.Event(), a_project()

    def write() -> None:
        with opened() as store:
            added(store, project)
            number = 0
            while not stop.is_set():
                number += 2
                added(store, *(a_task(project, number=n) for n in (number, number + 1)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join(timeout=PATIENCE)


def test_a_backup_is_made_while_others_write_and_holds_an_instant_of_it() -> None:
    hold(1)
    with written_to():
        counts = []
        for _ in range(5):
            before = tasks_in(DATABASE)
            assert run("backup", BACKUP, "--force").exit_code == 0
            counts.append((before, tasks_in(BACKUP), tasks_in(DATABASE)))
    assert all(before <= held <= after for before, held, after in counts)
    assert all(held % 2 for _, held, _ in counts)  # one, and whole commits of two


def test_what_a_backup_holds_comes_back_and_what_was_there_is_kept() -> None:
    hold(2)
    run("backup", BACKUP)
    hold(5)
    result = run("restore", BACKUP)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "0 users, 2 tasks" in result.stdout
    (aside,) = kept()
    assert f"kept in {aside}" in result.stdout
    assert (tasks_in(DATABASE), tasks_in(aside)) == (2, 7)
    assert stat.S_IMODE(DATABASE.stat().st_mode) == stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert drafts() == []
    with opened() as store:
        store.ping()


def test_a_backup_is_restored_where_there_was_nothing() -> None:
    hold(2)
    run("backup", BACKUP)
    DATABASE.unlink()
    assert run("restore", BACKUP).exit_code == 0
    assert (tasks_in(DATABASE), kept()) == (2, [])


def test_what_a_crash_left_in_the_wal_is_kept_too_and_none_of_it_reaches_what_is_restored() -> None:
    hold(2)
    run("backup", BACKUP)
    program = (
        "import os, sqlite3; c = sqlite3.connect('tracker.db'); c.execute('PRAGMA wal_autocheckpoint = 0');"
        "c.execute('UPDATE tasks SET title = ?', ('late',)); c.commit(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert Path("tracker.db-wal").stat().st_size
    assert run("restore", BACKUP).exit_code == 0
    assert not Path("tracker.db-wal").exists()
    titles = "SELECT count(*) FROM tasks WHERE title = 'late'"
    for file, late in ((DATABASE, 0), (kept()[0], 2)):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute(titles).fetchone() == (late,)


def test_a_database_that_is_damaged_can_be_replaced_and_is_kept_as_it_was() -> None:
    hold(2)
    run("backup", BACKUP)
    DATABASE.write_bytes(b"nonsense" * 1000)
    Path("tracker.db-wal").write_bytes(b"more of it")
    assert run("restore", BACKUP).exit_code == 0
    assert tasks_in(DATABASE) == 2
    (aside,) = kept()
    assert aside.read_bytes() == b"nonsense" * 1000
    assert not Path("tracker.db-wal").exists()


def spoil(kind: str) -> None:
    content = bytearray(BACKUP.read_bytes())
    if kind == "cut short":
        BACKUP.write_bytes(content[: len(content) // 2])
    elif kind == "overwritten":
        content[8192:16384] = b"\xa5" * 8192
        BACKUP.write_bytes(content)
    elif kind == "no database":
        BACKUP.write_text("nonsense")
    else:
        BACKUP.unlink()
        with closing(sqlite3.connect(BACKUP)) as connection:
            connection.execute("CREATE TABLE somebody_elses (a)")


@pytest.mark.parametrize("kind", ["cut short", "overwritten", "no database", "somebody else's"])
def test_what_is_no_whole_backup_is_refused_and_nothing_has_changed(kind: str) -> None:
    hold(2)
    run("backup", BACKUP)
    spoil(kind)
    refusal(run("restore", BACKUP))
    assert (tasks_in(DATABASE), kept(), drafts()) == (2, [], [])


def test_a_backup_of_a_later_version_is_refused() -> None:
    hold(2)
    run("backup", BACKUP)
    with closing(sqlite3.connect(BACKUP)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert "later version of Tracker (step 9999)" in refusal(run("restore", BACKUP))
    assert tasks_in(DATABASE) == 2


def test_a_backup_of_an_earlier_version_takes_the_steps_since() -> None:
    engine, config = open_engine(f"sqlite:///{DATABASE}", connections=1), migrations._config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, migrations.steps()[-2])
    engine.dispose()
    assert f"schema {migrations.steps()[-2]}" in run("backup", BACKUP).stdout
    assert run("restore", BACKUP).exit_code == 0
    with closing(SqlStore.open(f"sqlite:///{DATABASE}", connections=1)) as store:
        store.ping()


def test_a_server_that_lives_keeps_its_database(tmp_path: Path) -> None:
    url = f"sqlite:///{DATABASE.absolute()}"
    with running(tmp_path, url) as server:
        server.log_in("ann")
        assert run("backup", BACKUP).exit_code == 0
        assert "the database is in use" in refusal(run("restore", BACKUP))
        assert kept() == []
        server.log_in("bob")
        assert server.stop() == 0
    assert run("restore", BACKUP).exit_code == 0
    with running(tmp_path, url) as server:
        credentials = {"username": "ann", "password": "correct horse battery"}
        assert server.ask("POST", "/login", credentials).status == 200
        assert server.ask("POST", "/login", {**credentials, "username": "bob"}).status == 401


def test_with_a_redis_one_is_told_to_flush_it() -> None:
    hold(1)
    run("backup", BACKUP)
    with patch.dict("os.environ", REDIS_URL="redis://:geheim@127.0.0.1:1/0"):
        said = run("restore", BACKUP).output
    assert "Flush the Redis" in said
    assert "geheim" not in said


@pytest.mark.parametrize("words", [("backup", "--force"), ("restore",)])
def test_whoever_is_killed_on_the_way_leaves_a_whole_database(words: tuple[str, ...], tmp_path: Path) -> None:
    hold(2)
    run("backup", BACKUP)
    hold(3)
    arguments = [str(tmp_path / "home"), *words, str(BACKUP)]
    subprocess.run(
        [sys.executable, "-m", "tests.cli.killed", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "SECRET_KEY": "k" * 40, "TMPDIR": str(tmp_path)},
        check=True,
        timeout=PATIENCE,
    )
    folders = sorted(tmp_path.glob("home-*"), key=lambda folder: int(folder.name.partition("-")[2]))
    held = [(tasks_in(folder / DATABASE), tasks_in(folder / BACKUP)) for folder in folders]
    before, after = ((5, 2), (5, 5)) if words[0] == "backup" else ((5, 2), (2, 2))
    assert len(held) > 8
    assert re.fullmatch("b+a+", "".join("b" if one == before else "a" if one == after else "?" for one in held))
