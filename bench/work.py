"""What is asked for, of which sides, and how it has to be answered."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from bench.data import PASSWORD
from bench.database import CannotMeasure
from bench.sides import ALIKE, BARE, CACHED, KEEPING, ON_MONGODB, OURS, RIVALS, SHARED, STOCK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.data import Person

OPERATIONS = ("get", "list", "create", "status")
REMEMBERED = ("remembered", "unchanged")
LOGIN, DAY = "login", "day"
CROWDED = "crowded"
"""Ours, while fifty logins are under way beside it."""

# What is compared most closely is measured one after the other.
MEASURED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(OPERATIONS, (BARE, OURS, CROWDED, STOCK, *RIVALS, ON_MONGODB)),
    **dict.fromkeys(REMEMBERED, (CACHED, KEEPING, SHARED)),
    LOGIN: (OURS, STOCK, *RIVALS),
    DAY: ALIKE,
}
WRITTEN: Mapping[str, float] = {"create": 1, "status": 1, DAY: 0.15}
"""How many of the requests leave a change in the log."""

_NEW = {
    "title": "Order the paint",
    "description": "The blue one.",
    "priority": "high",
    "labels": ["house"],
    "due": {"date": "2027-03-01"},
}


@dataclass(frozen=True)
class Example:
    """One request, and the status it has to be answered with."""

    method: str
    path: str
    body: object
    status: int


PAGE = Example("GET", "/tasks?limit=50", None, 200)
EXAMPLES: Mapping[str, Example] = {
    "get": Example("GET", "/tasks/{task}", None, 200),
    "list": PAGE,
    "create": Example("POST", "/tasks", _NEW, 201),
    "status": Example("PATCH", "/tasks/{task}/status", {"status": "in_progress"}, 200),
    LOGIN: Example("POST", "/login", {"username": "user00", "password": PASSWORD}, 200),
}
# Between two requests to the same side, too.
_DIFFERS = {"id", "number", "created_at", "updated_at", "next", "access_token", "token", "refresh_token"}
_SAME_SIZE = 0.02


def check_alike(operation: str, answers: Mapping[str, str]) -> None:
    """Hold the answers of all sides to one request to be the same, in members and, nearly, in bytes."""
    (first, measure), *others = ((side, json.loads(answer)) for side, answer in answers.items())
    size = _size(measure)
    for side, answer in others:
        if _comparable(answer) != _comparable(measure):
            raise CannotMeasure(f"{operation}: {side} and {first} answer differently")
        if operation != LOGIN and abs(_size(answer) - size) > _SAME_SIZE * size:
            raise CannotMeasure(f"{operation}: {side} answers {_size(answer)} bytes, {first} {size}")


def asked(url: str, person: Person, example: Example, more: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return the body and the ETag of an answer; CannotMeasure where it has another status."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json", **(more or {})}
    if example is EXAMPLES[LOGIN]:
        del headers["Authorization"]
    sent = None if example.body is None else json.dumps(example.body)
    connection.request(example.method, example.path.format(task=person.tasks[0]), sent, headers)
    response = connection.getresponse()
    answer = response.read().decode()
    connection.close()
    if response.status != example.status:
        raise CannotMeasure(f"{example.method} {example.path} of {url} answers {response.status}: {answer}")
    return answer, response.getheader("ETag", "")


def _size(answer: object) -> int:
    """Return how many bytes it says; Connexion's own encoder also lays them out in lines."""
    return len(orjson.dumps(answer))


def _comparable(answer: object) -> object:
    """Return an answer without what is another each time."""
    if isinstance(answer, list):
        return [_comparable(item) for item in answer]
    if isinstance(answer, dict):
        return {name: _comparable(value) for name, value in answer.items() if name not in _DIFFERS}
    return answer
