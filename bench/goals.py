"""The goals, each with what was measured: ratios inside one run on one machine, and two figures of a process.

A ratio is that of the middle round: each round of a side is compared with the other side's of the same number, which
was measured moments before or after it. What slows the machine for a minute then slows both.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.rounds import CROWD
from bench.sides import BARE, CACHED, KEEPING, OURS, RIVALS, SHARED, STOCK
from bench.work import CROWDED, DAY, OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.footprint import Footprint
    from bench.rounds import Figures

    Rounds = Mapping[tuple[str, str], Sequence[Figures]]

_OF_BARE = 0.8
_OF_STOCK = 1.8
_OF_RIVALS = {"list": 5.0, "get": 3.0, "create": 3.0, "status": 3.0, DAY: 3.0}
_REMEMBERED_OF_BARE = 1.2
_REMEMBERED_OF_OURS = 1.8
_UNCHANGED_OF_REMEMBERED = 1.3
_P99_OF_P50 = 4.0
_CROWDED_OF_ALONE = 2.0
_MEBIBYTES = 120.0
_HELP_SECONDS = 0.3


@dataclass(frozen=True)
class Goal:
    """One figure, and where it has to be."""

    what: str
    measured: float
    bound: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether it is there."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    @property
    def wanted(self) -> str:
        """The bound in words."""
        return f"at {'least' if self.at_least else 'most'} {self.bound:g}"


def of_rates(rounds: Rounds) -> Iterator[Goal]:
    """Yield the goals that compare how much is answered in a second, of what was measured."""
    pairs = [
        *((_OF_BARE, (operation, OURS), (operation, BARE)) for operation in OPERATIONS),
        *((_OF_STOCK, (operation, OURS), (operation, STOCK)) for operation in OPERATIONS),
        *((goal, (work, OURS), (work, rival)) for rival in RIVALS for work, goal in _OF_RIVALS.items()),
        *((_REMEMBERED_OF_BARE, ("remembered", side), ("list", BARE)) for side in (CACHED, SHARED)),
        (_REMEMBERED_OF_OURS, ("remembered", CACHED), ("list", OURS)),
        *((_UNCHANGED_OF_REMEMBERED, ("unchanged", side), ("remembered", side)) for side in (CACHED, SHARED)),
    ]
    for bound, one, other in pairs:
        if one in rounds and other in rounds:
            ratio = _in_the_middle(rounds[one], rounds[other], lambda this, that: this.rate / that.rate)
            yield Goal(f"{_named(one)} / {_named(other)}", ratio, bound)
    yield from _of_a_304(rounds)


def _of_a_304(rounds: Rounds) -> Iterator[Goal]:
    """Yield the goal for what a 304 saves where the page is at hand, held to what it saves the bare function."""
    turns = [("unchanged", CACHED), ("remembered", CACHED), ("unchanged", KEEPING), ("remembered", KEEPING)]
    if all(turn in rounds for turn in turns):
        rates = zip(*(rounds[turn] for turn in turns), strict=True)
        ratio = median((a.rate / b.rate) / (c.rate / d.rate) for a, b, c, d in rates)
        yield Goal(f"unchanged / remembered of {CACHED} / of {KEEPING}", ratio, _OF_BARE)


def of_patience(rounds: Rounds) -> Iterator[Goal]:
    """Yield the goals that say how long the slowest of a hundred may wait."""
    for operation in OPERATIONS:
        alone = rounds.get((operation, OURS))
        if alone is None:
            continue
        ratio = median(figures.p99 / figures.p50 for figures in alone)
        yield Goal(f"{operation}: p99 / p50", ratio, _P99_OF_P50, at_least=False)
        if crowded := rounds.get((operation, CROWDED)):
            ratio = _in_the_middle(crowded, alone, lambda this, that: this.p99 / that.p99)
            yield Goal(f"{operation}: p99 beside {CROWD} logins / alone", ratio, _CROWDED_OF_ALONE, at_least=False)


def of_footprint(footprint: Footprint) -> Iterator[Goal]:
    """Yield the goals of a process."""
    yield Goal("MiB of a process that serves", footprint.mebibytes, _MEBIBYTES, at_least=False)
    yield Goal("`tracker --help`, seconds of CPU", footprint.help_seconds, _HELP_SECONDS, at_least=False)


def _named(turn: tuple[str, str]) -> str:
    return " of ".join(turn)


def _in_the_middle(
    these: Sequence[Figures], those: Sequence[Figures], ratio: Callable[[Figures, Figures], float]
) -> float:
    return median(ratio(this, that) for this, that in zip(these, those, strict=True))
