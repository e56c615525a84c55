"""Rounds of load, and what they say."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.database import CannotMeasure
from bench.sides import CACHED, ON_MONGODB, SIDES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.data import Kept, Person

OPERATIONS = ("get", "list", "create", "status")
REMEMBERED = ("remembered", "unchanged")
MEASURED = {**dict.fromkeys(OPERATIONS, (*SIDES, ON_MONGODB)), **dict.fromkeys(REMEMBERED, (CACHED,))}
CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("load.lua")
_WRITES = {"create", "status"}
_NEW = {
    "title": "Order the paint",
    "description": "The blue one.",
    "priority": "high",
    "labels": ["house"],
    "due": {"date": "2027-03-01"},
}
_PAGE = ("GET", "/tasks?limit=50", None, 200)
_EXAMPLES: tuple[tuple[str, str, object, int], ...] = (
    ("GET", "/tasks/{task}", None, 200),
    _PAGE,
    ("POST", "/tasks", _NEW, 201),
    ("PATCH", "/tasks/{task}/status", {"status": "in_progress"}, 200),
)
_DIFFERS = {"id", "number", "created_at", "updated_at", "next"}  # between two requests to the same side, too


@dataclass(frozen=True)
class Figures:
    """What one round, or the middle of several, has measured; times are in milliseconds."""

    rate: float
    p50: float
    p99: float
    errors: int


def middle(figures: Sequence[Figures]) -> Figures:
    """Return the medians of several rounds, and the sum of their errors."""
    return Figures(
        median(f.rate for f in figures),
        median(f.p50 for f in figures),
        median(f.p99 for f in figures),
        sum(f.errors for f in figures),
    )


class Bench:
    """The servers on one database, and the people who ask them."""

    def __init__(self, urls: Mapping[str, str], kept: Kept, people: Sequence[Person], file: Path) -> None:
        """``urls`` is where each side listens; ``file`` is for what wrk has to know."""
        self._urls, self._kept, self._people, self._file = urls, kept, people, file

    def check_alike(self) -> None:
        """Ask each side for each operation once: they have to give the same answers, with the right status."""
        answers = {}
        for side, url in self._urls.items():
            self._kept.restore()
            answers[side] = [_comparable(_asked(url, self._people[0], example)) for example in _EXAMPLES]
        for side, given in answers.items():
            for operation, theirs, bare in zip(OPERATIONS, given, answers["bare"], strict=True):
                if theirs != bare:
                    raise CannotMeasure(f"{operation}: {side} and bare answer differently")

    def round(self, operation: str, side: str, seconds: int) -> Figures:
        """Measure on a database as it was in the beginning; each write that was answered has to be in its log."""
        self._kept.restore()
        self._write_down([_tag(self._urls[side], who) if operation == "unchanged" else "-" for who in self._people])
        counted = self._load(operation, side, seconds)
        time.sleep(0.3)  # for what was under way when wrk hung up
        errors, kept = counted["refused"] + counted["broken"], self._kept.changes()
        least = counted["requests"] if operation in _WRITES else 0
        if errors or not least <= kept <= least + CONNECTIONS:
            raise CannotMeasure(
                f"{operation}, {side}: {errors} errors, {kept} changes by {counted['requests']} requests"
            )
        rate = counted["requests"] / counted["microseconds"] * 1e6
        return Figures(rate, counted["p50"] / 1000, counted["p99"] / 1000, errors)

    def _write_down(self, tags: Sequence[str]) -> None:
        """Write down for wrk who asks, what each has already, and for which tasks."""
        lines = (" ".join((who.token, tag, *who.tasks)) for who, tag in zip(self._people, tags, strict=True))
        self._file.write_text("".join(f"{line}\n" for line in lines))

    def _load(self, operation: str, side: str, seconds: int) -> dict[str, int]:
        load = ["wrk", "--threads=1", f"--connections={CONNECTIONS}", f"--duration={seconds}s", f"--script={_SCRIPT}"]
        command = [*load, self._urls[side], "--", operation, str(self._file)]
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30)
        counted: dict[str, int] = json.loads(told.stdout.splitlines()[-1])
        return counted


def _asked(url: str, person: Person, example: tuple[str, str, object, int]) -> object:
    answer, _ = _answered(url, person, example)
    return json.loads(answer)


def _tag(url: str, person: Person) -> str:
    """Return the ETag of somebody's page; who sends it has to be told that they have it already."""
    _, tag = _answered(url, person, _PAGE)
    _answered(url, person, (*_PAGE[:3], 304), {"If-None-Match": tag})
    return tag


def _answered(
    url: str, person: Person, example: tuple[str, str, object, int], more: Mapping[str, str] | None = None
) -> tuple[str, str]:
    """Return the body and the ETag of an answer."""
    method, path, body, status = example
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json", **(more or {})}
    sent = None if body is None else json.dumps(body)
    connection.request(method, path.format(task=person.tasks[0]), sent, headers)
    response = connection.getresponse()
    answer = response.read().decode()
    connection.close()
    if response.status != status:
        raise CannotMeasure(f"{method} {path} of {url} answers {response.status}: {answer}")
    return answer, response.getheader("ETag", "")


def _comparable(answer: object) -> object:
    """Return an answer without what is another each time."""
    if isinstance(answer, list):
        return [_comparable(item) for item in answer]
    if isinstance(answer, dict):
        return {name: _comparable(value) for name, value in answer.items() if name not in _DIFFERS}
    return answer
