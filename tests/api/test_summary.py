"""The counts of a summary: whose today it is, where weeks begin, and what is due on a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import a_task
from tracker.domain.project import ProjectRole
from tracker.domain.task import Due, Status
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Client
    from tests.world import Person, World

NOBODY = "0192f3a4-5b6c-7d8e-9f00-112233445566"


@pytest.fixture
def anns(world: World, ann: Person) -> Client:
    return world.of(ann)


def add_due(client: Client, *dues: str, **members: Any) -> None:
    """Create tasks that are due on a day, at a minute of it, or there in a zone: ``2026-12-01 17:00 Europe/Berlin``."""
    for due in dues:
        day, at, zone = (*due.split(" "), None, None)[:3]
        asked = {"date": day, "time": at if at != "-" else None, "timezone": zone}
        assert client.post("/tasks", {"title": due, "due": asked, **members}).status == 201


def counts(client: Client, **asked: str) -> tuple[int, int, int]:
    """Return how many are overdue, due today, due this week."""
    received = client.get("/summary", query=asked)
    assert received.status == 200, received.body
    return received.json["overdue"], received.json["due_today"], received.json["due_this_week"]


def at(world: World, moment: str, person: Person) -> Client:
    """Return somebody's client at another time, freshly logged in."""
    world.clock.at = datetime.fromisoformat(moment).astimezone(UTC)
    return world.of(world.log_in(person.user))


def test_a_summary_counts_what_one_can_see_by_status(world: World, ann: Person, anns: Client) -> None:
    kitchen = world.project({ann: ProjectRole.VIEWER})
    world.add(*(a_task(kitchen, status=status) for status in (Status.TODO, Status.BLOCKED, Status.DONE)))
    world.add(a_task(kitchen, archived_at=world.clock()))
    anns.post("/tasks", {"title": "mine"})
    world.of(world.person("bob")).post("/tasks", {"title": "theirs"})

    summary = anns.get("/summary").json
    assert summary["timezone"] == "UTC"
    assert summary["by_status"] == {"todo": 2, "in_progress": 0, "blocked": 1, "done": 1, "cancelled": 0}
    assert anns.get("/summary", query={"project_id": kitchen.id}).json["by_status"]["todo"] == 1
    root = world.of(world.person("root", Role.ADMIN))
    assert root.get("/summary").json["by_status"]["todo"] == 3


def test_of_nothing_there_is_none(anns: Client) -> None:
    assert counts(anns) == (0, 0, 0)


def test_only_what_is_open_and_not_archived_is_due(world: World, ann: Person, anns: Client) -> None:
    for status in Status:
        add_due(anns, "2026-11-21 11:00", status=status.value)
    kitchen = world.project({ann: ProjectRole.OWNER})
    world.add(a_task(kitchen, due=Due(date(2026, 11, 21), time(11)), archived_at=world.clock()))

    assert counts(anns) == (3, 3, 3)


def test_overdue_begins_after_the_last_instant(world: World, anns: Client) -> None:
    add_due(anns, "2026-11-21 12:00", "2026-11-21", "2026-11-20")
    assert counts(anns) == (1, 2, 3)

    world.clock.advance(milliseconds=1)
    assert counts(anns) == (2, 2, 3)


@pytest.mark.parametrize(
    ("zone", "moment", "today"),
    [
        ("UTC", "2026-11-23T12:00:00+00:00", {"b", "c", "day"}),
        ("Pacific/Auckland", "2026-11-23T09:00:00+13:00", {"a", "b", "day"}),  # 22 November in Greenwich
        ("America/Los_Angeles", "2026-11-23T23:00:00-08:00", {"b", "c", "d", "day"}),
    ],
)
def test_a_minute_is_of_the_day_it_falls_on_there_and_a_day_is_the_one_that_is_written(
    world: World, ann: Person, zone: str, moment: str, today: set[str]
) -> None:
    anns = at(world, moment, ann)
    dues = {
        "a": "2026-11-22 11:00",  # midnight in Auckland
        "b": "2026-11-23 10:59",  # the last minute there
        "c": "2026-11-23 23:59",
        "d": "2026-11-24 07:59 UTC",  # the last minute in Los Angeles
        "e": "2026-11-24 08:00",
        "day": "2026-11-23 - Pacific/Kiritimati",
    }
    found = set()
    for name, due in dues.items():
        before = counts(anns, timezone=zone)[1]
        add_due(anns, due)
        found |= {name} if counts(anns, timezone=zone)[1] > before else set()

    assert found == today


@pytest.mark.parametrize(
    ("moment", "this_week"),
    [
        ("2026-11-22T23:59:59+00:00", 2),  # a Sunday
        ("2026-11-23T00:00:00+00:00", 4),  # a Monday
        ("2026-11-29T23:59:59+00:00", 4),
        ("2026-11-30T00:00:00+00:00", 1),
    ],
)
def test_a_week_is_from_monday_to_sunday(world: World, ann: Person, moment: str, this_week: int) -> None:
    anns = at(world, moment, ann)
    add_due(anns, "2026-11-16", "2026-11-22 23:59")
    add_due(anns, "2026-11-23 00:00", "2026-11-23", "2026-11-29", "2026-11-29 23:59")
    add_due(anns, "2026-11-30")

    assert counts(anns)[2] == this_week


def test_a_week_goes_over_the_end_of_a_year(world: World, ann: Person) -> None:
    anns = at(world, "2026-12-31T12:00:00+00:00", ann)  # a Thursday, in week 53
    add_due(anns, "2026-12-27", "2026-12-28", "2027-01-03", "2027-01-04")

    assert counts(anns)[2] == 2


@pytest.mark.parametrize(
    ("moment", "inside", "outside"),
    [
        # 23 hours: from 23:00 to 22:00 in Greenwich
        (
            "2026-03-29T12:00:00+02:00",
            ("2026-03-28 23:00", "2026-03-29 21:59"),
            ("2026-03-28 22:59", "2026-03-29 22:00"),
        ),
        # 25 hours: from 22:00 to 23:00
        (
            "2026-10-25T12:00:00+01:00",
            ("2026-10-24 22:00", "2026-10-25 22:59"),
            ("2026-10-24 21:59", "2026-10-25 23:00"),
        ),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(
    world: World, ann: Person, moment: str, inside: tuple[str, str], outside: tuple[str, str]
) -> None:
    anns = at(world, moment, ann)
    add_due(anns, *inside, *outside)

    assert counts(anns, timezone="Europe/Berlin")[1] == 2


def test_a_week_is_as_long_as_the_clocks_make_it(world: World, ann: Person) -> None:
    anns = at(world, "2026-10-25T12:00:00+01:00", ann)  # the Sunday on which summer ends: 169 hours
    add_due(anns, "2026-10-18 22:00", "2026-10-25 22:59")
    add_due(anns, "2026-10-18 21:59", "2026-10-25 23:00")

    assert counts(anns, timezone="Europe/Berlin")[2] == 2


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "localtime", "Factory", "europe/berlin"])
def test_a_zone_that_does_not_exist_is_a_conflict(anns: Client, zone: str) -> None:
    refused = anns.get("/summary", query={"timezone": zone})

    assert (refused.status, refused.problem) == (409, "unknown-timezone")
    assert zone not in refused.body.decode()


def test_what_does_not_fit_is_named(anns: Client) -> None:
    for query, place in (
        ("timezone=", "timezone"),
        ("timezone=../etc/passwd", "timezone"),
        (f"timezone={'a' * 65}", "timezone"),
        ("project_id=me", "project_id"),
        ("status=todo", "status"),
    ):
        refused = anns.get("/summary", query=query)
        assert (refused.status, list(refused.errors)) == (400, [place])


@pytest.mark.parametrize("project_id", [NOBODY, "theirs"])
def test_a_project_that_one_cannot_see_is_not_found(world: World, anns: Client, project_id: str) -> None:
    asked_for = world.person("bob").user.inbox_id if project_id == "theirs" else project_id

    assert anns.get("/summary", query={"project_id": asked_for}).status == 404


def test_a_summary_is_as_it_was_until_the_next_full_minute_or_the_next_write(world: World, anns: Client) -> None:
    add_due(anns, "2026-11-21 12:01")
    world.clock.advance(seconds=10)
    had = {"if-none-match": anns.get("/summary").headers["etag"]}
    world.clock.advance(seconds=49)
    assert anns.get("/summary", headers=had).status == 304

    add_due(anns, "2026-11-22")
    again = anns.get("/summary", headers=had)
    assert (again.status, again.json["overdue"]) == (200, 0)
    had = {"if-none-match": again.headers["etag"]}
    world.clock.advance(seconds=1, milliseconds=1)
    again = anns.get("/summary", headers=had)
    assert (again.status, again.json["overdue"]) == (200, 1)
