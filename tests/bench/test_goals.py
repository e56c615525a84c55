from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import goals, report
from bench.footprint import Footprint
from bench.goals import Goal
from bench.rounds import Figures, middle
from bench.sizes import Size
from bench.sizes import goals as goals_of_growth

if TYPE_CHECKING:
    from collections.abc import Mapping


def _at(rate: float, p50: float = 10.0, p99: float = 20.0) -> Figures:
    return Figures(rate, p50, p99, errors=0)


def _rounds(figures: Mapping[tuple[str, str], Figures]) -> Mapping[tuple[str, str], list[Figures]]:
    """Return rounds that were all alike."""
    return {turn: [told, told, told] for turn, told in figures.items()}


def test_a_ratio_is_held_to_its_goal() -> None:
    measured = {("get", "ours"): _at(750), ("get", "bare"): _at(1000), ("list", "ours"): _at(500)}
    measured |= {("list", "fastapi"): _at(100), ("list", "bare"): _at(600)}
    found = {goal.what: goal.met for goal in goals.of_rates(_rounds(measured))}
    assert found == {
        "get of ours / get of bare": False,
        "list of ours / list of bare": True,
        "list of ours / list of fastapi": True,
    }


def test_what_is_remembered_is_held_to_the_lists_that_are_not() -> None:
    measured = {("remembered", "cached"): _at(1300), ("list", "bare"): _at(1000), ("unchanged", "cached"): _at(1600)}
    measured |= {("remembered", "shared"): _at(1000), ("unchanged", "shared"): _at(1400)}
    found = {goal.what: goal.met for goal in goals.of_rates(_rounds(measured))}
    assert found == {
        "remembered of cached / list of bare": True,
        "remembered of shared / list of bare": False,
        "unchanged of cached / remembered of cached": False,
        "unchanged of shared / remembered of shared": True,
    }


@pytest.mark.parametrize(("rate", "met"), [(1700, True), (1500, False)])
def test_what_a_304_saves_where_the_page_is_at_hand_is_held_to_what_it_saves_bare(rate: float, *, met: bool) -> None:
    measured = {("remembered", "cached"): _at(1000), ("unchanged", "cached"): _at(rate)}
    measured |= {("remembered", "keeping"): _at(4000), ("unchanged", "keeping"): _at(8000)}
    *_, held = goals.of_rates(_rounds(measured))
    assert (held.what, held.met) == ("unchanged / remembered of cached / of keeping", met)


def test_the_slowest_of_a_hundred_are_held_to_the_middle_and_to_those_without_a_crowd() -> None:
    measured = {("get", "ours"): _at(1000, 10, 41), ("get", "crowded"): _at(900, 12, 80)}
    assert [goal.met for goal in goals.of_patience(_rounds(measured))] == [False, True]


def test_sides_are_compared_round_by_round() -> None:
    measured = {("get", "ours"): [_at(900), _at(90), _at(500)], ("get", "bare"): [_at(1000), _at(100), _at(1000)]}
    assert [goal.measured for goal in goals.of_rates(measured)] == [0.9]  # of the medians it would be 0.5


def test_the_slowest_of_a_hundred_are_compared_round_by_round_too() -> None:
    alone, crowded = [_at(100, p99=20), _at(100, p99=80), _at(100, p99=20)], [_at(90, p99=30)] * 2 + [_at(90, p99=80)]
    beside = [goal.measured for goal in goals.of_patience({("get", "ours"): alone, ("get", "crowded"): crowded})][1]
    assert beside == 1.5


def test_a_process_is_held_to_its_memory_and_its_start() -> None:
    assert [goal.met for goal in goals.of_footprint(Footprint(121, 0.29))] == [False, True]


def test_a_goal_that_is_missed_is_named_with_its_figure() -> None:
    reached = [Goal("get", 0.75, 0.8), Goal("p99", 3.0, 4.0, at_least=False)]
    assert report.missed(reached) == ["get: 0.75 is not at least 0.8"]
    assert [line.split("| ")[-1] for line in report.goals_table(reached)][2:] == ["**missed** |", "met |"]


def test_the_middle_of_several_rounds_has_their_spread() -> None:
    told = middle([_at(90), _at(120), _at(100)])
    assert (told.rate, told.least, told.most) == (100, 90, 120)


@pytest.mark.parametrize(("slower", "met"), [(1.19, True), (1.21, False)])
def test_an_operation_may_hardly_grow_with_the_tasks_there_are(slower: float, *, met: bool) -> None:
    names = ("get", "first page", "page 100", "create", "status", "changes")
    small = Size(1000, 1, dict.fromkeys(names, 1.0), 2000, 100)
    large = Size(1_000_000, 1, dict.fromkeys(names, slower), 2000, 100)
    reached = {goal.what.partition(" at ")[0]: goal.met for goal in goals_of_growth([small, large])}
    assert reached == {"get": met, "first page": met, "create": met, "status": met, "page 100 / first page": True}


def test_what_could_not_be_asked_for_has_no_goal() -> None:
    small = Size(100, 1, {"get": 1.0, "first page": 1.0, "page 100": None, "create": 1.0, "status": 1.0}, 2000, 100)
    assert not [goal for goal in goals_of_growth([small, small]) if "100 /" in goal.what.partition(" at ")[0]]
