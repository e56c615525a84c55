"""Asking for a list of tasks: what fits the contract, what is found, and what is nobody else's to find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.world import NOON
from tracker.domain.changes import Change
from tracker.domain.project import Membership, ProjectRole
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Client, Received
    from tests.world import Person, World

NOBODY = "0192f3a4-5b6c-7d8e-9f00-112233445566"


@pytest.fixture
def anns(world: World, ann: Person) -> Client:
    return world.of(ann)


def asked(client: Client, *pairs: tuple[str, object], **once: object) -> Received:
    return client.get("/tasks", query=urlencode([*pairs, *once.items()]))


def titles(client: Client, *pairs: tuple[str, object], **once: object) -> str:
    received = asked(client, *pairs, **once)
    assert received.status == 200, received.body
    return " ".join(task["title"] for task in received.json["items"])


def add(client: Client, **tasks: dict[str, Any]) -> dict[str, str]:
    """Create tasks by their titles, and return their paths."""
    return {
        title: client.post("/tasks", {"title": title, **members}).headers["location"]
        for title, members in tasks.items()
    }


# What is found.


def test_a_filter_that_is_repeated_asks_for_any_and_several_filters_for_all(anns: Client) -> None:
    home, work = {"labels": ["home"]}, {"labels": ["work"]}
    add(anns, a=home, b={**work, "priority": "high"}, c={**home, "priority": "high", "status": "blocked"}, d={})

    assert titles(anns, ("label", "home"), ("label", "work"), sort="created_at") == "a b c"
    assert titles(anns, ("status", "todo"), ("status", "blocked"), sort="created_at") == "a b c d"
    assert titles(anns, ("priority", "high"), ("label", "home"), ("label", "work"), ("status", "todo")) == "b"


def test_a_comma_is_part_of_a_label(anns: Client) -> None:
    add(anns, a={"labels": ["home,work"]}, b={"labels": ["home", "work"]})

    assert titles(anns, label="home,work") == "a"


def test_me_is_whoever_asks(world: World, anns: Client, ann: Person) -> None:
    add(anns, a={"assignee_id": ann.id}, b={})

    assert titles(anns, assignee_id="me") == titles(anns, assignee_id=ann.id) == "a"
    assert titles(world.of(world.person("bob")), assignee_id="me") == ""


def test_a_project_narrows_the_list(world: World, ann: Person, anns: Client) -> None:
    kitchen = world.project({ann: ProjectRole.VIEWER})
    add(world.of(world.person("root", Role.ADMIN)), theirs={"project_id": kitchen.id})
    add(anns, mine={})

    assert titles(anns, project_id=kitchen.id) == "theirs"
    assert titles(anns, project_id=ann.user.inbox_id) == "mine"


@pytest.mark.parametrize(
    ("due_after", "due_before", "found"),
    [
        ("2026-12-01T16:00:00Z", "2026-12-01T16:00:00.001Z", "tea"),
        ("2026-12-01T17:00:00+01:00", "2026-12-01T17:00:00.001999999+01:00", "tea"),  # the same, elsewhere
        ("2026-12-01T16:00:00.0009Z", "2026-12-01T16:00:00.0009Z", ""),  # nothing lies between
        ("2026-11-30T23:59:59-16:00", "2026-12-02T00:00:01Z", "tea day"),
        ("1900-01-01T00:00:00+23:59", "2999-12-31T23:59:59-23:59", "tea day"),
    ],
)
def test_instants_are_compared_as_such_to_the_millisecond(
    anns: Client, due_after: str, due_before: str, found: str
) -> None:
    tea = {"date": "2026-12-01", "time": "17:00", "timezone": "Europe/Berlin"}
    add(anns, tea={"due": tea}, day={"due": {"date": "2026-12-01"}}, never={})

    assert titles(anns, due_after=due_after, due_before=due_before, sort="due") == found


def test_a_list_is_sorted_as_it_is_asked_to_be(anns: Client) -> None:
    add(
        anns,
        a={"priority": "high", "due": {"date": "2026-12-02"}},
        b={"priority": "low", "due": {"date": "2026-12-01"}},
        c={"priority": "urgent"},
    )

    assert titles(anns, sort="priority") == "b a c"
    assert titles(anns, sort="-priority") == "c a b"
    assert titles(anns, sort="due") == "b a c"
    assert titles(anns, sort="-due") == "a b c"
    assert titles(anns, sort="number") == "a b c"
    assert titles(anns, sort="-number") == "c b a"


def test_words_are_searched_in_title_and_description(anns: Client) -> None:
    add(anns, Gießen={"description": "Die PFLANZEN auf dem Balkon, 100%"}, Other={})

    assert titles(anns, q="giessen pflanz") == "Gießen"
    assert titles(anns, q="100%") == "Gießen"
    assert titles(anns, q="balkone") == ""


@pytest.mark.parametrize("sort", ["created_at", "-updated_at", "due", "-due", "priority", "-number"])
def test_the_link_leads_through_the_whole_of_a_filtered_list(anns: Client, sort: str) -> None:
    for n in range(7):
        add(anns, **{f"t{n}": {"labels": ["a&b=c"], "due": {"date": "2026-12-01"} if n % 2 else None}})
    add(anns, other={})
    received = asked(anns, ("label", "a&b=c"), ("status", "todo"), ("status", "done"), sort=sort, limit=2)
    found = [task["title"] for task in received.json["items"]]
    while "link" in received.headers:
        path, _, query = received.headers["link"].removeprefix("<").removesuffix('>; rel="next"').partition("?")
        received = anns.get(path, query=query)
        assert received.status == 200
        found += [task["title"] for task in received.json["items"]]

    assert sorted(found) == [f"t{n}" for n in range(7)]


def test_whatever_a_query_is_made_of_its_link_leads_on(anns: Client) -> None:
    add(anns, **{f"t{n}": {"labels": ['>; rel="x"']} for n in range(3)})
    for raw in (b'label=>;%20rel="x"&limit=1', b"label=%3E%3B+rel%3D%22x%22&limit=1", b"limit=1"):
        first = anns.get("/tasks", query=raw.decode())
        target, _, rest = first.headers["link"].removeprefix("<").partition(">")
        assert rest == '; rel="next"'
        following = anns.get("/tasks", query=target.partition("?")[2])
        assert following.status == 200
        assert first.json["items"] != following.json["items"]


def test_a_cursor_under_a_name_that_is_escaped_is_not_sent_along_with_the_next(anns: Client) -> None:
    add(anns, **{f"t{n}": {} for n in range(3)})
    first = anns.get("/tasks", query="limit=1").json
    second = anns.get("/tasks", query=f"limit=1&%63ursor={first['next']}")
    target, _, _ = second.headers["link"].removeprefix("<").partition(">")
    third = anns.get("/tasks", query=target.partition("?")[2])
    assert third.status == 200
    assert [task["title"] for page in (first, second.json, third.json) for task in page["items"]] == ["t2", "t1", "t0"]


# Overdue, as time goes by.


def test_a_task_becomes_overdue_by_itself(world: World, anns: Client) -> None:
    path = add(anns, tea={"due": {"date": "2026-11-21", "time": "12:05"}})["tea"]
    world.clock.advance(minutes=5)
    assert anns.get(path).json["overdue"] is False
    assert titles(anns, overdue="true") == ""

    world.clock.advance(milliseconds=1)
    assert anns.get(path).json["overdue"] is True
    assert titles(anns, overdue="true") == "tea"
    assert titles(anns, overdue="false") == ""

    done = anns.patch(f"{path}/status", {"status": "done"}).json
    assert done["overdue"] is False
    assert titles(anns, overdue="false") == "tea"


def test_a_list_is_as_it_was_until_one_of_its_tasks_becomes_overdue(world: World, anns: Client) -> None:
    due = {"due": {"date": "2026-11-21", "time": "12:05"}}
    add(anns, tea=due, done={**due, "status": "done"}, later={"due": {"date": "2026-11-22"}})
    had = {"if-none-match": asked(anns).headers["etag"]}
    world.clock.advance(minutes=4, seconds=59)
    assert anns.get("/tasks", headers=had).status == 304

    world.clock.advance(seconds=1, milliseconds=1)
    again = anns.get("/tasks", headers=had)
    assert again.status == 200
    assert [task["overdue"] for task in again.json["items"]] == [False, False, True]


def test_a_list_read_at_the_very_instant_of_a_deadline_is_another_right_after(world: World, anns: Client) -> None:
    add(anns, tea={"due": {"date": "2026-11-21", "time": "12:05"}})
    world.clock.advance(minutes=5)
    for query in ("", "overdue=false"):
        had = {"if-none-match": anns.get("/tasks", query=query).headers["etag"]}
        world.clock.advance(milliseconds=1)
        assert anns.get("/tasks", query=query, headers=had).status == 200
        world.clock.advance(milliseconds=-1)


def test_a_list_of_what_is_not_overdue_is_as_it_was_until_the_next_minute(world: World, anns: Client) -> None:
    add(anns, tea={"due": {"date": "2026-11-21", "time": "12:05"}})
    world.clock.advance(minutes=4, seconds=20)
    had = {"if-none-match": asked(anns, overdue="true").headers["etag"]}
    world.clock.advance(seconds=39)
    assert anns.get("/tasks", query="overdue=true", headers=had).status == 304
    world.clock.advance(seconds=1, milliseconds=1)
    assert anns.get("/tasks", query="overdue=true", headers=had).status == 200


def test_a_list_is_another_after_any_write_to_what_it_could_show(world: World, anns: Client, ann: Person) -> None:
    had = {"if-none-match": asked(anns).headers["etag"]}
    add(world.of(world.person("bob")), elsewhere={})
    assert anns.get("/tasks", headers=had).status == 304

    kitchen = world.project()
    world.add(Membership(kitchen.id, ann.id, ProjectRole.VIEWER, NOON))
    assert anns.get("/tasks", headers=had).status == 200


# What is not found, and what is not even asked.


@pytest.mark.parametrize("project_id", [NOBODY, "theirs"])
def test_a_project_that_one_cannot_see_is_not_found(world: World, anns: Client, project_id: str) -> None:
    asked_for = world.person("bob").user.inbox_id if project_id == "theirs" else project_id
    refused = asked(anns, project_id=asked_for)

    assert (refused.status, refused.problem) == (404, "not-found")
    assert "project" in refused.json["detail"]


def test_an_admin_finds_every_project_there_is(world: World, ann: Person, anns: Client) -> None:
    add(anns, a={})
    root = world.of(world.person("root", Role.ADMIN))

    assert titles(root, project_id=ann.user.inbox_id) == "a"
    assert asked(root, project_id=NOBODY).status == 404


def test_strangers_are_not_found_and_those_one_has_to_do_with_are(world: World, ann: Person, anns: Client) -> None:
    bob, eve = world.person("bob"), world.person("eve")
    kitchen = world.project({ann: ProjectRole.OWNER, bob: ProjectRole.VIEWER, eve: ProjectRole.VIEWER})
    gone = add(anns, a={"project_id": kitchen.id, "assignee_id": eve.id})
    world.commit(*_leaves(world, kitchen.id, eve))

    assert titles(anns, assignee_id=bob.id) == ""  # a colleague with nothing to do
    assert titles(anns, assignee_id=eve.id) == "a"  # gone, but the task is there
    assert titles(anns, assignee_id=eve.id, status="done") == ""
    assert gone
    for stranger in (NOBODY, world.person("zoe").id):
        refused = asked(anns, assignee_id=stranger)
        assert (refused.status, refused.problem) == (404, "not-found")
        assert "user" in refused.json["detail"]


def test_an_admin_finds_everybody_there_is(world: World, ann: Person) -> None:
    root = world.of(world.person("root", Role.ADMIN))

    assert titles(root, assignee_id=ann.id) == ""
    assert asked(root, assignee_id=NOBODY).status == 404


def _leaves(world: World, project_id: str, person: Person) -> list[Change]:
    return [Change(Membership(project_id, person.id, ProjectRole.VIEWER, world.clock()), None)]


FOREIGN = ["' OR '1'='1", "1; DROP TABLE tasks--", '{"$ne":null}', "%", "_", "\\", "*", "a' | 'b", "!a", "\u0130", "🪴"]


@pytest.mark.parametrize("name", ["q", "label"])
def test_no_text_means_more_than_its_letters(world: World, anns: Client, name: str) -> None:
    add(anns, ordinary={"labels": ["home"]})
    add(world.of(world.person("bob")), secret={"labels": ["home"]})

    assert [titles(anns, (name, text)) for text in FOREIGN] == [""] * len(FOREIGN)
    assert titles(anns) == "ordinary"


MISFITS: list[tuple[str, str, str | None]] = [
    ("status=open", "status", "is one of: todo, in_progress, blocked, done, cancelled"),
    ("status=todo,done", "status", "is one of: todo, in_progress, blocked, done, cancelled"),
    ("status=todo&status=todo", "status", "names nothing twice"),
    ("status=", "status", "is one of: todo, in_progress, blocked, done, cancelled"),
    ("priority=HIGH", "priority", "is one of: none, low, medium, high, urgent"),
    ("label=", "label", "has at least 1 characters"),
    (f"label={'a' * 51}", "label", "has at most 50 characters"),
    ("&".join(f"label={n}" for n in range(21)), "label", "has at most 20 items"),
    ("overdue=yes", "overdue", "is true or false"),
    ("overdue=true&overdue=false", "overdue", "is given once"),
    ("archived=all", "archived", "is one of: exclude, only, include"),
    ("sort=title", "sort", None),
    ("sort=--due", "sort", None),
    ("sort=due&sort=number", "sort", "is given once"),
    ("q=", "q", "has at least 1 characters"),
    (f"q={'a' * 201}", "q", "has at most 200 characters"),
    ("q=%00", "q", r"matches ^[^\u0000]*$"),
    ("q=%ff", "query", None),
    ("assignee_id=you", "assignee_id", None),
    ("assignee_id=%7B%22%24ne%22%3Anull%7D", "assignee_id", None),
    ("assignee_id=me&assignee_id=me", "assignee_id", "is given once"),
    ("project_id=1", "project_id", None),
    ("due_before=2026-12-01", "due_before", None),
    ("due_before=2026-12-01T17:00:00", "due_before", None),
    ("due_before=2026-12-01T17:00:00+01:00", "due_before", None),  # a plus is a space there
    ("due_after=2026-02-30T00:00:00Z", "due_after", "is in the format date-time"),
    ("due_after=2026-12-31T23:59:60Z", "due_after", None),
    ("created_after=0000-01-01T00:00:00Z", "created_after", None),
    ("updated_after=9999-12-31T23:59:59-23:59", "updated_after", None),
    ("created_after=now", "created_after", None),
    ("title[$ne]=1", "title[$ne]", None),
    ("status[]=todo", "status[]", "is not known here; did you mean status?"),
    ("labels=home", "labels", "is not known here; did you mean label?"),
    ("Q=a", "Q", None),
    ("limit=0", "limit", "is at least 1"),
    ("limit=201", "limit", "is at most 200"),
]


def test_what_does_not_fit_is_named(anns: Client) -> None:
    for query, place, rule in MISFITS:
        refused = anns.get("/tasks", query=query)
        assert (refused.status, list(refused.errors)) == (400, [place]), query
        assert rule is None or refused.errors[place] == rule


# Cursors.


def test_a_cursor_is_good_for_its_own_list_alone(world: World, anns: Client, ann: Person) -> None:
    add(anns, **{f"t{n}": {"labels": ["home"]} for n in range(3)})
    mine = (("label", "home"), ("limit", 1), ("sort", "due"))
    cursor = asked(anns, *mine).json["next"]

    assert asked(anns, *mine, cursor=cursor).status == 200
    assert asked(anns, ("label", "home"), ("limit", 2), ("sort", "due"), cursor=cursor).status == 200
    for another in (
        {"sort": "due"},
        {"sort": "-due", "label": "home"},
        {"sort": "due", "label": "home", "q": "t"},
        {"sort": "due", "label": "home", "archived": "include"},
        {"sort": "due", "label": "work"},
        {"sort": "due", "label": "home", "assignee_id": "me"},
        {"label": "home"},
    ):
        refused = asked(anns, cursor=cursor, **another)
        assert (refused.status, refused.problem) == (409, "cursor-refused")
    assert asked(world.of(world.person("bob")), *mine, cursor=cursor).problem == "cursor-refused"


def test_a_cursor_that_was_tampered_with_is_refused(anns: Client) -> None:
    add(anns, **{f"t{n}": {} for n in range(3)})
    cursor = asked(anns, limit=1).json["next"]

    for at in range(len(cursor)):
        other = "A" if cursor[at] != "A" else "B"
        refused = asked(anns, limit=1, cursor=cursor[:at] + other + cursor[at + 1 :])
        assert (refused.status, refused.problem) == (409, "cursor-refused")
    for wrong in (cursor[:-4], cursor + "AAAA", "A", "AAAA"):
        assert asked(anns, cursor=wrong).problem == "cursor-refused"


def test_a_cursor_is_good_also_when_the_task_it_names_is_gone(anns: Client) -> None:
    paths = add(anns, a={}, b={}, c={})
    cursor = asked(anns, limit=1, sort="number").json["next"]
    anns.delete(paths["a"])

    assert titles(anns, sort="number", cursor=cursor) == "b c"


def test_nobody_asks_without_a_token(world: World) -> None:
    assert world.client.get("/tasks", query="q=a").status == 401
    assert world.client.get("/summary").status == 401
