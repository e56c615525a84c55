"""What is no whole export is refused in one line that names the line and the member, and nothing of it is kept."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.databases import database, open_store
from tests.transfer.conftest import exported, imported, lived_in
from tracker.domain.query import ProjectQuery
from tracker.transfer import importing
from tracker.transfer.form import Summary
from tracker.transfer.importing import Damaged
from tracker.transfer.lines import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracker.store.contract import Store

Json = dict[str, Any]
CANARY = "canary-4711"


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """The lines of an export."""
    with database("sqlite") as url, closing(open_store(url)) as store:
        lived_in(store)
        return exported(store).splitlines(keepends=True)


@pytest.fixture
def store() -> Iterator[Store]:
    """An empty store."""
    with database("sqlite") as url, closing(open_store(url)) as store:
        yield store


def refused(store: Store, lines: list[bytes]) -> str:
    with pytest.raises(Damaged) as damaged:
        imported(store, b"".join(lines))
    assert not store.has_users()
    assert store.projects(ProjectQuery(limit=1)) == []
    assert "\n" not in damaged.value.detail
    assert CANARY not in damaged.value.detail
    return damaged.value.detail


def first_of(kind: str, lines: list[bytes]) -> int:
    return next(n for n, line in enumerate(lines) if line.startswith(b'{"%s":' % kind.encode()))


def with_other(lines: list[bytes], kind: str, change: Callable[[Json], object]) -> tuple[list[bytes], int]:
    """Return the lines with the first of a kind changed, and its number as people count."""
    at = first_of(kind, lines)
    thing = json.loads(lines[at])
    change(thing[kind])
    return [*lines[:at], written(thing), *lines[at + 1 :]], at + 1


def test_a_file_that_is_cut_off_is_noticed_wherever_that_is(store: Store, lines: list[bytes]) -> None:
    for kept in (1, 2, len(lines) // 2, len(lines) - 1):
        assert "cut off" in refused(store, lines[:kept])
        assert "cut off" in refused(store, [*lines[:kept], lines[kept][:-1]])
    assert "cut off" in refused(store, [])


def test_a_line_that_is_missing_or_there_twice_is_noticed(store: Store, lines: list[bytes]) -> None:
    for kind in ("notification", "position", "log_entry"):
        at = first_of(kind, lines)
        assert re.match(r"Line \d+: .* not those of the lines before", refused(store, [*lines[:at], *lines[at + 1 :]]))
        assert f"Line {at + 2}: {kind} is not where it belongs" in refused(store, [*lines[: at + 1], *lines[at:]])
    assert "something follows" in refused(store, [*lines, b"{}\n"])


def test_a_value_that_was_changed_is_noticed_by_the_hash(store: Store, lines: list[bytes]) -> None:
    changed, _ = with_other(lines, "task", lambda task: task.update(title="Another"))
    assert "hash" in refused(store, changed)


@pytest.mark.parametrize(
    ("kind", "member", "value"),
    [
        ("task", "title", 7),
        ("task", "title", f"{CANARY}\0"),
        ("task", "status", CANARY),
        ("task", "labels", CANARY),
        ("task", "labels", [CANARY, None]),
        ("task", "due", {"date": CANARY, "time": None, "timezone": None}),
        ("task", "due", {"date": "2026-12-01", "time": None, "timezone": CANARY}),
        ("task", "due", CANARY),
        ("task", "overdue_after", None),
        ("task", "number", 0),
        ("task", "number", 10**6),
        ("task", "version", True),
        ("task", "version", 2**53),
        ("task", "created_by", CANARY),
        ("task", "created_at", "2026-12-01T17:00:00Z"),
        ("task", "created_at", "2026-13-01T17:00:00.000Z"),
        ("task", "archived_at", CANARY),
        ("task", "project_id", "0192f3a4-5b6c-7d8e-9f00-112233445566"),
        ("user", "inbox_id", "0192f3a4-5b6c-7d8e-9f00-112233445566"),
        ("user", "access_version", "1"),
        ("user", "role", CANARY),
        ("user", "session_generation", 2**31),
        ("membership", "user_id", "f192f3a4-5b6c-7d8e-9f00-112233445566"),
        ("notification", "user_id", "0192f3a4-5b6c-7d8e-9f00-112233445566"),
        ("calendar_feed", "id", CANARY),
        ("log_entry", "entity", CANARY),
        ("log_entry", "head", 10**6),
        ("log_entry", "after", CANARY),
        ("project", "kind", None),
    ],
)
def test_a_member_that_is_not_what_it_has_to_be_is_named_with_its_line(
    store: Store, lines: list[bytes], kind: str, member: str, value: object
) -> None:
    changed, number = with_other(lines, kind, lambda thing: thing.update({member: value}))
    said = refused(store, changed)
    assert said.startswith(f"Line {number}: {kind}"), said
    assert member in said


def test_a_member_deep_inside_is_named_with_all_that_it_is_in(store: Store, lines: list[bytes]) -> None:
    changed, number = with_other(lines, "log_entry", lambda entry: entry["after"].update(name=None))
    assert refused(store, changed).startswith(f"Line {number}: log_entry.after.name is text")


def test_a_member_that_is_missing_or_unknown_is_refused(store: Store, lines: list[bytes]) -> None:
    changed, number = with_other(lines, "task", lambda task: task.pop("labels"))
    assert refused(store, changed).startswith(f"Line {number}: task.labels is missing")
    changed, number = with_other(lines, "task", lambda task: task.update({CANARY: 1}))
    assert refused(store, changed).startswith(f"Line {number}: task has a member that this version does not know")


@pytest.mark.parametrize(
    "line",
    [b"null\n", b"[]\n", b"{}\n", b"7\n", b'{"task": 7}\n', b'{"a": 1, "b": 2}\n', b"\xff\n", b'{"canary-4711": {}}\n'],
)
def test_a_line_that_is_no_thing_is_refused_by_its_number(store: Store, lines: list[bytes], line: bytes) -> None:
    assert refused(store, [lines[0], line, *lines[1:]]).startswith("Line 2: ")


def test_a_thing_that_is_written_otherwise_than_an_export_writes_it_is_refused(
    store: Store, lines: list[bytes]
) -> None:
    at = first_of("task", lines)
    spaced = json.dumps(json.loads(lines[at])).encode() + b"\n"
    assert "not written as" in refused(store, [*lines[:at], spaced, *lines[at + 1 :]])


def test_a_file_of_another_kind_or_of_a_later_version_is_refused(store: Store, lines: list[bytes]) -> None:
    assert "not an export of Tracker" in refused(
        store, [b'{"header": {"format": "other", "version": 1}}\n', *lines[1:]]
    )
    assert "not an export of Tracker" in refused(store, lines[1:])
    changed, _ = with_other(lines, "header", lambda header: header.update(version=2))
    assert "header.version is 1" in refused(store, changed)


def test_a_name_that_two_have_is_refused_however_it_is_written(store: Store, lines: list[bytes]) -> None:
    at = first_of("user", lines)
    first = json.loads(lines[at])["user"]
    second = json.loads(lines[at + 1])
    second["user"]["email"] = first["email"].upper()
    said = refused(store, [*lines[: at + 1], written(second), *lines[at + 2 :]])
    assert said.startswith(f"Line {at + 2}: user.email is taken")


def whole(lines: list[bytes]) -> list[bytes]:
    """Return lines with a last one that is true of them."""
    summary = Summary()
    for line in lines[1:-1]:
        summary.add(next(iter(json.loads(line))), line)
    return [*lines[:-1], summary.last_line()]


def test_a_number_that_two_tasks_of_a_project_have_is_refused(store: Store, lines: list[bytes]) -> None:
    sheds = json.loads(lines[first_of("log_entry", lines) - 1])  # positions come before the log: of the shed, the last
    project_id = sheds["position"]["project_id"]
    first, second = (n for n, line in enumerate(lines) if _is_task_of(project_id, line))
    number = json.loads(lines[first])["task"]["number"]
    task = json.loads(lines[second])
    task["task"]["number"] = number
    assert "there twice" in refused(store, whole([*lines[:second], written(task), *lines[second + 1 :]]))


def _is_task_of(project_id: str, line: bytes) -> bool:
    return bool(json.loads(line).get("task", {}).get("project_id") == project_id)


def test_a_line_that_never_ends_is_not_read_to_its_end(
    store: Store, lines: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LONGEST", 1000)
    endless = b'{"task": "' + b"x" * 5000 + b'"}\n'
    assert "more than 1000 bytes" in refused(store, [lines[0], endless])
