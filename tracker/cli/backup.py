"""``tracker backup`` and ``restore``: an installation on SQLite as one file, and back."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracker.cli import Refused
from tracker.cli.opening import load_settings
from tracker.database_url import sqlite_file
from tracker.domain import clock
from tracker.domain.refusals import Refusal
from tracker.store.sql import backups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.settings import Settings

_ELSEWHERE = "is for SQLite; for PostgreSQL take pg_dump, for MongoDB mongodump: docs/backup.md has the commands"
_FLUSH = "Flush the Redis at REDIS_URL before you start it again: it may remember answers of what was there before."


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE if it is there.")
def backup(file: Path, *, force: bool) -> None:
    """Copy the SQLite database to FILE while the server goes on; FILE is checked, and for its owner alone."""
    database = _database(load_settings(), "backup")
    with _in_a_line():
        made = backups.back_up(database, file, overwrite=force)
    click.echo(f"{file}: {_told(made)}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Put what FILE holds in the place of the SQLite database, which is kept beside it. Servers have to be stopped."""
    settings = load_settings()
    database = _database(settings, "restore")
    with _in_a_line():
        found, aside = backups.restore(file, database, clock.now())
    click.echo(f"{database}: {_told(found)}")
    if aside is not None:
        click.echo(f"What was there before is kept in {aside}.")
    if settings.redis_url is not None:
        click.echo(_FLUSH)


def _database(settings: Settings, command: str) -> Path:
    file = sqlite_file(settings.database_url)
    if file is None:
        raise Refused(f"{command} {_ELSEWHERE}")
    return file


@contextmanager
def _in_a_line() -> Iterator[None]:
    try:
        yield
    except backups.Unfit as unfit:
        raise Refused(str(unfit)) from None
    except Refusal as refusal:
        raise Refused(refusal.detail) from None
    except OSError as problem:
        raise Refused(f"{problem.filename}: {problem.strerror}") from None


def _told(contents: backups.Contents) -> str:
    holds = f"{contents.users} users, {contents.tasks} tasks, schema {contents.step}"
    return f"{contents.size} bytes, {holds}, SHA-256 {contents.sha256}"
