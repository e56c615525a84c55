"""Lists of tasks as a plain loop would make them, and as a store's pages do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.builders import AT
from tracker.domain.query import Order, SortKey, TaskQuery
from tracker.domain.task import Priority
from tracker.domain.task_line import TaskLine, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracker.domain.query import Page
    from tracker.domain.task import Task
    from tracker.store.contract import Store

ORDERS = [Order(key, descending) for key in SortKey for descending in (False, True)]


def in_order(tasks: Iterable[Task], order: Order) -> list[str]:
    """Return the ids of tasks in an order: what a store has to agree with."""
    values: dict[SortKey, Callable[[Task], Any]] = {
        SortKey.CREATED_AT: lambda task: task.created_at,
        SortKey.UPDATED_AT: lambda task: task.updated_at,
        SortKey.DUE: lambda task: task.overdue_after() or AT,
        SortKey.PRIORITY: lambda task: list(Priority).index(task.priority),
        SortKey.NUMBER: lambda task: task.number,
    }
    by_value = sorted(tasks, key=lambda task: (values[order.key](task), task.id), reverse=order.descending)
    if order.key is SortKey.DUE:
        by_value.sort(key=lambda task: task.due is None)
    return [task.id for task in by_value]


def turned(store: Store, query: TaskQuery) -> list[str]:
    """Return the ids of all a query finds, a page at a time."""
    return [task.id for page in _pages(store, query) for task in page.items]


def turned_as_lines(store: Store, query: TaskQuery) -> list[str]:
    """Return the same of a store in which nothing happens, each page of which has to be the same in lines."""
    ids = []
    for page in _pages(store, query):
        lines = store.task_lines(query)
        assert [comparable(line) for line in lines.items] == [line_of(task) for task in page.items]
        assert lines.next == page.next
        ids += [line.id for line in lines.items]
        query = replace(query, cursor=page.next)
    return ids


def _pages(store: Store, query: TaskQuery) -> Iterator[Page]:
    page = store.tasks(query)
    yield page
    while page.next is not None:
        assert len(page.items) == query.limit
        page = store.tasks(replace(query, cursor=page.next))
        yield page


def comparable(line: TaskLine) -> TaskLine:
    """Return a line with its labels as a task has them."""
    return line._replace(labels=tuple(line.labels))
