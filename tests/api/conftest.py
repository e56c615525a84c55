"""Somebody to ask as, and a project of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hashes import CHEAP
from tracker.domain.project import ProjectRole
from tracker.edge import passwords

if TYPE_CHECKING:
    from tests.client import Client
    from tests.world import Person, World
    from tracker.domain.project import Project


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hash has to cost is held in tests/edge; here it would be a third of all time."""
    monkeypatch.setattr(passwords, "_HASHER", CHEAP)


@pytest.fixture
def ann(world: World) -> Person:
    """A member of the installation."""
    return world.person("ann")


@pytest.fixture
def client(world: World, ann: Person) -> Client:
    """Ann's client."""
    return world.of(ann)


@pytest.fixture
def kitchen(world: World, ann: Person) -> Project:
    """A project that Ann owns."""
    return world.project({ann: ProjectRole.OWNER})
