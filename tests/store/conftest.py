"""One store for every test here, on each database in turn: a test that is added runs on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import Person, a_person, added
from tests.databases import ON_EVERY_DATABASE, clean_up, database
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.domain.project import Project


@pytest.fixture(scope="session", autouse=True)
def _templates() -> Iterator[None]:
    yield
    clean_up()


@pytest.fixture(params=ON_EVERY_DATABASE)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated database."""
    with database(request.param) as url:
        yield url


@pytest.fixture(params=ON_EVERY_DATABASE)
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without a single table."""
    with database(request.param, migrated=False) as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url, connections=16)
    yield store
    store.close()


@pytest.fixture
def ann(store: SqlStore) -> Person:
    """Somebody who is registered."""
    person = a_person()
    added(store, *person)
    return person


@pytest.fixture
def kitchen(ann: Person) -> Project:
    """A project to put tasks in: Ann's own."""
    return ann.inbox
