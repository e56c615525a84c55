"""Lists and summaries that are remembered: always what they would be if they were made anew, and seldom made."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.api.household import NOTHING, Household
from tests.builders import a_person
from tests.questions import asked_from_now_on
from tests.world import World
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Client
    from tests.servers import RedisServer
    from tests.world import Person
    from tracker.domain.project import Project
    from tracker.store.contract import Store

pytestmark = pytest.mark.usefixtures("patience")

ACTS = 60


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    return asked_from_now_on(monkeypatch)


def who_asks(world: World, person: Person, questions: list[set[str]]) -> list[set[str]]:
    """Return what a store asks to know who sends a request: of SQL one statement, see tests/store/sql."""
    questions.clear()
    assert world.store.standing(person.session.id, asked="everything") is not None
    asked = questions.copy()
    questions.clear()
    return asked


def counts(world: World) -> dict[str, int]:
    """Return how often answers were found where."""
    found = {
        result: world.metrics.registry.get_sample_value("tracker_cache_answers_total", {"result": result})
        for result in ("hit_memory", "hit_redis", "miss", "bypass")
    }
    return {result: int(times) for result, times in found.items() if times}


@pytest.mark.parametrize("path", ["/tasks", "/projects", "/summary", "/tasks/"])
def test_an_answer_that_is_remembered_takes_no_question_but_who_asks(
    world: World, ann: Person, client: Client, questions: list[set[str]], path: str
) -> None:
    world.clock.advance(seconds=1)  # what a summary counts at a full minute holds for that instant alone
    client.post("/tasks", {"title": "Water the plants"})
    first = client.get(path)
    only = who_asks(world, ann, questions)

    again = client.get(path)

    assert (again.status, again.headers, again.body) == (200, first.headers, first.body)
    assert questions == only


@pytest.mark.redis
def test_what_another_process_made_takes_none_either(
    store: Store, redis: RedisServer, questions: list[set[str]]
) -> None:
    first, second, _ = processes(store, redis)
    ann = first.person("ann")
    made = first.of(ann).get("/tasks")
    assert second.of(ann).get("/me").status == 200  # her memberships are read once
    only = who_asks(second, ann, questions)

    found = second.of(ann).get("/tasks")

    assert (found.status, found.headers, found.body) == (200, made.headers, made.body)
    assert questions == only
    assert counts(second) == {"hit_redis": 1}


def test_whether_it_was_remembered_is_counted(world: World, client: Client) -> None:
    for query in ("", "", "sort=-priority", ""):
        assert client.get("/tasks", query=query).status == 200
    assert counts(world) == {"hit_memory": 2, "miss": 2}


def test_where_the_cache_is_off_every_answer_is_made(store: Store, questions: list[set[str]]) -> None:
    world = World(store, cache="off")
    client = world.of(world.person("ann"))
    questions.clear()
    assert [client.get("/tasks").status for _ in range(2)] == [200, 200]

    assert len([asked for asked in questions if "tasks" in asked]) == 2
    assert counts(world) == {"bypass": 2}


def test_a_refusal_is_not_remembered(world: World, client: Client, questions: list[set[str]]) -> None:
    taken = []
    for _ in range(3):
        questions.clear()
        assert client.get("/tasks", query={"assignee_id": NOTHING}).status == 404
        taken.append(len(questions))
    assert taken[1] == taken[2] > 2
    assert counts(world) == {}


def test_nobody_is_given_what_somebody_else_was(world: World, client: Client) -> None:
    client.post("/tasks", {"title": "Mine"})
    bob = world.of(world.person("bob"))
    for path in ("/tasks", "/projects", "/summary"):
        assert client.get(path).body != bob.get(path).body


def test_two_whose_states_have_one_name_are_still_two(world: World) -> None:
    """The name has the last digits of an id in it, which two may have in common; the whole id is asked for too."""
    alike = []
    for first in "01":
        person = a_person(id=f"{first}{NOTHING[1:]}", username=f"ann{first}", email=f"ann{first}@example.com")
        world.add(*person)
        alike.append(world.of(world.log_in(person.user)))
        alike[-1].post("/tasks", {"title": f"Of {first}"})
    lists = [client.get("/tasks") for client in alike]

    assert len({answer.headers["etag"] for answer in lists}) == 1
    assert [answer.json["items"][0]["title"] for answer in lists] == ["Of 0", "Of 1"]


def test_all_admins_are_given_one_summary_and_lists_of_their_own(world: World, questions: list[set[str]]) -> None:
    admins = [world.person(name, Role.ADMIN) for name in ("root", "rita")]
    root, rita = map(world.of, admins)
    world.clock.advance(seconds=1)
    summary, tasks = root.get("/summary"), root.get("/tasks")
    assert rita.get("/me").status == 200  # her memberships are read once
    only = who_asks(world, admins[1], questions)

    theirs = rita.get("/summary")

    assert (theirs.body, theirs.headers, questions) == (summary.body, summary.headers, only)
    assert rita.get("/tasks").headers["etag"] != tasks.headers["etag"]


def test_a_summary_of_an_admin_is_for_nobody_who_is_none(world: World, kitchen: Project, ann: Person) -> None:
    world.of(ann).post("/tasks", {"title": "Water the plants", "project_id": kitchen.id})
    bob = world.person("bob", Role.ADMIN)
    assert world.of(bob).get("/summary").json["by_status"]["todo"] == 1
    world.of(world.person("root", Role.ADMIN)).patch(f"/users/{bob.id}", {"role": "member"})
    assert world.of(bob).get("/summary").json["by_status"]["todo"] == 0


def test_a_new_role_shows_at_once_what_it_lets_one_see(world: World, ann: Person, kitchen: Project) -> None:
    bob = world.person("bob")
    seen = [len(world.of(bob).get("/projects").json["items"])]
    owner, member = world.of(ann), f"/projects/{kitchen.id}/members/{bob.id}"
    owner.put(member, {"role": "viewer"})
    seen.append(len(world.of(bob).get("/projects").json["items"]))
    owner.delete(member)
    seen.append(len(world.of(bob).get("/projects").json["items"]))
    assert seen == [1, 2, 1]


def test_time_alone_makes_another_answer(world: World, client: Client, ann: Person) -> None:
    client.post("/tasks", {"title": "Pay", "due": {"date": "2026-11-21", "time": "13:00"}})
    assert [item["overdue"] for item in client.get("/tasks").json["items"]] == [False]
    world.clock.advance(minutes=61)
    client = world.of(world.log_in(ann.user))

    assert [item["overdue"] for item in client.get("/tasks").json["items"]] == [True]
    assert counts(world) == {"miss": 2}


def test_what_is_left_of_a_limit_is_not_remembered(store: Store) -> None:
    world = World(store, rate_limit="9/minute")
    client = world.of(world.person("ann"))
    left = [client.get("/tasks").headers["ratelimit"].split(";")[1] for _ in range(3)]
    assert left == ["r=8", "r=7", "r=6"]
    assert counts(world) == {"miss": 1, "hit_memory": 2}


def processes(store: Store, redis: RedisServer) -> tuple[World, World, World]:
    """Return two processes of one installation that remember, and one that does not."""
    first, second = (World(store, redis_url=redis.url) for _ in range(2))
    plain = World(store, cache="off")
    second.clock = plain.clock = first.clock
    return first, second, plain


QUERIES = (
    ("/tasks", "limit=200"),
    ("/tasks", "overdue=true"),
    ("/tasks", "sort=-created_at&limit=2"),
    ("/projects", ""),
    ("/summary", ""),
    ("/summary", "timezone=Europe/Berlin"),
)


@pytest.mark.redis
@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_what_is_remembered_is_what_would_be_made(store: Store, redis: RedisServer, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed, so that a failure can be had again
    first, second, plain = processes(store, redis)
    household = Household(first, seed)
    for _ in range(ACTS):
        household.act()
        first.clock.advance(seconds=chance.choice([0, 1, 29, 60]))
        for person in household.people.values():
            for path, query in chance.sample(QUERIES, 3):
                fresh = plain.now(person).get(path, query=query)
                for world in (first, second):
                    given = world.now(person).get(path, query=query)
                    assert (given.status, given.headers, given.body) == (200, fresh.headers, fresh.body)
    assert {"_task", "_delete", "_undo"} <= set(household.done)
    assert counts(first).keys() | counts(second).keys() == {"hit_memory", "hit_redis", "miss"}
