"""Where the time of a request goes, from what pyinstrument saw: each moment belongs to whose code was running."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOMS = ("connexion", "flask", "edge", "sql", "domain", "encoding")
"""In the order in which a request passes them."""

# The first that is found in a path. What is in none (the standard library, what is built in) is done for who calls it.
_PLACES = (
    ("tracker/api/representations.py", "encoding"),
    ("tracker/api/", "domain"),
    ("tracker/domain/", "domain"),
    ("tracker/edge/", "edge"),
    ("tracker/store/", "sql"),
    ("/connexion/", "connexion"),
    ("/starlette/", "connexion"),
    ("/flask/", "flask"),
    ("/werkzeug/", "flask"),
    ("/sqlalchemy/", "sql"),
    ("/psycopg2/", "sql"),
)
_ENCODERS = {("tracker/edge/answers.py", "response_to"), ("tracker/edge/answers.py", "_links")}


class Frame(Protocol):
    """What is used of pyinstrument's frames."""

    @property
    def file_path(self) -> str | None: ...
    @property
    def function(self) -> str: ...
    @property
    def time(self) -> float: ...
    @property
    def children(self) -> Sequence[Frame]: ...


def shares(root: Frame) -> Mapping[str, float]:
    """Return the seconds of each room; what the measuring itself takes is in none of them."""
    found: defaultdict[str, float] = defaultdict(float)
    waiting: list[tuple[Frame, str]] = [(root, "")]
    while waiting:
        frame, caller = waiting.pop()
        room = room_of(frame.file_path or "", frame.function) or caller
        own = frame.time - sum(child.time for child in frame.children)
        if room:
            found[room] += max(own, 0.0)
        waiting += ((child, room) for child in frame.children)
    return found


def room_of(file: str, function: str) -> str | None:
    """Return which room a function is in, None where it is in none of them."""
    path = file.replace("\\", "/")
    if any(path.endswith(place) and function == name for place, name in _ENCODERS):
        return "encoding"
    return next((room for place, room in _PLACES if place in path), None)
