"""What somebody was told: the newest first, of what they still see; and what of it they have read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.racing import at_once
from tracker.domain.changes import Change
from tracker.domain.identity import new_id
from tracker.domain.notification import NotificationKind
from tracker.domain.project import ProjectRole
from tracker.domain.query import NotificationQuery
from tracker.domain.user import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.client import Client, Received
    from tests.world import Person, World
    from tracker.domain.notification import Notification
    from tracker.domain.project import Project

Json = dict[str, Any]
PATH = "/me/notifications"


@pytest.fixture
def task(client: Client, kitchen: Project) -> Json:
    made: Json = client.post("/tasks", {"title": "Water the plants", "project_id": kitchen.id}).json
    return made


@pytest.fixture
def told(world: World, ann: Person, task: Json) -> list[Notification]:
    """Five things that Ann was told, the newest first; the middle one she has read, one Bob was told is not hers."""
    told = [world.tell(ann, task) for _ in range(5)][::-1]
    world.commit(Change(told[2], told[2].read(at=world.clock())))
    world.tell(world.person("bob"), task)
    return told


def listed(client: Client, **query: object) -> list[str]:
    """Return the ids on every page."""
    found: list[str] = []
    while True:
        page = client.get(PATH, query=query).json
        found += [notification["id"] for notification in page["items"]]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def unread(client: Client) -> list[str]:
    return listed(client, unread="true")


def ids(told: Iterable[Notification]) -> list[str]:
    return [notification.id for notification in told]


def read(client: Client, *these: Notification, **how: Any) -> Received:
    return client.post(f"{PATH}/read", {"ids": ids(these)}, **how)


def read_up_to(client: Client, last: Notification, **how: Any) -> Received:
    return client.post(f"{PATH}/read", {"up_to": last.id}, **how)


# Reading them.


@pytest.mark.parametrize("kind", NotificationKind)
def test_a_notification_says_what_happened_to_which_task_and_where_the_log_has_it(
    world: World, ann: Person, kitchen: Project, task: Json, kind: NotificationKind
) -> None:
    world.clock.advance(minutes=5)
    notification = world.tell(ann, task, kind)

    answer = world.of(ann).get(PATH)

    assert (answer.status, answer.json["next"]) == (200, None)
    assert answer.json["items"] == [
        {
            "id": notification.id,
            "kind": kind.value,
            "project_id": kitchen.id,
            "head": 2,
            "task_id": task["id"],
            "title": "Water the plants",
            "read_at": None,
            "version": 1,
            "created_at": "2026-11-21T12:05:00.000Z",
        }
    ]
    (change,) = world.of(ann).get(f"/projects/{kitchen.id}/changes", query={"after": 1}).json["items"]
    assert (change["head"], change["entity_id"]) == (2, task["id"])


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 50])
def test_ones_own_are_listed_the_newest_first(client: Client, told: list[Notification], limit: int) -> None:
    assert listed(client, limit=limit) == ids(told)
    assert listed(client, limit=limit, unread="false") == ids(told)
    assert listed(client, limit=limit, unread="true") == ids([*told[:2], *told[3:]])


def test_a_cursor_goes_on_in_the_list_it_is_of(world: World, client: Client, told: list[Notification]) -> None:
    cursor = client.get(PATH, query={"limit": 2}).json["next"]

    assert listed(client, limit=2, cursor=cursor) == ids(told[2:])
    for refused in (
        client.get(PATH, query={"cursor": cursor, "unread": "true"}),
        client.get("/me/sessions", query={"cursor": cursor}),
        world.of(world.person("eve")).get(PATH, query={"cursor": cursor}),
    ):
        assert (refused.status, refused.problem) == (409, "cursor-refused")


def test_who_has_the_list_is_told_so_until_something_is_new_or_read(
    world: World, ann: Person, client: Client, task: Json
) -> None:
    had = [client.get(PATH).headers["etag"]]
    assert client.get(PATH, headers={"if-none-match": had[0]}).status == 304

    told = world.tell(ann, task)
    had.append(client.get(PATH, headers={"if-none-match": had[0]}).headers["etag"])
    assert client.get(PATH, headers={"if-none-match": had[1]}).status == 304

    read(client, told)
    assert client.get(PATH, headers={"if-none-match": ", ".join(had)}).status == 200


@pytest.mark.parametrize("query", ["unread=maybe", "unread=", "limit=0", "limit=201", "kind=assigned", "unread=1"])
def test_a_question_that_makes_no_sense_is_refused(client: Client, query: str) -> None:
    assert client.get(PATH, query=query).status == 400


# Whose they are.


def test_what_is_of_a_project_one_has_left_is_not_there_any_more(
    world: World, ann: Person, task: Json, kitchen: Project
) -> None:
    bob = world.person("bob")
    path = f"/projects/{kitchen.id}/members/{bob.id}"
    world.of(ann).put(path, {"role": "viewer"})
    told = world.tell(bob, task)
    assert listed(world.of(bob)) == [told.id]

    world.of(ann).delete(path)
    assert listed(world.of(bob)) == unread(world.of(bob)) == []
    assert read(world.of(bob), told).status == read_up_to(world.of(bob), told).status == 404

    world.of(ann).put(path, {"role": "viewer"})
    assert unread(world.of(bob)) == [told.id]


def test_what_is_of_a_project_one_does_not_see_is_not_read_along_with_the_rest(
    world: World, ann: Person, task: Json
) -> None:
    bob = world.person("bob")
    of_kitchen = world.tell(bob, task)
    of_inbox = world.tell(bob, world.of(bob).post("/tasks", {"title": "Sweep"}).json)

    answer = read_up_to(world.of(bob), of_inbox)

    assert answer.json == {"read": 1, "more": False}
    assert kept(world, bob, of_kitchen).read_at is None


def kept(world: World, who: Person, notification: Notification) -> Notification:
    """Return a notification as the store has it, whatever its project."""
    (found,) = world.store.notifications(NotificationQuery(who.id, every_project=True, ids=(notification.id,)))
    return found


def test_an_admin_sees_what_they_were_told_of_any_project_and_nothing_that_others_were(
    world: World, told: list[Notification], task: Json
) -> None:
    root = world.person("root", Role.ADMIN)
    own = world.tell(root, task)

    assert listed(world.of(root)) == [own.id]
    assert read(world.of(root), own).json == {"read": 1, "more": False}
    assert read(world.of(root), told[0]).status == read_up_to(world.of(root), told[0]).status == 404
    assert unread(world.of(root)) == []


def test_who_only_reads_here_says_all_the_same_what_they_have_read(world: World, ann: Person) -> None:
    guest = world.person("guest", Role.VIEWER)
    garden = world.project({ann: ProjectRole.OWNER, guest: ProjectRole.VIEWER})
    task = world.of(ann).post("/tasks", {"title": "Mow", "project_id": garden.id, "assignee_id": guest.id}).json
    told = world.tell(guest, task)

    assert read(world.of(guest), told).json == {"read": 1, "more": False}
    assert unread(world.of(guest)) == []


def test_what_one_was_told_outlives_its_task_and_goes_with_its_project(
    world: World, ann: Person, client: Client, task: Json, kitchen: Project
) -> None:
    told = world.tell(ann, task)

    client.delete(f"/tasks/{task['id']}")
    assert listed(client) == [told.id]

    client.delete(f"/projects/{kitchen.id}")
    assert listed(client) == []


# Having read them.


def test_what_is_named_is_read_from_now_on_and_nothing_else(
    world: World, client: Client, told: list[Notification]
) -> None:
    world.clock.advance(minutes=5)

    answer = read(client, told[0], told[3])

    assert (answer.status, answer.json) == (200, {"read": 2, "more": False})
    assert unread(client) == ids([told[1], told[4]])
    now = client.get(PATH).json["items"]
    assert [(item["version"], item["read_at"]) for item in now] == [
        (2, "2026-11-21T12:05:00.000Z"),
        (1, None),
        (2, "2026-11-21T12:00:00.000Z"),
        (2, "2026-11-21T12:05:00.000Z"),
        (1, None),
    ]


def test_all_up_to_one_are_read_that_one_among_them(client: Client, told: list[Notification]) -> None:
    answer = read_up_to(client, told[1])

    assert (answer.status, answer.json) == (200, {"read": 3, "more": False})
    assert unread(client) == [told[0].id]


def test_up_to_one_that_is_read_already_the_older_ones_are_read(client: Client, told: list[Notification]) -> None:
    assert read_up_to(client, told[2]).json == {"read": 2, "more": False}
    assert unread(client) == ids(told[:2])


@pytest.mark.parametrize("way", [read, read_up_to])
def test_what_is_read_stays_as_it_was(world: World, client: Client, told: list[Notification], way: Any) -> None:
    way(client, told[4])
    before = client.get(PATH).json
    world.clock.advance(minutes=5)

    again = way(client, told[4])

    assert (again.status, again.json) == (200, {"read": 0, "more": False})
    assert "operation-id" not in again.headers
    assert client.get(PATH).json == before


def test_two_hundred_are_read_at_a_time_and_whoever_asks_again_reads_the_rest(
    world: World, ann: Person, client: Client, task: Json
) -> None:
    told = [world.tell(ann, task) for _ in range(402)]

    answers = [read_up_to(client, told[400]).json for _ in range(3)]

    assert answers == [{"read": 200, "more": True}, {"read": 200, "more": True}, {"read": 1, "more": False}]
    assert unread(client) == [told[401].id]


def test_the_two_hundredth_is_the_last_of_its_turn(world: World, ann: Person, client: Client, task: Json) -> None:
    told = [world.tell(ann, task) for _ in range(200)]

    assert read_up_to(client, told[-1]).json == {"read": 200, "more": False}
    assert read(client, *told).json == {"read": 0, "more": False}


@pytest.mark.parametrize("foreign", ["somebody else's", "nobody's"])
def test_with_one_that_is_not_ones_own_among_them_nothing_is_read(
    world: World, client: Client, told: list[Notification], task: Json, foreign: str
) -> None:
    bob = world.person("bobby")
    other = world.tell(bob, task)
    named = other.id if foreign == "somebody else's" else new_id()

    by_ids = client.post(f"{PATH}/read", {"ids": [told[0].id, named]})
    up_to = client.post(f"{PATH}/read", {"up_to": named})

    assert (by_ids.status, by_ids.problem) == (up_to.status, up_to.problem) == (404, "not-found")
    assert len(unread(client)) == 4
    assert kept(world, bob, other) == other


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": ["x"]},
        {"ids": None},
        {"up_to": None},
        {"up_to": ["0192f3a4-5b6c-7d8e-9f00-112233445566"]},
        {"ids": ["0192f3a4-5b6c-7d8e-9f00-112233445566"], "up_to": "0192f3a4-5b6c-7d8e-9f00-112233445566"},
        {"ids": ["0192f3a4-5b6c-7d8e-9f00-112233445566"] * 2},
        {"ids": [new_id() for _ in range(201)]},
        {"all": True},
    ],
)
def test_what_names_no_notifications_is_refused(client: Client, told: list[Notification], body: Json) -> None:
    assert client.post(f"{PATH}/read", body).status == 400
    assert len(unread(client)) == 4


def test_it_is_tried_and_sent_again_as_any_write(client: Client, told: list[Notification]) -> None:
    tried = read_up_to(client, told[0], query={"dry_run": "true"})
    assert (tried.status, tried.json) == (200, {"read": 4, "more": False})
    assert len(unread(client)) == 4

    key = {"idempotency-key": "5f2c9a1e"}
    first, again = (read_up_to(client, told[0], headers=key) for _ in range(2))
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert first.json == {"read": 4, "more": False}


def test_it_is_not_in_the_log_of_the_project_and_not_to_be_taken_back(
    client: Client, told: list[Notification], kitchen: Project
) -> None:
    log = client.get(f"/projects/{kitchen.id}/changes").json

    marked = read(client, told[0])

    assert client.get(f"/projects/{kitchen.id}/changes").json == log
    assert client.post(f"/operations/{marked.headers['operation-id']}/undo").status == 404


def test_of_many_who_read_the_same_each_is_counted_once(client: Client, told: list[Notification]) -> None:
    answers = at_once(8, lambda _: read_up_to(client, told[0]))

    assert {answer.status for answer in answers} == {200}
    assert sorted(answer.json["read"] for answer in answers) == [0] * 7 + [4]


def test_of_many_who_read_the_same_all_together_count_each_once(client: Client, told: list[Notification]) -> None:
    answers = at_once(8, lambda _: read_up_to(client, told[0]))

    assert {answer.status for answer in answers} == {200}
    assert sum(answer.json["read"] for answer in answers) == 4
    assert read_up_to(client, told[0]).json["read"] == 0
