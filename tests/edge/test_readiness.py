"""Whether a process can serve: what is seen of its database, and when nobody else asks it any more."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.client import Received
from tests.edge.wire import exchange, live, pieces, scope
from tests.world import World
from tracker import app
from tracker.domain.refusals import Unavailable
from tracker.edge import readiness
from tracker.edge.front import Front
from tracker.edge.readiness import Lookout
from tracker.edge.shared_redis import SharedRedis
from tracker.store.contract import OLDER
from tracker.store.sql.store import SqlStore

PATIENCE = 60  # seconds; for what takes a moment


class Watched(SqlStore):
    """A store whose database can be made silent, or to refuse, and that notes whether it was given up."""

    answers: threading.Event
    refusal: Exception | None
    given_up: int

    def ping(self) -> None:
        assert self.answers.wait(PATIENCE)
        if self.refusal:
            raise self.refusal

    def give_up(self) -> None:
        self.given_up += 1


@pytest.fixture
def watched(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(readiness, "PAUSE", 0.01)
    monkeypatch.setattr(readiness, "_SLICE", PATIENCE)  # however busy the machine is, this database is not silent
    store = Watched.open(url)
    store.answers, store.refusal, store.given_up = threading.Event(), None, 0
    store.answers.set()
    yield store
    store.answers.set()
    store.close()


@pytest.fixture
def impatient(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_SLICE", 0.01)


@pytest.fixture
def lookout(watched: Watched) -> Iterator[Lookout]:
    lookout = Lookout(watched)
    yield lookout
    lookout.stop()


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def missing(lookout: Lookout) -> str | None:
    try:
        lookout.checks()
    except Unavailable as unavailable:
        return unavailable.detail
    return None


def test_once_it_has_looked_it_knows(lookout: Lookout) -> None:
    lookout.start()
    assert lookout.checks() == {"database": "ok"}


def test_a_database_that_refuses_is_missing_and_is_not_given_up(lookout: Lookout, watched: Watched) -> None:
    watched.refusal = Unavailable()
    lookout.start()
    assert missing(lookout) == "The database does not answer."
    watched.refusal = None
    wait(lambda: missing(lookout) is None)
    assert watched.given_up == 0


def test_an_older_schema_is_named(lookout: Lookout, watched: Watched) -> None:
    watched.refusal = Unavailable(OLDER)
    lookout.start()
    assert missing(lookout) == OLDER


@pytest.mark.usefixtures("impatient")
def test_a_silent_database_is_given_up_and_looked_at_until_it_answers(lookout: Lookout, watched: Watched) -> None:
    lookout.start()
    watched.answers.clear()
    wait(lambda: watched.given_up > 0)
    assert missing(lookout) == "The database does not answer."
    watched.answers.set()
    wait(lambda: missing(lookout) is None)


@pytest.mark.usefixtures("impatient")
def test_a_process_that_starts_beside_a_silent_database_knows_that_before_it_is_asked(
    lookout: Lookout, watched: Watched
) -> None:
    watched.answers.clear()
    lookout.start()
    assert missing(lookout) == "The database does not answer."
    wait(lambda: watched.given_up > 0)


def test_a_bug_does_not_end_the_looking(lookout: Lookout, watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.refusal = LookupError("of ours")
    lookout.start()
    assert "answers with an error" in str(missing(lookout))
    watched.refusal = None
    wait(lambda: missing(lookout) is None)
    assert "LookupError: of ours" in caplog.text


def test_who_is_about_to_stop_is_not_ready_whatever_it_sees(lookout: Lookout) -> None:
    lookout.start()
    lookout.drain()
    assert missing(lookout) == "This server is about to stop; ask another one."


def test_what_changes_is_logged_once(lookout: Lookout, watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    lookout.start()
    watched.refusal = Unavailable()
    wait(lambda: missing(lookout) is not None)
    looks = lookout._looks
    wait(lambda: lookout._looks > looks + 3)
    watched.refusal = None
    wait(lambda: missing(lookout) is None)
    wait(lambda: "ready again" in caplog.text)
    assert [record.getMessage() for record in caplog.records if record.name == "tracker"] == [
        "not ready: The database does not answer.",
        "ready again",
    ]


def test_a_redis_that_is_gone_is_told_of_and_is_no_reason(lookout: Lookout) -> None:
    redis = SharedRedis("redis://127.0.0.1:1/0")
    assert lookout.checks(redis) == {"database": "ok", "redis": "ok"}
    for _ in range(3):
        redis.ask(lambda: bool(redis.client.ping()), lambda: False)
    assert lookout.checks(redis) == {"database": "ok", "redis": "gone"}


def ready(front: Front, path: str = "/readyz") -> Received:
    return asyncio.run(exchange(front, scope("GET", path), pieces(None)))


def test_the_probe_is_answered_from_what_was_seen_by_whoever_holds_the_connections(
    world: World, watched: Watched, lookout: Lookout
) -> None:
    front = Front(app.responder(world.settings, watched, lookout=lookout), threads=0, lookout=lookout)

    async def started_and_asked() -> Received:
        async def receive() -> dict[str, str]:
            if started.is_set():
                await asyncio.get_running_loop().create_future()  # it is not told to stop
            return {"type": "lifespan.startup"}

        async def send(_: dict[str, str]) -> None:
            started.set()

        started = asyncio.Event()
        living = asyncio.create_task(front({"type": "lifespan"}, receive, send))
        await started.wait()
        watched.answers.clear()  # from here on nobody could look
        answer = await exchange(front, scope("GET", "/readyz"), pieces(None))
        living.cancel()
        return answer

    assert asyncio.run(started_and_asked()).json == {"status": "ok", "checks": {"database": "ok"}}


def test_whoever_is_answered_by_a_process_that_will_stop_is_asked_to_leave(world: World) -> None:
    lookout = Lookout(world.store)
    front = Front(world.responder, threads=1, lookout=lookout)
    assert "connection" not in ready(front, "/livez").headers
    lookout.drain()
    assert ready(front, "/livez").headers["connection"] == "close"
    asyncio.run(live(front, "shutdown"))
