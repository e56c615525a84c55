"""What is an operator, a path or a pattern to some database is text to a store: kept, compared and found as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import AT, a_job_run, a_person, a_project, a_task, added, added_tasks, changes, replaced
from tracker.domain.access import Scope
from tracker.domain.outbox import Position
from tracker.domain.query import MemberQuery, TaskFilter, TaskQuery
from tracker.domain.words import words_of
from tracker.store.contract import Claim

if TYPE_CHECKING:
    from tests.builders import Person
    from tracker.domain.project import Project
    from tracker.store.contract import Store

OPERATORS = [
    '{"$ne": null}',
    '{"$gt": ""}',
    "$where",
    "$set",
    "$title",
    "$$ROOT",
    "title.0",
    "a.b.$c",
    ".",
    "_id",
    "this.title == 'x' || true",
    "^.*$",
    "/./",
    "'; DELETE FROM tasks; --",
    "%(id)s",
    ":id",
]
every_operator = pytest.mark.parametrize("text", OPERATORS)


def titles(store: Store, **asked: object) -> list[str]:
    return [task.title for task in store.tasks(TaskQuery((Scope(None),), filter=TaskFilter(**asked))).items]  # type: ignore[arg-type]  # a few of many


@every_operator
def test_it_is_kept_wherever_there_is_text(store: Store, kitchen: Project, text: str) -> None:
    (task,) = added_tasks(store, a_task(kitchen, title=text, description=text, labels=(text, "other")))
    project = a_project(name=text, description=text)
    added(store, project)

    assert store.task(task.id) == task
    assert [entry.after for entry in store.log(kitchen.id)][-1] == task
    found = store.project(project.id)
    assert found is not None
    assert (found.name, found.description) == (text, text)


@every_operator
def test_it_takes_the_place_of_what_was_there_and_of_nothing_else(store: Store, kitchen: Project, text: str) -> None:
    task, other = added_tasks(store, a_task(kitchen), a_task(kitchen))

    changed = replaced(store, task, title=text, description=text, labels=(text,))

    assert (store.task(task.id), store.task(other.id)) == (changed, other)


@every_operator
def test_a_label_finds_itself_alone(store: Store, kitchen: Project, text: str) -> None:
    added(store, a_task(kitchen, title="it", labels=("first", text)), a_task(kitchen, title="other", labels=("x",)))

    assert titles(store, label=(text,)) == ["it"]


@every_operator
def test_words_find_what_begins_with_them_and_a_pattern_finds_nothing(
    store: Store, kitchen: Project, text: str
) -> None:
    added(store, a_task(kitchen, title=f"look {text}"), a_task(kitchen, title="other"))
    words = words_of(text)

    assert titles(store, words=words) == ([f"look {text}"] if words else [])


@pytest.mark.parametrize("pattern", [".*", "oth.r", "other$", "[o]ther", "(other)", "oth\\w+", "^other", "other|it"])
def test_no_word_is_a_pattern(store: Store, kitchen: Project, pattern: str) -> None:
    added(store, a_task(kitchen, title="other"))

    assert titles(store, words=(pattern,)) == []


@every_operator
def test_as_an_id_it_is_that_of_nothing(store: Store, ann: Person, kitchen: Project, text: str) -> None:
    added(store, a_task(kitchen))

    for read in (
        store.standing,
        store.user,
        store.session,
        store.refresh_token,
        store.password_reset,
        store.calendar_feed,
        store.project,
    ):
        assert read(text) is None
    assert store.task(text) is None
    assert store.membership(text, ann.user.id) is store.membership(kitchen.id, text) is None
    assert (store.memberships(text), store.members(MemberQuery(text))) == ({}, [])
    assert (store.log(text), store.operation(text), store.log(kitchen.id, entity_id=text)) == ([], [], [])
    assert titles(store, project_id=text) == titles(store, assignee_id=text) == []


@every_operator
def test_as_a_name_it_is_somebodys_or_nobodys(store: Store, ann: Person, text: str) -> None:
    assert store.user_named(username=text) is store.user_named(email=text) is None
    somebody = a_person(username=text, email=text)
    added(store, *somebody)

    assert store.user_named(username=text) == store.user_named(email=text) == somebody.user


@every_operator
def test_as_a_key_it_is_used_by_whoever_used_it(store: Store, text: str) -> None:
    store.commit(changes(), Claim("ann", "k", "f" * 64, AT, lambda _: "plain"))
    assert store.claimed(text, "k") is store.claimed("ann", text) is None

    store.commit(changes(), Claim(text, text, "f" * 64, AT, lambda _: text))

    kept = store.claimed(text, text)
    assert kept is not None
    assert kept.answer == text
    assert getattr(store.claimed("ann", "k"), "answer", None) == "plain"


@every_operator
def test_as_the_name_of_a_consumer_or_a_job_it_is_one_of_many(store: Store, kitchen: Project, text: str) -> None:
    added(store, Position("post", kitchen.id).moved_to(1), a_job_run())
    position, run = Position(text, kitchen.id).moved_to(1), a_job_run(job=text)
    assert store.position(text, kitchen.id).head == 0
    assert store.job_runs(text) == []

    added(store, position, run)

    assert store.position(text, kitchen.id) == position
    assert store.job_run(text, AT) == run
    assert store.job_runs(text) == [run]
