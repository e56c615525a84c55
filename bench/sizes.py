"""An installation at one size, and what is wanted of it at another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.asking import OPERATIONS
from bench.goals import Goal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_AT_MOST = 1.2


@dataclass(frozen=True)
class Size:
    """What was measured at one size: p50 in ms by operation, where it can be asked for, and what all of it takes."""

    tasks: int
    projects: int
    p50: Mapping[str, float | None]
    bytes_per_task: float
    mebibytes: float


def goals(sizes: Sequence[Size]) -> Iterator[Goal]:
    """Yield what is wanted of the largest size, against the smallest: nothing may depend on tasks not asked for."""
    first, last = sizes[0], sizes[-1]
    grown = f"at {last.tasks:,} tasks / at {first.tasks:,}"
    for operation in ("get", "first page", "create", "status"):
        before, after = first.p50[operation], last.p50[operation]
        if before and after:
            yield Goal(f"{operation} {grown}", after / before, _AT_MOST, at_least=False)
    page_100, page_1 = last.p50["page 100"], last.p50["first page"]
    if page_100 and page_1:
        yield Goal(f"page 100 / first page at {last.tasks:,} tasks", page_100 / page_1, _AT_MOST, at_least=False)


def tables(sizes: Sequence[Size]) -> Iterator[str]:
    """Yield the lines of a table with a row for each size."""
    yield f"| tasks | projects | {' | '.join(OPERATIONS)} | bytes a task | MiB a process |"
    yield "|---:" * (len(OPERATIONS) + 4) + "|"
    for size in sizes:
        times = " | ".join("-" if value is None else f"{value:.2f}" for value in size.p50.values())
        fixed = f"{size.bytes_per_task:,.0f} | {size.mebibytes:.0f}"
        yield f"| {size.tasks:,} | {size.projects:,} | {times} | {fixed} |"
