"""One's calendar by its address: what a calendar program makes of it, who can read it, and who cannot any more."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from icalendar import Calendar

from tests.builders import a_task, added_tasks
from tests.contents import looking_into
from tests.world import NOON, World
from tracker.api.calendars import calendar
from tracker.domain import calendar_feed
from tracker.domain.changes import Change
from tracker.domain.project import ProjectRole
from tracker.domain.task import Due
from tracker.domain.user import Role, UserStatus

if TYPE_CHECKING:
    from tests.client import Client, Received
    from tests.world import Person
    from tracker.domain.project import Project
    from tracker.store.contract import Store

NEVER_MADE = f"/calendar/{'x' * 43}.ics"
TODAY = {"date": f"{NOON:%Y-%m-%d}"}


def address(client: Client) -> str:
    answer = client.post("/me/calendar-feed")
    assert answer.status == 201, answer.body
    return str(answer.json["path"])


def events(answer: Received) -> list[Any]:
    assert answer.status == 200, answer.body
    return events_in(answer.body.decode())


def events_in(text: str) -> list[Any]:
    return list(Calendar.from_ical(text).walk("VEVENT"))


def titles(world: World, path: str) -> list[str]:
    return [str(event["SUMMARY"]) for event in events(world.client.get(path))]


def test_a_calendar_has_an_event_for_each_open_task_that_is_due(world: World, client: Client) -> None:
    due = {"date": "2026-12-01", "time": "17:00", "timezone": "Europe/Berlin"}
    minute = client.post("/tasks", {"title": "Call", "due": due, "status": "blocked"}).json
    day = client.post("/tasks", {"title": "Water the plants", "due": {"date": "2026-12-02"}}).json
    client.post("/tasks", {"title": "Some day"})
    for status in ("done", "cancelled"):
        client.post("/tasks", {"title": status, "due": due, "status": status})
    away = client.post("/tasks", {"title": "Put away", "due": due}).json
    client.post(f"/tasks/{away['id']}/archive")

    answer = world.client.get(address(client))

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "private" in answer.headers["cache-control"]
    first, second = events(answer)
    assert (first["UID"], first["SEQUENCE"], first["STATUS"]) == (minute["id"], 1, "TENTATIVE")
    assert first["DTSTART"].dt == datetime(2026, 12, 1, 16, tzinfo=UTC)
    assert first["DTSTAMP"].dt == NOON
    assert (second["UID"], second["SUMMARY"], second["DTSTART"].dt) == (
        day["id"],
        "Water the plants",
        date(2026, 12, 2),
    )
    assert (second["STATUS"], second["TRANSP"]) == ("CONFIRMED", "TRANSPARENT")


def test_an_event_stays_the_same_event_when_its_task_changes(world: World, client: Client) -> None:
    path = address(client)
    task = client.post("/tasks", {"title": "Call", "due": TODAY}).json
    world.clock.advance(minutes=1)
    client.patch(f"/tasks/{task['id']}", {"title": "Call Ann"})
    (event,) = events(world.client.get(path))
    assert (event["UID"], event["SEQUENCE"], event["SUMMARY"]) == (task["id"], 2, "Call Ann")
    assert event["DTSTAMP"].dt == NOON + timedelta(minutes=1)


def test_a_calendar_shows_what_one_created_or_has_to_do_where_one_belongs(
    world: World, client: Client, ann: Person
) -> None:
    bob = world.person("bob")
    shared = world.project({ann: ProjectRole.EDITOR, bob: ProjectRole.OWNER})
    others = world.of(bob)
    for title, members in (("For Ann", {"assignee_id": ann.id}), ("For Bob", {"assignee_id": bob.id}), ("For all", {})):
        others.post("/tasks", {"title": title, "project_id": shared.id, "due": TODAY, **members})
    client.post("/tasks", {"title": "By Ann", "project_id": shared.id, "due": TODAY})
    others.post("/tasks", {"title": "Bob's own", "due": TODAY})
    path = address(client)
    assert sorted(titles(world, path)) == ["By Ann", "For Ann"]

    others.delete(f"/projects/{shared.id}/members/{ann.id}")

    assert titles(world, path) == []


def test_an_admins_calendar_is_their_own_and_not_everybodys(world: World, client: Client) -> None:
    client.post("/tasks", {"title": "Ann's own", "due": TODAY})
    assert titles(world, address(world.of(world.person("root", Role.ADMIN)))) == []


def test_an_address_is_shown_once_and_kept_nowhere(world: World, client: Client, url: str) -> None:
    token = address(client).removeprefix("/calendar/").removesuffix(".ics")
    shown = client.get("/me/calendar-feed")
    assert shown.json == {"created_at": "2026-11-21T12:00:00.000Z"}
    with looking_into(url) as everything:
        assert token not in repr(everything())
    assert client.get("/me/calendar-feed", headers={"if-none-match": shown.headers["etag"]}).status == 304
    assert world.client.get("/me/calendar-feed").status == 401


def test_no_cache_is_to_keep_an_address(client: Client) -> None:
    answer = client.post("/me/calendar-feed")
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


def test_another_address_makes_the_one_before_worthless(world: World, client: Client) -> None:
    first, second = address(client), address(client)
    assert first != second
    assert world.client.get(first).problem == "not-found"
    assert world.client.get(second).status == 200


def test_an_address_that_is_asked_for_twice_with_one_key_is_made_once(world: World, client: Client) -> None:
    first, again = (client.post("/me/calendar-feed", headers={"idempotency-key": "mine"}) for _ in range(2))
    assert first.json == again.json
    assert world.client.get(first.json["path"]).status == 200


def test_an_address_that_is_only_tried_is_none(world: World, client: Client) -> None:
    tried = client.request("POST", "/me/calendar-feed", query={"dry_run": "true"})
    assert tried.status == 201
    assert world.client.get(tried.json["path"]).status == 404
    assert client.get("/me/calendar-feed").status == 404


def test_a_revoked_address_is_the_address_of_nothing(world: World, client: Client) -> None:
    path = address(client)
    assert client.delete("/me/calendar-feed").status == 204
    assert world.client.get(path).json["detail"] == world.client.get(NEVER_MADE).json["detail"]
    assert client.get("/me/calendar-feed").problem == "not-found"
    assert client.delete("/me/calendar-feed").problem == "not-found"


def test_a_disabled_user_has_no_calendar_until_they_are_back(world: World, client: Client, ann: Person) -> None:
    path, root = address(client), world.of(world.person("root", Role.ADMIN))
    for status, answered in ((UserStatus.DISABLED, 404), (UserStatus.ACTIVE, 200)):
        root.patch(f"/users/{ann.id}", {"status": status.value})
        assert world.client.get(path).status == answered


def test_an_address_outlives_the_session_it_was_made_in_and_the_password(
    world: World, client: Client, ann: Person
) -> None:
    path = address(client)
    user = world.store.user(ann.id)
    assert user is not None
    client.post("/logout")
    world.commit(Change(user, user.with_password("another", at=world.clock())))
    assert world.client.get(path).status == 200


@pytest.mark.parametrize("path", ["/calendar/", "/calendar/x", "/calendar/.ics", f"/calendar/{'x' * 43}", "/calendar"])
def test_what_is_not_an_address_is_no_path(world: World, path: str) -> None:
    assert world.client.get(path).problem == "no-such-path"


@pytest.mark.parametrize("token", ["x", "x" * 42, "x" * 44, "%2E" * 20, "x" * 42 + "\u00fc"])
def test_what_cannot_be_a_token_is_refused_without_being_repeated(world: World, token: str) -> None:
    answer = world.client.get(f"/calendar/{token}.ics")
    assert (answer.status, list(answer.errors)) == (400, ["feed_token"])
    assert token not in answer.body.decode() or token == "x"


def test_who_has_a_calendar_is_told_so_until_something_changes(world: World, client: Client) -> None:
    path = address(client)
    client.post("/tasks", {"title": "Call", "due": TODAY})
    known = {"if-none-match": world.client.get(path).headers["etag"]}
    world.clock.advance(minutes=5)
    assert world.client.get(path, headers=known).status == 304
    client.post("/tasks", {"title": "Call again", "due": TODAY})
    assert len(events(world.client.get(path, headers=known))) == 2


def test_what_was_due_long_ago_is_left_out_and_of_the_rest_the_first_are_there(
    world: World, client: Client, ann: Person, kitchen: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar_feed, "MOST", 3)
    days = (-400, -92, -89, 5, 3, 4, 6)
    due = [Due(NOON.date() + timedelta(days=day)) for day in days]
    tasks = [a_task(kitchen, title=str(day), due=on, created_by=ann.id) for day, on in zip(days, due, strict=True)]
    added_tasks(world.store, *tasks)
    assert titles(world, address(client)) == ["-89", "3", "4"]


def test_calendars_are_counted_by_address_whatever_token_is_sent(store: Store) -> None:
    limited = World(store, rate_limit="3/minute")
    tokens = [None, limited.person("ann").token, limited.person("bob").token, limited.person("eve").token]
    answers = [limited.client.as_(token).get(NEVER_MADE) for token in tokens]
    assert [answer.status for answer in answers] == [404, 404, 404, 429]


# The text of it, line by line.

NASTY = [
    "Plants; roses, and \\backslash",
    "First\r\nBEGIN:VEVENT\r\nSUMMARY:Injected\nEND:VEVENT\rDTSTART:20260101",
    "Zażółć gęślą jaźń " * 11,
    "\U0001f33b" * 60,
    "a" * 66 + "\u00fc" + "b" * 73,
    "\x01\x1b[31mred\x7f",
    "trailing \\",
    "\\n is no line",
    "ATTENDEE;CN=x:mailto:x@example.org",
]


@pytest.mark.parametrize("title", NASTY)
def test_a_title_is_a_title_whatever_is_in_it(title: str) -> None:
    made = calendar([a_task(title=title, due=Due(date(2026, 12, 1)))])

    (event,) = events_in(made)
    plain = title.replace("\r\n", "\n").replace("\r", "\n")
    assert str(event["SUMMARY"]) == "".join(letter for letter in plain if letter == "\n" or letter.isprintable())
    assert set(event) == {
        "UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "DTSTART", "SUMMARY", "STATUS", "TRANSP"
    }  # fmt: skip


@pytest.mark.parametrize("title", NASTY)
def test_no_line_is_longer_than_75_octets_or_ends_otherwise_than_lines_do(title: str) -> None:
    made = calendar([a_task(title=title, due=Due(date(2026, 12, 1)))]).encode()

    lines = made.split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= 75
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert all(line.decode() for line in lines)  # no character is cut in two


def test_the_last_day_there_is_can_be_due() -> None:
    (event,) = events_in(calendar([a_task(due=Due(date(9998, 12, 31)))]))
    assert event["DTSTART"].dt == date(9998, 12, 31)
