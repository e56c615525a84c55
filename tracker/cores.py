"""The cores of the machine, or of the container's share of it, that this process may run on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def allowed() -> Sequence[int]:
    """Return their numbers, lowest first; where nobody says which they are, as many as there are."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)
