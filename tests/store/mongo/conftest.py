"""What only MongoDB has: one server that keeps what it acknowledged, for a test to stop, kill and start again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mongo_databases import a_database
from tests.mongo_server import MongoServer, mongo_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def _server() -> Iterator[MongoServer]:
    with mongo_server(durable=True) as server:
        yield server


@pytest.fixture
def mongo(_server: MongoServer) -> MongoServer:
    """One that answers, whatever the test before did to it."""
    _server.wake()
    if _server.process.poll() is not None:
        _server.start_again()
    return _server


@pytest.fixture
def url(mongo: MongoServer) -> Iterator[str]:
    """The URL of an empty database of that server."""
    with a_database(mongo.url) as url:
        yield url
