"""Pages that are read along with who asks: the same as others, given to whoever asks for them, and to nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import a_person, a_task, added, added_tasks, removed, replaced
from tests.questions import asked_from_now_on
from tests.world import World
from tracker.domain.access import Scope
from tracker.domain.clock import now
from tracker.domain.identity import new_id
from tracker.domain.query import Archived, Order, SortKey, TaskFilter, TaskQuery
from tracker.store.sql import foresight
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from tests.builders import Person
    from tracker.domain.task_line import Lines
    from tracker.store.contract import Standing

pytestmark = pytest.mark.postgresql

ASKED = ("/tasks", b"limit=50")
TOGETHER = {"sessions", "users", "memberships", "tasks"}
ORDERS = [Order(key, descending=descending) for key in SortKey for descending in (True, False)]


@pytest.fixture
def url(postgresql_url: str) -> str:
    return postgresql_url


@pytest.fixture
def ann(store: SqlStore) -> Person:
    ann = a_person()
    added(store, *ann)
    added_tasks(store, *(a_task(ann.inbox, title=f"Wall {number}") for number in range(4)))
    return ann


def page_of(person: Person, **asked: Any) -> TaskQuery:
    """Return what a request asks for: some of what is seen, at the instant at which it comes."""
    return TaskQuery((Scope(person.user.id),), 3, **{"filter": TaskFilter(at=now()), **asked})


def listed(store: SqlStore, person: Person, query: TaskQuery, asked: object = ASKED) -> tuple[Standing | None, Lines]:
    """Return who asks and the page that they ask for, as one request reads both."""
    with store.visit():
        return store.standing(person.session.id, asked=asked), store.task_lines(query)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_page_is_the_same_when_it_is_read_along(store: SqlStore, ann: Person, order: Order) -> None:
    query = page_of(ann, order=order)
    expected = store.standing(ann.session.id, asked=ASKED), store.task_lines(query)
    assert [listed(store, ann, query) for _ in range(5)] == [expected] * 5


def test_the_third_time_it_is_read_along(store: SqlStore, ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_from_now_on(monkeypatch)
    for _ in range(4):
        listed(store, ann, page_of(ann))
    assert len(asked) == 2 + 2 + 1 + 1
    assert asked[-1] >= TOGETHER


def test_it_shows_what_has_changed_meanwhile(store: SqlStore, ann: Person) -> None:
    query = page_of(ann, order=Order(SortKey.CREATED_AT))
    for number in range(5):
        (task,) = added_tasks(store, a_task(ann.inbox, title=f"Wall {number}"))
        changed = replaced(store, task, title="Door")
        assert [line.title for line in listed(store, ann, query)[1].items][:1] == ["Door"]
        removed(store, changed)


def test_who_does_not_ask_for_it_any_more_is_not_read_it(
    store: SqlStore, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        listed(store, ann, page_of(ann))
    asked = asked_from_now_on(monkeypatch)
    for _ in range(3):
        with store.visit():
            store.standing(ann.session.id, asked=ASKED)
    assert ["tasks" in tables for tables in asked] == [True, False, False]


@pytest.mark.parametrize(
    "other",
    [
        {"filter": TaskFilter(archived=Archived.INCLUDE)},
        {"filter": TaskFilter(label=("house",))},
        {"order": Order(SortKey.DUE)},
        {"limit": 1},
    ],
    ids=str,
)
def test_who_asks_for_another_page_than_was_expected_gets_that(
    store: SqlStore, ann: Person, other: dict[str, object]
) -> None:
    query, another = page_of(ann), TaskQuery(**{"scopes": page_of(ann).scopes, "limit": 3, **other})  # type: ignore[arg-type]  # one of several
    for _ in range(3):
        listed(store, ann, query)
    assert listed(store, ann, another)[1] == store.task_lines(another)


def test_two_requests_that_are_known_alike_are_not_taken_for_each_other(
    store: SqlStore, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = a_person()
    added(store, *ben)
    monkeypatch.setattr(foresight, "hash", lambda _known: 1, raising=False)
    for _ in range(3):
        listed(store, ann, page_of(ann))
    for _ in range(3):
        who, page = listed(store, ben, page_of(ben))
        assert who is not None
        assert (who.user_id, page.items) == (ben.user.id, ())


def test_it_is_given_out_once_and_not_after_a_commit(store: SqlStore, ann: Person) -> None:
    query = page_of(ann)
    for _ in range(3):
        listed(store, ann, query)
    with store.visit(), ThreadPoolExecutor(1) as elsewhere:
        store.standing(ann.session.id, asked=ASKED)
        elsewhere.submit(added_tasks, store, a_task(ann.inbox, title="Later")).result(timeout=60)
        assert [store.task_lines(query).items[0].title == "Later" for _ in range(2)] == [False, True]
    for _ in range(3):
        listed(store, ann, query)
    with store.visit():
        store.standing(ann.session.id, asked=ASKED)
        added_tasks(store, a_task(ann.inbox, title="Latest"))
        assert store.task_lines(query).items[0].title == "Latest"


def test_a_session_that_is_over_is_not_hidden_by_a_page(store: SqlStore, ann: Person) -> None:
    for _ in range(3):
        listed(store, ann, page_of(ann))
    removed(store, ann.session)
    for _ in range(3):
        who, page = listed(store, ann, page_of(ann))
        assert who is None
        assert len(page.items) == 3


def test_an_empty_page_is_read_along_too(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ben = a_person()
    added(store, *ben)
    query = page_of(ben)
    for _ in range(2):
        listed(store, ben, query)
    asked = asked_from_now_on(monkeypatch)
    who, page = listed(store, ben, query)
    assert who == store.standing(ben.session.id, asked=ASKED)
    assert (page.items, len(asked)) == ((), 2)


def test_pages_that_are_told_by_much_else_are_not_foreseen(
    store: SqlStore, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asked_from_now_on(monkeypatch)
    after = store.task_lines(page_of(ann)).next
    for query in (page_of(ann, filter=TaskFilter(label=("house",))), page_of(ann, cursor=after)):
        for _ in range(4):
            listed(store, ann, query, asked=str(query))
    assert len(asked) == 1 + 2 * 4 * 2


def test_the_oldest_is_forgotten_first(store: SqlStore, ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "_MOST", 2)
    for asked in ("a", "b", "c"):
        for _ in range(2):
            listed(store, ann, page_of(ann), asked)
    questions = asked_from_now_on(monkeypatch)
    for asked in ("c", "b", "a"):
        listed(store, ann, page_of(ann), asked)
    assert len(questions) == 1 + 1 + 2


def test_without_a_visit_nothing_is_read_along(store: SqlStore, ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        listed(store, ann, page_of(ann))
    asked = asked_from_now_on(monkeypatch)
    assert store.standing(new_id(), asked=ASKED) is None
    assert store.standing(ann.session.id, asked=ASKED) is not None
    assert not any("tasks" in tables for tables in asked)


@pytest.mark.parametrize(("cache", "questions"), [("off", [2, 2, 1, 1]), ("on", [2, 1, 1, 1])])
def test_a_list_that_is_asked_for_again_takes_one_question(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, cache: str, questions: list[int]
) -> None:
    world = World(store, cache=cache)
    client = world.of(world.person("ann"))
    client.post("/tasks", {"title": "Paint the wall"})  # what they may do is known from here on
    asked = asked_from_now_on(monkeypatch)
    for number in questions:
        asked.clear()
        world.clock.advance(seconds=1)
        assert [task["title"] for task in client.get("/tasks").json["items"]] == ["Paint the wall"]
        assert len(asked) == number


@pytest.mark.parametrize("cache", ["on", "off"])
def test_whoever_changes_something_sees_it_in_their_list_at_once(store: SqlStore, cache: str) -> None:
    world = World(store, cache=cache)
    client = world.of(world.person("ann"))
    for number in range(1, 7):
        client.post("/tasks", {"title": f"Wall {number}"})
        assert len(client.get("/tasks").json["items"]) == number
