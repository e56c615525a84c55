"""The table of jobs on a store of one's own, with a clock that is moved and never waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.jobs.shift import Shift
from tracker.domain.project import ProjectRole

if TYPE_CHECKING:
    from tests.world import Person, World
    from tracker.domain.project import Project


@pytest.fixture
def shift(world: World) -> Shift:
    """Whoever runs the jobs."""
    return Shift(world)


@pytest.fixture
def ann(world: World) -> Person:
    """A member of the installation."""
    return world.person("ann")


@pytest.fixture
def ben(world: World) -> Person:
    """Another one."""
    return world.person("ben")


@pytest.fixture
def kitchen(world: World, ann: Person, ben: Person) -> Project:
    """A project that Ann owns and Ben works on."""
    return world.project({ann: ProjectRole.OWNER, ben: ProjectRole.EDITOR})
