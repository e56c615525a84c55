"""The catalogue of problems: whole, and in step with the refusals there are."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator

import pytest

import tracker
from tests.world import DOCUMENT, World
from tracker.domain.refusals import Refusal, TooLong
from tracker.edge import problems
from tracker.edge.problems import KINDS, BadRequest, kind_of
from tracker.store.kept import NotEmpty
from tracker.store.silence import Silent
from tracker.transfer.importing import Damaged

# A new refusal needs a kind of its own, or a line here that says why not.
ABSTRACT = {Refusal}
AS_ABOVE = {Silent, TooLong}  # told like the class above: they only say more
NEVER_ANSWERED = {Damaged, NotEmpty}  # said by the command line alone


def every_refusal() -> set[type[Refusal]]:
    for room in ("domain", "edge", "api", "store", "transfer"):
        package = importlib.import_module(f"tracker.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." not in module.name:
                importlib.import_module(module.name)
    return set(descendants(Refusal))


def descendants(cls: type[Refusal]) -> Iterator[type[Refusal]]:
    yield cls
    for below in cls.__subclasses__():
        if below.__module__.startswith(tracker.__name__):
            yield from descendants(below)


def test_every_refusal_has_a_kind_of_its_own() -> None:
    without = ABSTRACT | AS_ABOVE | NEVER_ANSWERED
    assert every_refusal() == KINDS.keys() | without
    assert not KINDS.keys() & without


def test_a_refusal_is_told_by_its_own_kind() -> None:
    for cls, kind in KINDS.items():
        assert kind_of(cls.__new__(cls)) is kind


def test_no_two_kinds_share_a_name() -> None:
    assert [slug for slug, count in Counter(kind.slug for kind in KINDS.values()).items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z0-9-]{1,80}", kind.slug) for kind in KINDS.values())


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.slug)
def test_a_kind_says_what_happened_and_what_to_do(kind: problems.Kind) -> None:
    assert re.fullmatch(r"[A-Z][^.]*", kind.title)
    assert re.search(r"[.]$", kind.remedy)
    assert 400 <= kind.status <= 503
    assert kind.status != 422


@pytest.mark.parametrize("cls", KINDS, ids=lambda cls: cls.__name__)
def test_what_a_refusal_says_by_itself_fits_the_contract(cls: type[Refusal]) -> None:
    schema = DOCUMENT.inlined(DOCUMENT.root["components"]["schemas"]["Problem"])
    assert len(cls.detail) <= schema["properties"]["detail"]["maxLength"]
    assert len(KINDS[cls].title) <= schema["properties"]["title"]["maxLength"]
    assert re.fullmatch(schema["properties"]["type"]["pattern"], KINDS[cls].type)


def test_every_refusal_that_http_knows_is_drawn_where_they_all_are() -> None:
    classes = {cls for cls in vars(problems).values() if inspect.isclass(cls) and issubclass(cls, Refusal)}
    here = {cls for cls in classes if cls.__module__ == problems.__name__}
    assert {cls for cls in every_refusal() if cls.__module__.startswith("tracker.edge")} == here


def test_of_many_errors_twenty_are_told() -> None:
    assert len(BadRequest([{"parameter": str(n), "rule": "is"} for n in range(50)]).errors) == 20


def test_the_type_of_a_problem_leads_to_a_page_about_it(world: World) -> None:
    problem = world.client.get("/tasks").json
    page = world.client.get(problem["type"])

    assert page.status == 200
    assert problem["title"] in page.body.decode()
