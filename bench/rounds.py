"""Rounds of load, and what they say."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.data import PASSWORD
from bench.database import CannotMeasure
from bench.sides import OURS
from bench.work import CROWDED, EXAMPLES, LOGIN, MEASURED, PAGE, WRITTEN, asked, check_alike

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.data import Kept, Person

CONNECTIONS = 16
LOGINS = 2  # at the same time: more of them wait for a core, and a server of ours sends away who would wait long
CROWD = 50
_AFTERMATH = 2.0  # seconds in which a server works off those of a crowd that it let in: not the next one's to bear
_SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Figures:
    """What one round, or the middle of several, has measured; times are in milliseconds.

    ``least`` and ``most`` are the rates of the slowest and the fastest of the rounds.
    """

    rate: float
    p50: float
    p99: float
    errors: int
    least: float = 0.0
    most: float = 0.0


def middle(figures: Sequence[Figures]) -> Figures:
    """Return the medians of several rounds, their spread, and the sum of their errors."""
    rates = [f.rate for f in figures]
    return Figures(
        median(rates),
        median(f.p50 for f in figures),
        median(f.p99 for f in figures),
        sum(f.errors for f in figures),
        min(rates),
        max(rates),
    )


class Bench:
    """The servers on one database, and the people who ask them."""

    def __init__(self, urls: Mapping[str, str], kept: Kept, people: Sequence[Person], file: Path) -> None:
        """``urls`` is where each side listens; ``file`` is for what wrk has to know."""
        self._urls, self._kept, self._people, self._file = urls, kept, people, file

    @property
    def sides(self) -> list[str]:
        """The sides that it can measure."""
        return [*self._urls, *([CROWDED] if OURS in self._urls else [])]

    def check_alike(self) -> None:
        """Ask each side once for each operation it is measured with: all have to give the same answers."""
        for operation, example in EXAMPLES.items():
            answers = {}
            for side in MEASURED[operation]:
                if side in self._urls:
                    self._kept.restore()
                    answers[side], _ = asked(self._urls[side], self._people[0], example)
            if answers:
                check_alike(operation, answers)

    def round(self, operation: str, side: str, seconds: int) -> Figures:
        """Measure on a database as it was in the beginning; each write that was answered has to be in its log."""
        url = self._urls[OURS if side == CROWDED else side]
        self._kept.restore()
        self._write_down([_tag(url, who) if operation == "unchanged" else "-" for who in self._people])
        if side == CROWDED:
            with self._crowd(url, seconds):
                counted = self._load(operation, url, seconds)
        else:
            counted = self._load(operation, url, seconds)
        time.sleep(0.3)  # for what was under way when wrk hung up
        errors = counted["refused"] + counted["broken"]
        if operation != LOGIN:  # who waits too long for a core to hash on is sent away, and is counted as an error
            self._check(f"{operation}, {side}", WRITTEN.get(operation, 0), counted["requests"], errors)
        rate = (counted["requests"] - counted["refused"]) / counted["microseconds"] * 1e6
        return Figures(rate, counted["p50"] / 1000, counted["p99"] / 1000, errors)

    def _check(self, what: str, share: float, requests: int, errors: int) -> None:
        """Hold the log to what was answered; of what was under way in the end nobody knows."""
        kept, unknown = self._kept.changes(), CONNECTIONS if share else 0
        least = share * requests - (unknown if share < 1 else 0)
        if errors or not least <= kept <= share * requests + unknown:
            raise CannotMeasure(f"{what}: {errors} errors, {kept} changes by {requests} requests")

    def _write_down(self, tags: Sequence[str]) -> None:
        """Write down for wrk who asks, what each has already, and for which tasks."""
        password = PASSWORD.replace(" ", "_")
        people = zip(self._people, tags, strict=True)
        lines = (" ".join((who.name, password, who.token, tag, *who.tasks)) for who, tag in people)
        self._file.write_text("".join(f"{line}\n" for line in lines))

    @contextmanager
    def _crowd(self, url: str, seconds: int) -> Iterator[None]:
        """Let fifty log in at the same time, again and again: some have to be let in, others may be sent away."""
        command = self._command(LOGIN, url, seconds + 1, CROWD)
        crowd = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            yield
            told, _ = crowd.communicate(timeout=seconds + 30)
        finally:
            crowd.kill()
            crowd.wait()
        counted = _counted(told)
        if counted["requests"] <= counted["refused"]:
            raise CannotMeasure(f"of a crowd nobody was let in: {counted}")
        time.sleep(_AFTERMATH)

    def _load(self, operation: str, url: str, seconds: int) -> dict[str, int]:
        command = self._command(operation, url, seconds, LOGINS if operation == LOGIN else CONNECTIONS)
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30)
        return _counted(told.stdout)

    def _command(self, operation: str, url: str, seconds: int, connections: int) -> list[str]:
        load = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s", f"--script={_SCRIPT}"]
        return [*load, url, "--", operation, str(self._file)]


def _counted(told: str) -> dict[str, int]:
    counted: dict[str, int] = json.loads(told.splitlines()[-1])
    return counted


def _tag(url: str, person: Person) -> str:
    """Return the ETag of somebody's page; who sends it has to be told that they have it already."""
    _, tag = asked(url, person, PAGE)
    asked(url, person, replace(PAGE, status=304), {"If-None-Match": tag})
    return tag
