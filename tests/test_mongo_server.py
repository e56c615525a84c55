"""The servers that stand in for MongoDB do what the other tests take for granted of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from tests.mongo_databases import named
from tests.mongo_server import MongoServer, mongo_server, transactional_server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.mongodb


@pytest.fixture
def transactional() -> Iterator[MongoServer]:
    with transactional_server() as server:
        yield server


def test_what_was_acknowledged_is_there_after_a_kill() -> None:
    with mongo_server(durable=True) as server, MongoClient[dict[str, Any]](server.url) as client:
        for n in range(50):
            client.tests.numbers.insert_one({"_id": n})
        server.kill()
        server.start_again()
        assert client.tests.numbers.count_documents({}) == 50


def test_a_server_with_transactions_says_so_and_takes_back_what_is_aborted(transactional: MongoServer) -> None:
    with MongoClient[dict[str, Any]](transactional.url) as client, client.start_session() as session:
        assert client.admin.command("hello")["setName"]
        with session.start_transaction():
            client.tests.one.insert_one({"_id": 1}, session=session)
        session.start_transaction()
        client.tests.one.insert_one({"_id": 2}, session=session)
        client.tests.another.insert_one({"_id": 3}, session=session)
        session.abort_transaction()
        assert [kept["_id"] for name in ("one", "another") for kept in client.tests[name].find()] == [1]


def test_a_server_that_was_killed_begins_with_nothing_unless_it_is_durable(transactional: MongoServer) -> None:
    with MongoClient[dict[str, Any]](transactional.url) as client:
        client.tests.one.insert_one({"_id": 1})
        transactional.kill()
        transactional.start_again()
        assert client.tests.one.count_documents({}) == 0


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("mongodb://h:1/", "mongodb://h:1/d"),
        ("mongodb://h:1/?replicaSet=rs", "mongodb://h:1/d?replicaSet=rs"),
        ("mongodb://u:p%40@h/", "mongodb://u:p%40@h/d?authSource=admin"),
        ("mongodb+srv://u:p@h/other?authSource=other&w=1", "mongodb+srv://u:p@h/d?authSource=other&w=1"),
    ],
)
def test_a_database_of_a_server_is_named_in_its_url(server: str, url: str) -> None:
    assert named(server, "d") == url
