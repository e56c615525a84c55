"""Somebody to ask as, and a project of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tracker.domain.project import ProjectRole

if TYPE_CHECKING:
    from tests.client import Client
    from tests.world import Person, World
    from tracker.domain.project import Project


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
