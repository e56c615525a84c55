"""Tasks as a table: what a spreadsheet makes of it, and what it must not."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.builders import a_task, added_tasks
from tests.world import NOON
from tracker.api import feeds, spreadsheet
from tracker.domain.project import ProjectRole

if TYPE_CHECKING:
    from tests.client import Client, Received
    from tests.world import Person, World
    from tracker.domain.project import Project

NOBODY = "0192f3a4-5b6c-7d8e-9f00-112233445566"


def rows(answer: Received) -> list[dict[str, str]]:
    assert answer.status == 200, answer.body
    return list(csv.DictReader(StringIO(answer.body.decode(), newline=""), strict=True))


def table(client: Client, **asked: object) -> list[dict[str, str]]:
    return rows(client.get("/tasks.csv", query=urlencode(asked, doseq=True)))


def test_a_table_has_a_row_of_names_and_one_for_each_task(client: Client) -> None:
    due = {"date": "2026-11-20", "time": "17:00", "timezone": "Europe/Berlin"}
    members = {
        "title": "Ask: who, what",
        "description": 'One "quoted" line,\nand two',
        "labels": ["a", "b, c"],
        "due": due,
    }
    task = client.post("/tasks", members).json

    answer = client.get("/tasks.csv")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="tasks.csv"'
    assert answer.body.endswith(b"\r\n")
    assert answer.body.partition(b"\r\n")[0].decode() == ",".join(spreadsheet.COLUMNS)
    (row,) = rows(answer)
    plain = {name: task[name] for name in ("id", "project_id", "title", "description", "status", "created_by")}
    assert {name: row[name] for name in plain} == plain
    assert (row["labels"], row["number"], row["version"], row["overdue"]) == ("a, b, c", "1", "1", "true")
    assert (row["due_date"], row["due_time"], row["due_timezone"]) == ("2026-11-20", "17:00", "Europe/Berlin")
    assert (row["created_at"], row["completed_at"], row["assignee_id"]) == (task["created_at"], "", "")


def test_a_table_of_nothing_is_a_row_of_names(client: Client) -> None:
    assert client.get("/tasks.csv").body.decode() == ",".join(spreadsheet.COLUMNS) + "\r\n"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(client: Client, first: str) -> None:
    nasty = f'{first}HYPERLINK("http://example.org";"\n=1+1")'
    client.post("/tasks", {"title": nasty, "description": nasty, "labels": [f"{first}1", "b"]})

    (row,) = table(client)

    assert row["title"] == row["description"] == f"'{nasty}"
    assert row["labels"] == f"'{first}1, b"


def test_a_sign_that_does_not_begin_a_cell_stays_as_it_is(client: Client) -> None:
    client.post("/tasks", {"title": "1 + 1 = 2", "description": " =1", "labels": ["a-b"]})
    (row,) = table(client)
    assert (row["title"], row["description"], row["labels"]) == ("1 + 1 = 2", " =1", "a-b")


def test_a_table_takes_the_filters_the_search_and_the_order_of_the_list(client: Client) -> None:
    for title, priority in (("Water the plants", "low"), ("Water the roses", "urgent"), ("Sweep", "high")):
        client.post("/tasks", {"title": title, "priority": priority})
    for asked in ({"sort": "priority"}, {"q": "wat", "sort": "-number"}, {"priority": ["low", "high"]}):
        listed = client.get("/tasks", query=urlencode(asked, doseq=True)).json["items"]
        assert [row["id"] for row in table(client, **asked)] == [task["id"] for task in listed] != []


def test_a_table_shows_what_one_sees_and_nothing_else(world: World, client: Client, ann: Person) -> None:
    bob = world.person("bob")
    shared = world.project({ann: ProjectRole.VIEWER, bob: ProjectRole.OWNER})
    world.of(bob).post("/tasks", {"title": "Bob's own"})
    world.of(bob).post("/tasks", {"title": "Shared", "project_id": shared.id})

    assert [row["title"] for row in table(client)] == ["Shared"]
    assert client.get("/tasks.csv", query={"project_id": NOBODY}).status == 404
    assert client.get("/tasks.csv", query={"assignee_id": NOBODY}).status == 404
    assert world.client.get("/tasks.csv").problem == "unauthenticated"


@pytest.mark.parametrize("query", ["limit=5", "cursor=abc", "sort=title", "staus=todo"])
def test_what_is_wrong_with_a_request_for_a_table_is_a_problem(client: Client, query: str) -> None:
    assert client.get("/tasks.csv", query=query).problem == "bad-request"


def test_who_has_a_table_is_told_so_until_something_changes(world: World, client: Client) -> None:
    due = {"date": f"{NOON:%Y-%m-%d}", "time": "12:05"}
    client.post("/tasks", {"title": "Water the plants", "due": due})
    first = client.get("/tasks.csv")
    known = {"if-none-match": first.headers["etag"]}
    assert client.get("/tasks.csv", headers=known).status == 304

    world.clock.advance(minutes=6)  # by now it is overdue

    later = client.get("/tasks.csv", headers=known)
    assert [row["overdue"] for row in rows(later)] == ["true"]
    known = {"if-none-match": later.headers["etag"]}
    assert client.get("/tasks.csv", headers=known).status == 304
    client.post("/tasks", {"title": "Another"})
    assert len(rows(client.get("/tasks.csv", headers=known))) == 2


@pytest.fixture
def many(world: World, kitchen: Project, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Twelve tasks, looked through in stretches of five, where ten are one row too many, and a row is large."""
    monkeypatch.setattr(feeds, "_STRETCH", 5)
    return [*added_tasks(world.store, *(a_task(kitchen, title=f"Task {n}") for n in range(12)))]


def test_a_table_of_several_stretches_is_whole(client: Client, many: list[Any]) -> None:
    found = table(client, sort="number")
    assert [row["id"] for row in found] == [task.id for task in many]


def test_more_rows_than_fit_are_none_at_all(client: Client, many: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for most in (len(many) - 1, 5, 4):
        for module in (feeds, spreadsheet):
            monkeypatch.setattr(module, "MOST_ROWS", most)
        answer = client.get("/tasks.csv")
        assert (answer.status, answer.problem) == (409, "too-many")
        assert f"{most} tasks" in answer.json["detail"]
    assert len(table(client, q="Task 3")) == 1


def test_more_bytes_than_fit_are_none_at_all(client: Client, kitchen: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    client.post("/tasks", {"title": "Long", "description": "ü" * 3000, "project_id": kitchen.id})
    monkeypatch.setattr(spreadsheet, "_MOST_BYTES", 6000)
    assert client.get("/tasks.csv").problem == "too-many"
    monkeypatch.setattr(spreadsheet, "_MOST_BYTES", 7000)
    assert len(table(client)) == 1
