"""Asking where there are rate limits: an installation that has them, a wire to it, and how much it takes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson

from tests.client import Received
from tests.edge.wire import Wire
from tests.world import Person, World
from tracker.edge.addresses import Proxies
from tracker.edge.front import Front
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOME, WORK, PROXY = "198.51.100.7", "203.0.113.9", "10.0.0.1"
NAMES = ("ann", "ANN", "Ann", "aNN")


@contextmanager
def limited(store: SqlStore, *proxies: str, **settings: object) -> Iterator[tuple[World, Wire]]:
    """Give an installation with limits, and a wire to it."""
    world = World(store, **settings)
    with Wire.to(Front(world.responder, threads=1, proxies=Proxies(proxies))) as wire:
        yield world, wire


def by(person: Person) -> dict[str, str]:
    return {"authorization": f"Bearer {person.token}"}


def posted(wire: Wire, path: str, peer: str = HOME, **body: object) -> Received:
    return wire.send("POST", path, orjson.dumps(body), peer=peer)


def refused_after(ask: Callable[[], Received], *, most: int = 300) -> int:
    """Return how many are answered before the first 429."""
    for n in range(most):
        received = ask()
        if received.status == 429:
            assert received.problem == "too-many-requests"
            return n
    raise AssertionError(f"{most} were answered")
