"""Databases of servers that speak MongoDB's protocol: that which TEST_MONGO_URL names, else some that are started here.

One server of each kind runs for all tests of a session: to start one takes a second, to make a database nothing.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pymongo import MongoClient

from tests.missing import environment
from tests.mongo_server import mongo_server, transactional_server

if TYPE_CHECKING:
    from collections.abc import Iterator

IS_GIVEN = bool(environment("TEST_MONGO_URL"))


_started = ExitStack()


@cache
def for_many_clients() -> str:
    """Return the URL of a server that many clients use at once; it has transactions only where it is given."""
    return environment("TEST_MONGO_URL") or _started.enter_context(mongo_server()).url


def why_none() -> str:
    """Return why there is no server for many clients, if there is none."""
    try:
        for_many_clients()
    except pytest.skip.Exception as missing:
        return str(missing)
    return ""


@cache
def for_one_client() -> str:
    """Return the URL of a server with transactions that one client uses at a time."""
    return _started.enter_context(transactional_server()).url


@contextmanager
def a_database(server: str) -> Iterator[str]:
    """Give the URL of an empty database of one's own, gone afterwards."""
    name = f"tracker_test_{uuid4().hex}"
    yield named(server, name)
    with MongoClient[dict[str, Any]](server) as client:
        client.drop_database(name)


def named(server: str, name: str) -> str:
    """Return the URL of a database of a server; whoever is named there is known to its database ``admin``."""
    parts = urlsplit(server)
    source = "authSource=admin" if "@" in parts.netloc and "authSource=" not in parts.query else ""
    return parts._replace(path=f"/{name}", query="&".join(filter(None, (parts.query, source)))).geturl()


def clean_up() -> None:
    """Stop the servers."""
    for server in (for_many_clients, for_one_client):
        server.cache_clear()
    _started.close()
