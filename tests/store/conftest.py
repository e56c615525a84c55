"""Somebody and something to begin with, in the store that every test here takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import Person, a_person, added
from tests.databases import ON_EVERY_DATABASE, TRANSACTIONAL, database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.domain.project import Project
    from tracker.store.contract import Store


@pytest.fixture(params=[*ON_EVERY_DATABASE, *TRANSACTIONAL])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated database: here also of one with transactions that takes one client at a time."""
    with database(request.param) as url:
        yield url


@pytest.fixture(params=[*ON_EVERY_DATABASE, *TRANSACTIONAL])
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without a single table."""
    with database(request.param, migrated=False) as url:
        yield url


@pytest.fixture
def ann(store: Store) -> Person:
    """Somebody who is registered."""
    person = a_person()
    added(store, *person)
    return person


@pytest.fixture
def kitchen(ann: Person) -> Project:
    """A project to put tasks in: Ann's own."""
    return ann.inbox
