"""What a process costs: memory while it serves, CPU until it has said what it can do. From /proc: on Linux alone."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_STARTS = 3


@dataclass(frozen=True)
class Footprint:
    """The largest of the processes that serve, in MiB, and ``tracker --help``, in seconds of CPU."""

    mebibytes: float
    help_seconds: float


def footprint(pid: int) -> Footprint:
    """Return that of a server, by its first process."""
    return Footprint(memory(pid), median(_help_seconds() for _ in range(_STARTS)))


def memory(pid: int) -> float:
    """Return the resident memory of the largest process that a server's first one has started, in MiB."""
    return max((_status(child, "VmRSS") / 1024 for child in _children(pid)), default=0.0)


def cpu_seconds(pid: int) -> float:
    """Return the CPU that the processes of a server have used so far."""
    return sum(_used(process) for process in [pid, *_children(pid)])


def _children(pid: int) -> list[int]:
    tasks = (_PROC / str(pid) / "task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _status(pid: int, name: str) -> int:
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _used(pid: int) -> float:
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _help_seconds() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "tracker", "--help"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
