"""What only a database that speaks SQL has: the same fixtures, on those alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.databases import ON_SQL, database
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=ON_SQL)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with database(request.param) as url:
        yield url


@pytest.fixture(params=ON_SQL)
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with database(request.param, migrated=False) as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url, connections=16)
    yield store
    store.close()


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    with database("postgresql") as url:
        yield url


@pytest.fixture
def on_postgresql(postgresql_url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(postgresql_url, connections=4)
    yield store
    store.close()
