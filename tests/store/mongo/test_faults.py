"""What the store on MongoDB says when its server is gone, slow or of the wrong kind; and that it recovers by itself."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.builders import a_person, a_task, added
from tests.databases import open_store
from tests.servers import HOST, PATIENCE
from tracker import wiring
from tracker.cli.server import free_port
from tracker.domain.refusals import Unavailable
from tracker.environment import Misconfigured
from tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.mongo_server import MongoServer
    from tracker.store.contract import Store

pytestmark = pytest.mark.mongodb

CONNECTIONS = 4
Found = TypeVar("Found")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url, connections=CONNECTIONS)) as store:
        store.migrate()
        yield store


def once_it_answers(read: Callable[[], Found]) -> Found:
    """Read again until the driver has seen that the server is back."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return read()
        except Unavailable:
            assert time.monotonic() < until, "it does not see that the server is back"


def test_a_server_that_was_killed_is_unavailable_until_it_is_back(store: Store, mongo: MongoServer) -> None:
    ann = a_person()
    added(store, *ann)
    mongo.kill()
    for act in (store.has_users, store.ping, lambda: added(store, a_task(ann.inbox))):
        with pytest.raises(Unavailable):
            act()
    mongo.start_again()

    assert store.user(ann.user.id) == ann.user
    added(store, a_task(ann.inbox))
    assert [entry.head for entry in store.log(ann.inbox.id)] == [1, 1, 2]


def test_a_server_that_was_started_again_meanwhile_is_asked_on_new_connections(
    store: Store, mongo: MongoServer
) -> None:
    ann = a_person()
    added(store, *ann)
    mongo.kill()
    mongo.start_again()

    assert store.user(ann.user.id) == ann.user
    assert store.standing(ann.session.id) is not None


def test_a_server_that_answers_nothing_is_unavailable_after_a_while(store: Store, mongo: MongoServer) -> None:
    ann = a_person()
    added(store, *ann)
    mongo.stop()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        store.user(ann.user.id)
    took = time.monotonic() - began
    mongo.wake()

    assert took < 20
    assert once_it_answers(lambda: store.user(ann.user.id)) == ann.user


def test_more_threads_than_connections_are_unavailable_after_a_moment(store: Store, mongo: MongoServer) -> None:
    ann = a_person()
    added(store, *ann)
    outcomes: list[float] = []

    def ask() -> None:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            store.user(ann.user.id)
        outcomes.append(time.monotonic() - began)

    mongo.stop()
    asking = [threading.Thread(target=ask) for _ in range(3 * CONNECTIONS)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(60)
    mongo.wake()

    assert len(outcomes) == 3 * CONNECTIONS
    assert min(outcomes) < 3 < max(outcomes), "all were asked at once: none had to wait for a connection"
    assert once_it_answers(lambda: store.user(ann.user.id)) == ann.user


def test_a_server_without_transactions_is_refused_in_one_line_unless_it_is_allowed(url: str) -> None:
    settings = Settings(database_url=url, tracker_env="development", secret_key="k" * 40)
    with closing(wiring.open_store(settings, connections=1)) as store:
        for act in (store.migrate, store.ping):
            with pytest.raises(Unavailable) as refused:
                act()
            assert "MONGO_ALLOW_STANDALONE" in refused.value.detail
            assert "\n" not in refused.value.detail


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://ann:c4nary%3A%40%2F%25@{host}:{port}/tracker",
        "mongodb://ann:c4nary%3A%40%2F%25@{host}:{port}/tracker?authSource=admin&replicaSet=rs0",
    ],
)
def test_no_password_is_in_what_is_said_or_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with closing(open_store(url.format(host=HOST, port=free_port(HOST)), connections=1)) as store:
        for act in (store.ping, lambda: added(store, *a_person())):
            with pytest.raises(Unavailable) as refused:
                act()
            said = f"{refused.value!r} {refused.value.detail} {refused.value.__cause__!r}"
            assert "c4nary" not in said
    assert "c4nary" not in caplog.text + repr(store)


@pytest.mark.parametrize("url", ["mongodb://", "mongodb://u:c4nary@", "mongodb://u:c4nary@h:none/d", "mongodb+srv://"])
def test_an_address_of_nothing_stops_the_start_without_being_shown(url: str) -> None:
    with (
        pytest.raises((Misconfigured, ValueError, Unavailable)) as refused,
        closing(open_store(url, connections=1)) as store,
    ):
        store.ping()
    assert "c4nary" not in f"{refused.value!r} {refused.value}"
