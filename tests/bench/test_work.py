from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench.counted import OPERATIONS, main
from bench.database import CannotMeasure
from bench.instructions import differing
from bench.work import DAY, WRITTEN, check_alike

_LOAD = Path(__file__).parents[2] / "bench" / "load.lua"


def test_sides_that_answer_alike_are_measured() -> None:
    task = {"id": "1", "title": "Paint", "due": None}
    check_alike("get", {"ours": json.dumps(task), "stock": json.dumps({**task, "id": "2"}, indent=2)})


@pytest.mark.parametrize("theirs", [{"id": "1"}, {"id": "1", "title": "Saw"}, {"id": "1" * 50, "title": "Paint"}])
def test_a_side_that_answers_something_else_is_not_measured(theirs: dict[str, str]) -> None:
    with pytest.raises(CannotMeasure, match="fastapi"):
        check_alike("get", {"ours": json.dumps({"id": "1", "title": "Paint"}), "fastapi": json.dumps(theirs)})


def test_a_day_writes_as_often_as_its_log_is_held_to() -> None:
    day = re.search(r"of_a_day = \{(.*?)\}", _LOAD.read_text(encoding="utf-8"), re.DOTALL)
    assert day is not None
    hours = re.findall(r'"(\w+)"', day.group(1))
    shares = {name: hours.count(name) / len(hours) for name in set(hours)}
    assert shares == {"list": 0.7, "get": 0.15, "status": 0.1, "create": 0.05}
    assert WRITTEN[DAY] == pytest.approx(shares["status"] + shares["create"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_callgrind_counts_is_answered(operation: str) -> None:
    main(operation, 2)


@pytest.mark.parametrize(("count", "off"), [(979, ["get"]), (981, []), (1019, []), (1021, ["get"])])
def test_a_count_may_be_two_percent_off_either_way(count: int, off: list[str]) -> None:
    assert differing({"get": count}, {"get": 1000}) == off


def test_a_count_that_was_never_written_down_is_off() -> None:
    assert differing({"get": 1000}, {}) == ["get"]
