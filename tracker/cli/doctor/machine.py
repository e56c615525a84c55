"""What the machine, or the container, gives to the server: cores, memory, open files."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING

from tracker import cores
from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.cli.server import CONNECTIONS
from tracker.edge import passwords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.settings import Settings

_MIB = 1024 * 1024
_A_PROCESS = 128 * _MIB  # what one of them has come to after some hundred requests; one more starts and watches them
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def _cores(settings: Settings) -> Iterator[Finding]:
    found = len(cores.allowed())
    if settings.workers > 2 * found:
        advice = "they wait for each other: one per core is enough"
        yield Finding(Verdict.NOTE, "WORKERS", f"{settings.workers} processes on {found} cores ({advice})")
    else:
        yield Finding(Verdict.GOOD, "WORKERS", f"{settings.workers} processes on {found} cores")


def _memory(settings: Settings) -> Iterator[Finding]:
    hashing = settings.workers * passwords.at_once(settings.workers) * passwords.HASH_BYTES
    most, needed = memory_limit(_LIMITS), (settings.workers + 1) * _A_PROCESS + hashing
    if most is not None and most < needed:
        need = f"WORKERS={settings.workers} need about {needed // _MIB} when many log in"
        advice = "give it more, or set WORKERS lower"
        yield Finding(Verdict.NOTE, "memory", f"{most // _MIB} MiB are allowed, {need} ({advice})")


def memory_limit(files: tuple[Path, ...]) -> int | None:
    """Return how many bytes this container may have; None where there is no limit, or none is told."""
    for file in files:
        try:
            return int(file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
    return None


def _open_files(_: Settings) -> Iterator[Finding]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most not in {resource.RLIM_INFINITY, -1} and most < CONNECTIONS + 256:
        advice = "raise it: ulimit -Hn 8192, or LimitNOFILE=8192 in systemd"
        yield Finding(Verdict.NOTE, "open files", f"at most {most}, fewer than a process has connections ({advice})")


LOOKS = (Look("WORKERS", _cores), Look("memory", _memory), Look("open files", _open_files))
