"""Each filter and each order by itself: what is found, and in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import AT, Person, a_membership, a_project, a_task, added, added_tasks, changes, replaced
from tests.listing import ORDERS, in_order, turned
from tracker.domain.access import Scope
from tracker.domain.changes import Change
from tracker.domain.query import Archived, Order, SortKey, TaskFilter, TaskQuery
from tracker.domain.task import Due, Priority, Status
from tracker.domain.words import words_of

if TYPE_CHECKING:
    from tracker.domain.project import Project
    from tracker.domain.task import Task
    from tracker.store.contract import Store

EVERYTHING = (Scope(None),)
OLDEST_FIRST = Order(SortKey.CREATED_AT, descending=False)
MILLISECOND = timedelta(milliseconds=1)


def found(store: Store, **asked: Any) -> str:
    """Return the titles of what a filter finds, the oldest first."""
    page = store.tasks(TaskQuery(EVERYTHING, 200, filter=TaskFilter(**asked), order=OLDEST_FIRST))
    return " ".join(task.title for task in page.items)


def add_titled(store: Store, project: Project, **tasks: dict[str, Any]) -> None:
    """Commit tasks by their titles."""
    added(store, *(a_task(project, title=title, **members) for title, members in tasks.items()))


# Filters, one by one.


def test_of_several_statuses_any_will_do(store: Store, kitchen: Project) -> None:
    add_titled(store, kitchen, a={"status": Status.TODO}, b={"status": Status.BLOCKED}, c={"status": Status.DONE})

    assert found(store, status=(Status.BLOCKED,)) == "b"
    assert found(store, status=(Status.DONE, Status.TODO)) == "a c"
    assert found(store, status=(Status.CANCELLED,)) == ""


def test_of_several_priorities_any_will_do(store: Store, kitchen: Project) -> None:
    add_titled(store, kitchen, a={"priority": Priority.LOW}, b={"priority": Priority.URGENT}, c={})

    assert found(store, priority=(Priority.URGENT,)) == "b"
    assert found(store, priority=(Priority.LOW, Priority.NONE)) == "a c"


def test_of_several_labels_any_will_do(store: Store, kitchen: Project) -> None:
    add_titled(store, kitchen, a={"labels": ("home", "weekly")}, b={"labels": ("work",)}, c={})

    assert found(store, label=("weekly",)) == "a"
    assert found(store, label=("work", "home")) == "a b"
    assert found(store, label=("other",)) == ""


@pytest.mark.parametrize("label", ["a,b", '"', "'", "{a}", "[1]", "null", "%", "\\", "Zoë 🪴", "ho", "HOME"])
def test_a_label_is_compared_as_it_is_written(store: Store, kitchen: Project, label: str) -> None:
    add_titled(store, kitchen, a={"labels": ("home", "a", "b")}, b={"labels": (label,)})

    assert found(store, label=(label,)) == "b"


def test_the_tasks_of_one_project_are_found(store: Store, kitchen: Project) -> None:
    garden = a_project()
    added(store, garden)
    add_titled(store, kitchen, a={})
    add_titled(store, garden, b={})

    assert found(store, project_id=garden.id) == "b"


def test_what_somebody_has_to_do_is_found(store: Store, kitchen: Project, ann: Person) -> None:
    add_titled(store, kitchen, a={"assignee_id": ann.user.id}, b={}, c={"created_by": ann.user.id})

    assert found(store, assignee_id=ann.user.id) == "a"


def test_what_is_due_is_so_at_its_last_instant_and_windows_that_adjoin_share_nothing(
    store: Store, kitchen: Project
) -> None:
    berlin = Due(date(2026, 12, 1), timezone="Europe/Berlin")
    add_titled(store, kitchen, day={"due": berlin}, minute={"due": Due(date(2026, 12, 1), time(17))}, never={})
    end_of_day = datetime(2026, 12, 1, 23, tzinfo=UTC)

    assert found(store, due_before=end_of_day) == "minute"
    assert found(store, due_after=end_of_day) == "day"
    assert found(store, due_before=end_of_day + MILLISECOND) == "day minute"
    assert found(store, due_after=end_of_day + MILLISECOND) == ""
    assert found(store, due_after=end_of_day - timedelta(days=1), due_before=end_of_day) == "minute"


def test_a_task_is_overdue_when_its_last_instant_is_over_and_it_is_open(store: Store, kitchen: Project) -> None:
    due = Due(date(2026, 12, 1), time(17))
    add_titled(store, kitchen, never={}, **{status.value: {"due": due, "status": status} for status in Status})
    last = datetime(2026, 12, 1, 17, tzinfo=UTC)
    everything = "never todo in_progress blocked done cancelled"

    assert found(store, overdue=True, at=last) == ""
    assert found(store, overdue=True, at=last + MILLISECOND) == "todo in_progress blocked"
    assert found(store, overdue=False, at=last) == everything
    assert found(store, overdue=False, at=last + MILLISECOND) == "never done cancelled"
    assert found(store, at=last + MILLISECOND) == everything


@pytest.mark.parametrize("name", ["created", "updated"])
def test_what_was_made_or_changed_at_an_instant_or_later_is_found(store: Store, kitchen: Project, name: str) -> None:
    later = AT + MILLISECOND
    add_titled(store, kitchen, a={}, b={"updated_at": later}, c={"created_at": later, "updated_at": later})

    assert found(store, **{f"{name}_after": AT}) == "a b c"
    assert found(store, **{f"{name}_after": later}) == ("c" if name == "created" else "b c")
    assert found(store, **{f"{name}_after": later + MILLISECOND}) == ""


def test_archived_tasks_are_left_out_or_alone_or_among_the_others(store: Store, kitchen: Project) -> None:
    add_titled(store, kitchen, a={}, b={"archived_at": AT})

    assert found(store) == "a"
    assert found(store, archived=Archived.ONLY) == "b"
    assert found(store, archived=Archived.INCLUDE) == "a b"


# Words.


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("Water the plants", "water"),
        ("Water the plants", "PLA wat"),
        ("Water the plants", "the"),  # no word is too small to be found
        ("Running", "runn"),
        ("WÄSCHE waschen, straße", "wäsche STRASSE"),
        ("Zoe\u0308", "ZOË"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Полить ЦВЕТЫ", "цветы поли"),
        ("植物に水をやる", "水"),
        ("हिन्दी में", "हिन्दी"),
        ("100% sure", "100%"),
        ("to_do list", "do to"),
        ("call back: 555-1234 / v2.10", "v2 10 555"),
        ("it's ann@example.com", "ann@example.com"),
        ("see https://example.com/a/b?c=d", "https://example.com/a/b?c=d"),
        ("🪴 plant", "🪴plant"),
        ("-5 1e5 0x1F 3rd", "1e5 0x1f 3rd 5"),
        ("x" * 300, "x" * 150),
    ],
)
def test_words_are_found_by_how_they_begin(store: Store, kitchen: Project, text: str, q: str) -> None:
    added(store, a_task(kitchen, title=text), a_task(kitchen, title="other"))

    assert found(store, words=words_of(q)) == text


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("Water the plants", "ants"),  # the end of a word
        ("Water the plants", "water roses"),  # all of them, not some
        ("Water the plants", "plantss"),
        ("Water the plants", "wa%ts"),
        ("Water the plants", "wat_r"),
        ("Zoë", "zoe"),
        ("anything", "%"),
        ("anything", "_"),
        ("anything", "*"),
        ("anything", "' OR 1=1 --"),
        ("anything", "!other & any:*"),
        ("anything", "..."),
    ],
)
def test_words_that_are_not_there_are_not_found(store: Store, kitchen: Project, text: str, q: str) -> None:
    added(store, a_task(kitchen, title=text))

    assert found(store, words=words_of(q)) == ""


def test_title_and_description_are_searched_as_one(store: Store, kitchen: Project) -> None:
    add_titled(store, kitchen, water={"description": "the plants"}, roses={"description": "not the plants"})

    assert found(store, words=("plants", "water")) == "water"
    assert found(store, words=("plants",)) == "water roses"


def test_the_longest_text_is_found_by_its_last_word(store: Store, kitchen: Project) -> None:
    words = " ".join(f"{n:x}\u00e9" for n in range(4000))[:19_990]
    add_titled(store, kitchen, long={"description": f"{words} needle"}, other={"description": words})

    assert found(store, words=("needle",)) == "long"


@pytest.mark.parametrize("together", [False, True])
def test_what_is_changed_is_found_by_what_it_is_now(store: Store, kitchen: Project, *, together: bool) -> None:
    one, two = added_tasks(store, a_task(kitchen, title="one"), a_task(kitchen, title="two"))
    after = replace(one, title="uno", priority=Priority.URGENT, version=2)
    also = (Change(two, replace(two, description="due", version=2)),) if together else ()
    store.commit(changes(Change(one, after), *also))

    assert found(store, words=("one",)) == ""
    assert found(store, words=("uno",)) == "uno"
    first = store.tasks(TaskQuery(EVERYTHING, order=Order(SortKey.PRIORITY))).items[0]
    assert (first.title, first.priority) == ("uno", Priority.URGENT)


# Orders.


def tied_tasks(*projects: Project) -> list[Task]:
    """Return tasks that have each value of everything more than once."""
    dues = [None, Due(date(2026, 12, 1)), None, Due(date(2026, 11, 30), time(23, 59)), Due(date(2026, 12, 1))]
    return [
        a_task(
            project,
            due=due,
            priority=list(Priority)[n % 3],
            created_at=AT + timedelta(seconds=n % 2),
            updated_at=AT + timedelta(hours=1, milliseconds=n % 3),
        )
        for project in projects
        for n, due in enumerate(dues)
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_pages_in_any_order_hold_each_task_once(store: Store, ann: Person, order: Order, limit: int) -> None:
    garden = a_project()
    added(store, garden, a_membership(garden, ann.user))
    tasks = added_tasks(store, *tied_tasks(ann.inbox, garden))

    for scope in (Scope(None), Scope(ann.user.id)):
        assert turned(store, TaskQuery((scope,), limit, order=order)) == in_order(tasks, order)
    query = TaskQuery(EVERYTHING, limit, filter=TaskFilter(project_id=garden.id), order=order)
    assert turned(store, query) == in_order((task for task in tasks if task.project_id == garden.id), order)


def test_a_place_at_what_has_no_deadline_goes_on_among_those(store: Store, kitchen: Project) -> None:
    tasks = added_tasks(store, *tied_tasks(kitchen))
    for descending in (False, True):
        order = Order(SortKey.DUE, descending)
        first = store.tasks(TaskQuery(EVERYTHING, 4, order=order))
        assert first.next is not None
        assert first.next.value is None
        second = store.tasks(TaskQuery(EVERYTHING, 4, first.next, order=order))
        assert [task.id for task in (*first.items, *second.items)] == in_order(tasks, order)


def test_a_task_that_is_edited_behind_the_page_does_not_move_the_others(store: Store, kitchen: Project) -> None:
    tasks = added_tasks(store, *(a_task(kitchen, updated_at=AT + timedelta(seconds=n)) for n in range(6)))
    query = TaskQuery(EVERYTHING, 3, order=Order(SortKey.UPDATED_AT, descending=False))
    first = store.tasks(query)
    replaced(store, tasks[0], updated_at=AT + timedelta(hours=1))
    second = store.tasks(replace(query, cursor=first.next))

    assert [task.id for task in second.items] == [task.id for task in tasks[3:]]
