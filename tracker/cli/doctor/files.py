"""The files that hold secrets: who else can read them."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.database_url import key_file, sqlite_file
from tracker.environment import files_given

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracker.settings import Settings


def _files(settings: Settings) -> Iterator[Finding]:
    for name, file in _secret(settings):
        if _others(file, stat.S_IWOTH):
            advice = "chmod 600, and change what it holds"
            yield Finding(Verdict.BAD, name, f"everybody on this machine can write it ({advice})")
        elif _others(file, stat.S_IROTH):
            advice = "everybody on this machine can read it; chmod 600, and change the key if somebody may have"
            yield Finding(Verdict.NOTE, name, advice)
    database = sqlite_file(settings.database_url)
    if database is not None and _others(database, stat.S_IROTH | stat.S_IWOTH):
        advice = f"chmod 600 {database}*, and umask 077 where it is made"
        yield Finding(Verdict.NOTE, "database file", f"everybody on this machine can read it ({advice})")


def _secret(settings: Settings) -> Iterator[tuple[str, Path]]:
    yield from files_given()
    if settings.signing_key_file is not None:
        yield "SIGNING_KEY_FILE", settings.signing_key_file
    if settings.development:
        yield "tracker.key", key_file(settings.database_url)


def _others(file: Path, may: int) -> bool:
    try:
        return bool(file.stat().st_mode & may)
    except OSError:
        return False


LOOKS = (Look("files", _files, frozenset({"DATABASE_URL"})),)
