"""A SQLite database as one file to carry away: made while others write, examined, and put back.

What is made is made beside its place, and moved there once it is whole and on disk: whoever is killed in between leaves
all that was there before, and a draft (``.name-….draft``) that nobody needs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.store.sql import migrations
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_COMPANIONS = ("-wal", "-shm", "-journal")
# Where SQLite locks a file, whatever is in it (os_unix.c): who has it open in WAL mode holds some of it for reading.
_LOCKS_BEGIN, _LOCKS = 0x40000000, 512
_IN_USE = "the database is in use; stop every server and worker first"


class Unfit(Exception):
    """A file that cannot be backed up, or restored, or written to; the text says why."""


@dataclass(frozen=True)
class Contents:
    """What a file holds, as far as it can be told in a line."""

    step: str
    users: int
    tasks: int
    size: int
    sha256: str


def back_up(database: Path, place: Path, *, overwrite: bool) -> Contents:
    """Copy a database, as it is at one instant, to a place; nobody who reads or writes there waits for it."""
    if not database.is_file():
        raise Unfit(f"there is no database at {database}")
    if place.exists() and (not overwrite or place.samefile(database) or _beside(place, "-wal").exists()):
        raise Unfit(f"{place} is there already" + " and in use itself" * overwrite)
    with _draft(place) as draft:
        _copy(database, draft, "rw")
        contents = examine(draft)
        _move(draft, place, overwrite=overwrite)
    return contents


def restore(file: Path, database: Path, at: datetime) -> tuple[Contents, Path | None]:
    """Put a backup in a database's place; return what it holds, and where that database is kept, if there was one."""
    if database.exists() and file.samefile(database):
        raise Unfit(f"{file} is the database itself")
    aside = _beside(database, f".before-restore-{at:%Y%m%dT%H%M%SZ}")
    if aside.exists():
        raise Unfit(f"{aside} is there already; wait a second")
    with _draft(database) as draft:
        _copy(file, draft, "ro")
        contents = examine(draft)
        _bring_up(draft)
        with _alone(database, aside):
            draft.replace(database)
            _keep(database.parent)
    return contents, aside if aside.exists() else None


def examine(file: Path) -> Contents:
    """Return what a whole database of Tracker holds, of this version or an earlier one; Unfit for anything else."""
    try:
        with closing(_connect(file, "ro")) as connection:
            _check(connection)
            step = str(_single(connection, "SELECT version_num FROM alembic_version"))
            users, tasks = (_single(connection, f"SELECT count(*) FROM {of}") for of in ("users", "tasks"))  # noqa: S608
    except sqlite3.DatabaseError as problem:
        raise Unfit(f"it is no whole database of Tracker ({problem})") from None
    if migrations.is_later(step):
        raise Unfit(f"it is of a later version of Tracker (step {step}); that version can restore it")
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Contents(step, int(users), int(tasks), file.stat().st_size, digest)


def _check(connection: sqlite3.Connection) -> None:
    if (found := str(_single(connection, "PRAGMA integrity_check(1)"))) != "ok":
        raise Unfit(f"it is damaged: {' '.join(found.split())}")
    if connection.execute("PRAGMA foreign_key_check").fetchone():
        raise Unfit("it is damaged: a row names another that is not there")


def _single(connection: sqlite3.Connection, statement: str) -> str | int:
    row = connection.execute(statement).fetchone()
    if row is None:
        raise Unfit("it is no database of Tracker")
    value: str | int = row[0]
    return value


def _copy(source: Path, draft: Path, mode: str) -> None:
    try:
        with closing(_connect(source, mode)) as origin, closing(_connect(draft, "rw")) as copy:
            # A snapshot of its own: without it a locked database would be asked again and again, for ever.
            origin.execute("BEGIN")
            origin.execute("SELECT count(*) FROM sqlite_master")
            origin.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # so that it is one file
    except sqlite3.DatabaseError as problem:
        raise Unfit(f"{source} cannot be copied ({problem})") from None
    _keep(draft)


def _bring_up(draft: Path) -> None:
    with closing(SqlStore.open(f"sqlite:///{draft}", connections=1)) as store:
        store.migrate()
    with closing(_connect(draft, "rw")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    _keep(draft)


@contextmanager
def _alone(database: Path, aside: Path) -> Iterator[None]:
    """Keep a database aside, with nobody in it until it is replaced."""
    if not database.exists():
        _sweep(database, aside)
        yield
        return
    if _is_held(database):
        raise Unfit(_IN_USE)
    with closing(_connect(database, "rw", patience=0)) as connection:
        if _locked(connection):
            with _draft(aside) as draft:
                with closing(_connect(draft, "rw")) as copy:
                    connection.backup(copy)
                _keep(draft)
                _move(draft, aside, overwrite=False)
            yield
            return
    # It cannot be read, which may be why there is to be another: it is kept as it is, with all that stands beside it.
    _sweep(database, aside)
    database.rename(aside)
    yield


def _is_held(database: Path) -> bool:
    with database.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCKS, _LOCKS_BEGIN)
        except OSError:
            return True
    return False


def _locked(connection: sqlite3.Connection) -> bool:
    """Lock a database for this connection alone, with nothing left in its WAL; whether it can be read at all."""
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except sqlite3.DatabaseError as problem:
        if problem.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise Unfit(_IN_USE) from None
        return False
    return True


def _sweep(database: Path, aside: Path) -> None:
    """Move away what stands beside a database: SQLite would take a WAL of another one for that of the new one."""
    for companion in _COMPANIONS:
        with suppress(FileNotFoundError):
            _beside(database, companion).rename(_beside(aside, companion))


@contextmanager
def _draft(place: Path) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}-", suffix=".draft")  # mode 0600
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
    finally:
        for left in (draft, *(_beside(draft, companion) for companion in _COMPANIONS)):
            left.unlink(missing_ok=True)


def _move(draft: Path, place: Path, *, overwrite: bool) -> None:
    if overwrite:
        draft.replace(place)
    else:
        try:
            place.hardlink_to(draft)  # unlike a rename, it takes no place that somebody else has taken by now
        except FileExistsError:
            raise Unfit(f"{place} is there already") from None
    _keep(place.parent)


def _keep(path: Path) -> None:
    """Return once a file, or what a folder lists, is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _connect(file: Path, mode: str, *, patience: float = 5) -> sqlite3.Connection:
    address = f"{file.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)
