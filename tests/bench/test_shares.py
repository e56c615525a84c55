from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bench.shares import room_of, shares

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class _Frame:
    file_path: str | None
    time: float
    children: Sequence[_Frame] = field(default_factory=tuple)
    function: str = "f"


def test_each_moment_belongs_to_whose_code_was_running() -> None:
    sql = _Frame("/app/tracker/store/sql/database.py", 3.0)
    handler = _Frame("/app/tracker/api/tasks.py", 5.0, [sql])
    flask = _Frame("/lib/site-packages/flask/app.py", 6.0, [handler])
    root = _Frame("/app/bench/profile.py", 10.0, [_Frame("/app/tracker/edge/responder.py", 8.0, [flask])])
    assert shares(root) == {"edge": 2.0, "flask": 1.0, "domain": 2.0, "sql": 3.0}


def test_what_the_standard_library_does_is_done_for_who_calls_it() -> None:
    library = _Frame("/lib/python3.11/json/decoder.py", 2.0, [_Frame(None, 1.0, function="[self]")])
    root = _Frame("/app/tracker/store/sql/rows.py", 5.0, [library])
    assert shares(root) == {"sql": 5.0}


@pytest.mark.parametrize(
    ("file", "function", "room"),
    [
        ("/app/tracker/api/representations.py", "task_json", "encoding"),
        ("/app/tracker/edge/answers.py", "response_to", "encoding"),
        ("/app/tracker/edge/answers.py", "problem_of", "edge"),
        ("/lib/site-packages/werkzeug/wrappers/response.py", "__init__", "flask"),
        ("/lib/site-packages/starlette/routing.py", "matches", "connexion"),
        ("/lib/python3.11/threading.py", "run", None),
    ],
)
def test_a_function_is_in_one_room(file: str, function: str, room: str | None) -> None:
    assert room_of(file, function) == room
