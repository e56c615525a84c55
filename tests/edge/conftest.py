"""One installation a module, on SQLite: what stands in front of the handlers is the same on every database."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.databases import database
from tests.edge.mint import ALGORITHMS, Mint, Signer, signer
from tests.edge.wire import CANARY, Wire
from tests.world import World
from tracker.edge.front import Front
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.client import Client
    from tests.world import Person


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with database("sqlite") as url:
        yield url


@pytest.fixture(scope="module")
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url, connections=40)
    yield store
    store.close()


@pytest.fixture(scope="module")
def world(store: SqlStore) -> World:
    return World(store)


@pytest.fixture(scope="module")
def ann(world: World) -> Person:
    """Somebody who is logged in."""
    return world.person("ann")


@pytest.fixture(scope="module")
def client(world: World, ann: Person) -> Client:
    """Ann's client, straight to the responder."""
    return world.of(ann)


@pytest.fixture(scope="module")
def wire(world: World, ann: Person) -> Iterator[Wire]:
    """Ann's client through the front, as a server would call it."""
    with Wire.to(Front(world.responder, threads=4), token=ann.token) as wire:
        yield wire


@pytest.fixture
def discreet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail if anything logs the canary."""
    caplog.set_level(logging.DEBUG)
    yield
    assert CANARY not in caplog.text


@pytest.fixture(
    scope="module",
    params=[
        *(pytest.param(("sqlite", algorithm), id=f"sqlite-{algorithm}") for algorithm in ALGORITHMS),
        pytest.param(("postgresql", "HS256"), id="postgresql-HS256", marks=pytest.mark.postgresql),
    ],
)
def signed_by(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Signer]]:
    """An installation for each way of signing, and one on the other database: what a token says reaches a query."""
    kind, algorithm = request.param
    signs = signer(algorithm, tmp_path_factory.mktemp("keys"))
    with database(kind) as url:
        store = SqlStore.open(url)
        yield World(store, **signs.settings()), signs
        store.close()


@pytest.fixture(scope="module")
def everywhere(signed_by: tuple[World, Signer]) -> World:
    """The installation whose tokens the mint makes."""
    return signed_by[0]


@pytest.fixture(scope="module")
def mint(signed_by: tuple[World, Signer]) -> Mint:
    world, signs = signed_by
    return Mint(world.person("ann"), world.person("bob"), signs)
