"""Values in statements: what stands there as it is means itself, and what could mean more is left to the driver."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import psycopg2  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_person, a_task, added
from tests.databases import database
from tracker.domain.task import Status
from tracker.store.sql.literals import Literals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.store.sql.store import SqlStore

INDIAN = timezone(timedelta(hours=5, minutes=30))
INJECTIONS = (
    "'",
    "''",
    "\\",
    "\\'",
    "'); DROP TABLE tasks; --",
    "$1",
    "$$",
    "%s",
    "%(id)s",
    "%%",
    "a;b",
    "a\x00b",
    "a\nb",
    "\u2019",
    "\uff07",
    "\u212a",  # a Kelvin sign: what ignores case takes it for a K
    '"',
    "{}",
    "(1)",
    "1,2",
    "/**/",
)


def literals(*values: object) -> tuple[str, list[object]]:
    written, others = Literals()(values)
    return written, list(others)


@pytest.fixture(scope="module", params=[pytest.param("postgresql", marks=pytest.mark.postgresql)])
def cursor(request: pytest.FixtureRequest) -> Iterator[Any]:
    with database(request.param, migrated=False) as url, closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        yield connection.cursor()


@pytest.mark.parametrize("value", INJECTIONS)
def test_what_could_mean_something_else_is_left_to_the_driver(value: str) -> None:
    for text in (value, f"plain {value} plain"):
        assert literals(text) == ("%s", [text])


@pytest.mark.parametrize("value", [b"bytes", ["a", "b"], ("a",), 1.5, True, object(), {"a": 1}])
def test_what_is_no_text_number_or_instant_is_left_to_the_driver(value: object) -> None:
    assert literals(value) == ("%s", [value])


@given(st.text())
def test_a_literal_has_no_quote_but_the_two_around_it(value: str) -> None:
    written, others = literals(value)
    assert (written, others) in (("%s", [value]), (f"'{value}'", []))
    assert others or not set(value) & set("'\\%\"$;\x00")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "text"),
        ("", "text"),
        (" Order the paint 5 ", "text"),
        ("NULL", "text"),
        ("--", "text"),
        (Status.IN_PROGRESS, "text"),
        ("0193a1b2-1111-7222-8333-444455556666", "uuid"),
        (0, "int"),
        (-(2**63), "bigint"),
        (2**63 - 1, "bigint"),
        (date(1, 1, 1), "date"),
        (date(9999, 12, 31), "date"),
        (datetime(2026, 11, 27, 9, 5, 0, 250_000, tzinfo=UTC), "timestamptz"),
        (datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), "timestamptz"),
        (datetime(1, 1, 2, tzinfo=UTC), "timestamptz"),
        (datetime(2026, 11, 27, 9, 5, tzinfo=INDIAN), "timestamptz"),
    ],
)
def test_postgresql_reads_a_literal_as_it_reads_what_the_driver_writes(cursor: Any, value: object, kind: str) -> None:
    written, _ = literals(value)
    either = f"SELECT (%s)::{kind} IS NOT DISTINCT FROM ({written})::{kind}"  # noqa: S608 - that is the question
    cursor.execute(either, (value,))
    assert cursor.fetchone() == (True,)


def test_what_is_left_to_the_driver_is_told_in_order() -> None:
    assert literals("a", "'", 1, None, ["b"]) == ("'a', %s, 1, NULL, %s", ["'", ["b"]])


def test_no_values_are_no_literals() -> None:
    assert literals() == ("", [])


def test_a_place_whose_value_had_to_be_quoted_is_left_to_the_driver_from_then_on() -> None:
    write = Literals()
    assert write(["a", "b"]) == ("'a', 'b'", ())
    assert write(["a", "b's"]) == ("'a', %s", ("b's",))
    assert write(["a", "b"]) == ("'a', %s", ("b",))
    assert write(["a", None]) == ("'a', NULL", ())
    assert write(["a's", 1]) == ("%s, 1", ("a's",))
    assert write(["a", "b"]) == ("%s, %s", ("a", "b"))


_KINDS = st.one_of(
    st.none(), st.integers(), st.dates(), st.datetimes(timezones=st.just(UTC)), st.text(), st.sampled_from(Status)
)


@given(st.lists(st.lists(_KINDS, min_size=3, max_size=3)))
def test_what_a_value_is_written_as_does_not_depend_on_those_before_it(rows: list[list[object]]) -> None:
    write = Literals()
    for row in rows:
        written, others = write(row)
        left = iter(others)
        for value, text in zip(row, written.split(", "), strict=True):
            assert text == literals(value)[0] if text != "%s" else next(left) is value


def test_threads_that_share_a_statement_leave_to_the_driver_what_each_of_them_has_to() -> None:
    rows = [["a's" if at == place else "a" for at in range(8)] for place in range(8)]

    def written(row: list[str]) -> str:
        return write(row)[0]

    with ThreadPoolExecutor(8) as threads:
        for _ in range(200):
            write = Literals()
            assert not [text for text in threads.map(written, rows) if "a's" in text]


def test_of_a_statement_with_many_optional_values_only_some_shapes_are_remembered() -> None:
    write = Literals()
    for number in range(1000):
        row = [None if number & 1 << place else 1 for place in range(10)]
        assert write(row)[0] == ", ".join("NULL" if value is None else "1" for value in row)
    assert len(write._shapes) <= 256


@pytest.mark.parametrize("title", [*(text for text in INJECTIONS if "\x00" not in text), "Paint it", "100% _ok_"])
def test_a_task_says_what_was_said_whatever_it_is(store: SqlStore, title: str) -> None:
    ann = a_person()
    added(store, *ann)
    task = a_task(ann.inbox, title=title, description=f"{title} - {title}", labels=(title,))
    added(store, task)
    found = store.task(task.id)
    assert found is not None
    assert (found.title, found.description, found.labels) == (title, f"{title} - {title}", (title,))
