"""An installation that was lived in, and what carries it elsewhere."""

from __future__ import annotations

from datetime import date, time, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from tests.api.household import Household
from tests.world import World
from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.job import JobRun
from tracker.domain.outbox import Position
from tracker.domain.password_reset import PasswordReset
from tracker.domain.reminder import Reminder, ReminderKind
from tracker.domain.session import RefreshToken
from tracker.domain.task import Due
from tracker.transfer import exporting, importing

if TYPE_CHECKING:
    from tests.world import Person
    from tracker.store.contract import Store


def exported(store: Store) -> bytes:
    out = BytesIO()
    exporting.export(store, out.write, contract_version="0.0.0", seen=lambda _: None)
    return out.getvalue()


def imported(store: Store, lines: bytes) -> str:
    return importing.restore(store, BytesIO(lines), seen=lambda _: None).sha256


def lived_in(store: Store) -> World:
    """Return an installation with something of every kind, and projects that were deleted, some of them back again."""
    world = World(store)
    household = Household(world, seed=11)
    for _ in range(30):
        household.act()
    ann, root = household.people["ann"], household.people["root"]
    client = world.now(ann)
    for _ in range(2):
        shed = client.post("/projects", {"name": "Shed"}).json
        due = {"date": "2026-12-01", "time": "17:00", "timezone": "Europe/Berlin"}
        task = client.post(
            "/tasks", {"title": "Zoë's\n=task", "project_id": shed["id"], "due": due, "labels": ["a"]}
        ).json
        client.post("/tasks", {"title": "Another", "project_id": shed["id"]})
        gone = client.delete(f"/projects/{shed['id']}").headers["operation-id"]
    client.post(f"/operations/{gone}/undo")
    _add_the_rest(world, ann, root, task["id"], shed["id"])
    return world


def _add_the_rest(world: World, ann: Person, root: Person, task_id: str, project_id: str) -> None:
    at = world.clock()
    told = world.tell(ann, {"id": task_id, "project_id": project_id, "title": "Sweep"})
    due = Due(date(2026, 12, 1), time(17), "Europe/Berlin").overdue_after()
    for moved in (timedelta(), timedelta(days=40_000), timedelta(milliseconds=1)):
        world.add(Reminder(project_id, task_id, ReminderKind.OVERDUE, due + moved, at))
    world.add(*(CalendarFeed.issue(person.id, at=at)[0] for person in (ann, root)))
    world.add(*(Position(consumer, project_id, 2, version=1) for consumer in ("notifications", "mail")))
    world.add(RefreshToken.issue(ann.session.id, at=at)[0], PasswordReset.issue(ann.user, at=at)[0])
    world.add(JobRun.begun("archive", at, at=at))
    assert told.user_id == ann.id


@pytest.fixture
def world(store: Store) -> World:
    return lived_in(store)
