"""The cores of the machine, or of the container's share of it, that this process may run on."""

from __future__ import annotations

import os
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATISTICS = Path("/proc/stat")  # a line for each core; its fifth and sixth words are ticks in which it had no work


def allowed() -> Sequence[int]:
    """Return their numbers, lowest first; where nobody says which they are, as many as there are."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)


def idle() -> float:
    """Return for how many seconds they had no work since the machine was started, all added up; 0 if nobody says."""
    names = {b"cpu%d" % number for number in allowed()}
    try:
        with _STATISTICS.open("rb") as lines:
            words = [line.split() for line in takewhile(lambda line: line.startswith(b"cpu"), lines)]
    except OSError:
        return 0.0
    ticks = sum(int(word) for name, *spent in words if name in names for word in spent[3:5])
    return ticks / os.sysconf("SC_CLK_TCK")
