"""The disks: where the SQLite database lies, and what is temporary."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.database_url import sqlite_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.settings import Settings

_MIB = 1024 * 1024
_LITTLE, _TOO_LITTLE = 1024 * _MIB, 100 * _MIB
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs", "fuse.glusterfs")


def _database(settings: Settings) -> Iterator[Finding]:
    file = sqlite_file(settings.database_url)
    if file is None:
        return
    folder = file.absolute().parent
    yield from _room("database disk", folder)
    kind = file_system(folder)
    if kind in _REMOTE:
        advice = "several machines cannot share it, and it can be damaged: take a local disk, or PostgreSQL"
        yield Finding(Verdict.BAD, "database disk", f"SQLite is not made for {kind} ({advice})")


def _temporary(_: Settings) -> Iterator[Finding]:
    try:
        folder = Path(tempfile.gettempdir())
    except OSError:
        advice = "name a folder that can be written to in TMPDIR; in a container mount one at /tmp"
        yield Finding(Verdict.BAD, "temporary disk", f"there is nowhere to write to ({advice})")
    else:
        yield from _room("temporary disk", folder)


def _room(subject: str, folder: Path) -> Iterator[Finding]:
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding(Verdict.BAD, subject, f"{folder} cannot be written to; make it this user's: chown")
        return
    free = shutil.disk_usage(folder).free
    text = f"{free // _MIB} MiB free in {folder}"
    if free < _TOO_LITTLE:
        yield Finding(Verdict.BAD, subject, f"{text}: writes are about to fail; make room")
    elif free < _LITTLE:
        yield Finding(Verdict.NOTE, subject, f"{text}: make room in time")
    else:
        yield Finding(Verdict.GOOD, subject, text)


def file_system(folder: Path, mounts: Path = Path("/proc/mounts")) -> str | None:
    """Return the kind of file system that a folder is on; None where the system does not say."""
    try:
        lines = [line.split() for line in mounts.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return None
    place = folder.resolve()
    holding = [(len(point), kind) for _, point, kind, *_ in lines if place.is_relative_to(point)]
    return max(holding)[1] if holding else None


LOOKS = (Look("database disk", _database, frozenset({"DATABASE_URL"})), Look("temporary disk", _temporary))
