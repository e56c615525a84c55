"""The state of what somebody sees: whatever happens, it never names two different contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.api.household import Household
from tracker.domain.access import Scope
from tracker.domain.query import Archived, ProjectQuery, TaskFilter, TaskQuery
from tracker.domain.user import Role

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tests.world import Person, World

ACTS = 120


class Seen(NamedTuple):
    """What somebody sees, and what names the state of it."""

    state: Hashable
    content: Any


def seen_by(world: World, person: Person) -> Seen:
    """Return what a member sees by their own state, what an admin sees by the state that all of them share."""
    store, admin = world.store, person.user.role is Role.ADMIN
    standing = store.standing(person.session.id, asked="everything")
    assert standing is not None
    state = ("everything", standing.heads) if admin else (person.id, standing.access_version, standing.heads)
    whose = None if admin else person.id
    found = store.tasks(TaskQuery((Scope(whose),), 200, filter=TaskFilter(archived=Archived.INCLUDE)))
    projects = store.projects(ProjectQuery(whose, Archived.INCLUDE))
    return Seen(state, (found.items, projects, {} if admin else store.memberships(person.id)))


@pytest.mark.parametrize("seed", range(4))
def test_a_state_never_names_two_contents(world: World, seed: int) -> None:
    household = Household(world, seed)
    known: dict[Hashable, Any] = {}
    heads: list[int] = []
    for _ in range(ACTS):
        household.act()
        for person in household.people.values():
            seen = seen_by(world, person)
            assert known.setdefault(seen.state, seen.content) == seen.content
        heads.append(sum_of_heads(world, household.people["root"]))

    assert {"_project", "_task", "_change", "_share", "_delete", "_undo"} <= set(household.done)
    assert heads == sorted(heads)


def sum_of_heads(world: World, admin: Person) -> int:
    standing = world.store.standing(admin.session.id, asked="everything")
    assert standing is not None
    assert standing.heads is not None
    return standing.heads
