"""The front: it holds the connections, and hands on nothing but whole requests."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.client import Received
from tests.edge.wire import CHUNKED, Wire, exchange, live, pieces, scope
from tests.world import World
from tracker.edge import front as module
from tracker.edge.bodies import DEADLINE, MAX_BODY, MAX_DRAINED
from tracker.edge.call import Answer, Call
from tracker.edge.front import Front
from tracker.edge.problems import MAX_ERRORS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

PATIENCE = 60
TEXT = ((b"content-type", b"text/plain"),)


class Echo:
    """Answers with the body it was given; waits where it is told to, except for /livez."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.begun, self.may_end = threading.Semaphore(0), threading.Event()
        self.may_end.set()

    def __call__(self, call: Call) -> Answer:
        self.calls.append(call)
        if call.path != "/livez":
            self.begun.release()
            assert self.may_end.wait(PATIENCE)
        return Answer(200, TEXT, call.body)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@contextmanager
def served(echo: Callable[[Call], Answer], **settings: Any) -> Iterator[Front]:
    front = Front(echo, threads=settings.pop("threads", 2), **settings)
    yield front
    asyncio.run(live(front, "shutdown"))


def asked(front: Front, method: str = "POST", body: Any = b"", **headers: str) -> Received:
    return asyncio.run(exchange(front, scope(method, "/echo", body, headers.items()), pieces(body)))


@pytest.mark.parametrize(
    "body", [b"", b"abc", [b"a", b"b", b"c"], [b"a", b"", b"bc"], [b"x"] * 5000, b"x" * MAX_BODY, [b"x" * 1024] * 256]
)
def test_a_body_is_handed_on_whole_however_it_arrives(echo: Echo, body: Any) -> None:
    with served(echo) as front:
        whole = body if isinstance(body, bytes) else b"".join(body)
        assert asked(front, body=body).body == whole
    assert [call.body for call in echo.calls] == [whole]


def test_a_request_without_a_body_is_not_waited_for(echo: Echo) -> None:
    async def never() -> AsyncIterator[dict[str, Any]]:
        await asyncio.Event().wait()
        yield {}

    with served(echo) as front:
        assert asyncio.run(exchange(front, scope("GET", "/echo"), never())).status == 200


@pytest.mark.parametrize("size", [MAX_BODY + 1, 2 * MAX_BODY, MAX_DRAINED])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_read_to_its_end_and_refused(echo: Echo, size: int, *, chunked: bool) -> None:
    chunk = 256 * 1024
    arriving = [b"x" * min(chunk, size - at) for at in range(0, size, chunk)]
    request = scope("POST", "/echo", arriving if chunked else b"x" * size)
    messages = pieces(arriving)

    async def refused() -> tuple[Received, list[Any]]:
        return await exchange(front, request, messages), [message async for message in messages]

    with served(echo) as front:
        received, left = asyncio.run(refused())
    assert (received.status, received.problem) == (413, "content-too-large")
    assert received.headers["connection"] == "close"
    assert left == []  # a client that is still sending would not hear the answer
    assert echo.calls == []


def test_a_body_that_says_it_is_immense_is_not_read_at_all(echo: Echo) -> None:
    async def never() -> AsyncIterator[dict[str, Any]]:
        raise AssertionError("it was read")
        yield {}

    with served(echo) as front:
        for length in (str(MAX_DRAINED + 1), "9" * 400):
            request = scope("POST", "/echo", None, [("content-length", length)])
            assert asyncio.run(exchange(front, request, never())).status == 413


def test_a_body_without_an_end_is_not_read_for_ever(echo: Echo) -> None:
    read = 0

    async def endless() -> AsyncIterator[dict[str, Any]]:
        nonlocal read
        while True:
            read += 65_536
            yield {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

    with served(echo) as front:
        assert asyncio.run(exchange(front, scope("POST", "/echo", [b""]), endless())).status == 413
    assert read <= MAX_DRAINED + 2 * 65_536


@pytest.mark.parametrize("sent", [[], [b"ha"], [b"h", b"a", b"l", b"f"], [b"x" * (MAX_BODY + 1)]])
def test_a_body_that_does_not_arrive_is_given_up(echo: Echo, sent: list[bytes]) -> None:
    async def half() -> AsyncIterator[dict[str, Any]]:
        for piece in sent:
            yield {"type": "http.request", "body": piece, "more_body": True}
        await asyncio.Event().wait()

    with served(echo, body_deadline=0.02) as front:
        refused = asyncio.run(exchange(front, scope("POST", "/echo", [b""]), half()))

    assert (refused.status, refused.problem) == (408, "request-timeout")
    assert refused.headers["connection"] == "close"
    assert echo.calls == []


def test_the_deadline_is_for_the_whole_body_and_not_for_each_piece(echo: Echo) -> None:
    async def drip() -> AsyncIterator[dict[str, Any]]:
        while True:
            await asyncio.sleep(0.005)
            yield {"type": "http.request", "body": b"x", "more_body": True}

    with served(echo, body_deadline=0.1) as front:
        assert asyncio.run(exchange(front, scope("POST", "/echo", [b""]), drip())).status == 408


def test_each_body_has_its_own_deadline_whoever_else_is_late(echo: Echo) -> None:
    async def halves(more: asyncio.Event) -> AsyncIterator[dict[str, Any]]:
        yield {"type": "http.request", "body": b"x", "more_body": True}
        await more.wait()
        yield {"type": "http.request", "body": b"y", "more_body": False}

    async def run(front: Front) -> list[tuple[int, bool]]:
        never, soon = asyncio.Event(), asyncio.Event()
        order: list[str] = []

        async def asked(name: str, delay: float, more: asyncio.Event) -> int:
            await asyncio.sleep(delay)
            answer = await exchange(front, scope("POST", "/echo", [b""]), halves(more))
            order.append(name)
            return answer.status

        late, later = asyncio.create_task(asked("late", 0, never)), asyncio.create_task(asked("later", 0.1, never))
        last = asyncio.create_task(asked("last", 0.1, soon))
        statuses = [(await late, later.done())]
        soon.set()
        statuses += [(await last, later.done()), (await later, True)]
        assert order == ["late", "last", "later"]
        return statuses

    with served(echo, body_deadline=0.2) as front:
        for _ in range(2):  # on another loop, and with nobody left of the first
            assert asyncio.run(run(front)) == [(408, False), (200, False), (408, True)]


def test_a_body_that_is_late_when_all_others_are_done_is_given_up_too(echo: Echo) -> None:
    async def half() -> AsyncIterator[dict[str, Any]]:
        await asyncio.Event().wait()
        yield {}

    async def run(front: Front) -> list[int]:
        return [(await exchange(front, scope("POST", "/echo", [b""]), half())).status for _ in range(2)]

    with served(echo, body_deadline=0.02) as front:
        assert asyncio.run(run(front)) == [408, 408]


def test_a_client_that_gives_up_is_not_told_that_it_was_late(echo: Echo) -> None:
    async def half() -> AsyncIterator[dict[str, Any]]:
        await asyncio.Event().wait()
        yield {}

    async def run(front: Front) -> None:
        given_up = asyncio.create_task(exchange(front, scope("POST", "/echo", [b""]), half()))
        await asyncio.sleep(0.01)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up

    with served(echo) as front:
        asyncio.run(run(front))


def test_each_thread_is_in_a_stay_until_it_ends(echo: Echo) -> None:
    stays: list[tuple[str, str]] = []

    @contextmanager
    def stay() -> Iterator[None]:
        name = threading.current_thread().name
        stays.append(("begins", name))
        yield
        stays.append(("ends", name))

    with served(echo, threads=2, apart={("POST", "/login")}, threads_apart=1, stay=stay) as front:
        assert asked(front, body=b"x").status == 200
    begun, ended = ([name for what, name in stays if what == which] for which in ("begins", "ends"))
    assert sorted(begun) == sorted(ended)
    assert len(begun) == 3


@pytest.mark.parametrize("sent", [[], [b"half"]])
def test_a_body_that_breaks_off_is_refused_to_whoever_is_still_there(echo: Echo, sent: list[bytes]) -> None:
    async def gone() -> AsyncIterator[dict[str, Any]]:
        for piece in sent:
            yield {"type": "http.request", "body": piece, "more_body": True}
        yield {"type": "http.disconnect"}

    with served(echo) as front:
        refused = asyncio.run(exchange(front, scope("POST", "/echo", [b""]), gone()))
        assert (refused.status, refused.errors) == (400, {"": "arrives whole, as its headers say"})
        assert asked(front, body=b"next").body == b"next"
    assert len(echo.calls) == 1


def while_busy(
    front: Front, echo: Echo, busy: int, then: Callable[[], Awaitable[Received]]
) -> tuple[Received, list[int]]:
    """Return what is answered while so many requests are in flight, and then their own answers."""

    async def run() -> tuple[Received, list[int]]:
        echo.may_end.clear()
        waiting = [asyncio.create_task(exchange(front, scope("GET", "/echo"), pieces(None))) for _ in range(busy)]
        await asyncio.sleep(0)
        assert front._in_flight == busy
        received = await then()
        echo.may_end.set()
        return received, [(await one).status for one in waiting]

    return asyncio.run(run())


def test_the_one_too_many_in_flight_is_told_to_come_again(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IN_FLIGHT", 3)
    with served(echo) as front:
        refused, others = while_busy(front, echo, 3, lambda: exchange(front, scope("GET", "/echo"), pieces(None)))
        assert (refused.status, refused.problem) == (503, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
        assert others == [200] * 3
        assert asked(front).status == 200


def test_the_process_says_it_is_alive_while_all_its_threads_are_busy(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_IN_FLIGHT", 4)
    with served(echo) as front:
        alive, others = while_busy(front, echo, 4, lambda: exchange(front, scope("GET", "/livez"), pieces(None)))
        assert alive.status == 200
        assert others == [200] * 4


def test_slow_bodies_take_no_thread(echo: Echo) -> None:
    async def half() -> AsyncIterator[dict[str, Any]]:
        yield {"type": "http.request", "body": b"half", "more_body": True}
        await asyncio.Event().wait()

    async def run() -> Received:
        slow = [asyncio.create_task(exchange(front, scope("POST", "/echo", [b""]), half())) for _ in range(50)]
        await asyncio.sleep(0)
        answer = await exchange(front, scope("POST", "/echo", b"quick"), pieces(b"quick"))
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return answer

    with served(echo, threads=1) as front:
        assert asyncio.run(run()).body == b"quick"
        assert front._in_flight == 0


@pytest.mark.parametrize("given", ["a", "0192f3a4-5b6c-7d8e-9f00-112233445566", "a.b_c-D", "x" * 128])
def test_a_request_keeps_the_id_it_came_with(wire: Wire, given: str) -> None:
    refused = wire.send("GET", "/nowhere", headers={"x-request-id": given})
    assert refused.headers["x-request-id"] == refused.json["request_id"] == given


@pytest.mark.parametrize("given", ["", " ", "a b", "x" * 129, "a\n", "a\r\nx: y", "<b>", "é", "a/b", '"a"', "a\0"])
def test_an_id_that_is_not_well_formed_is_replaced(wire: Wire, given: str) -> None:
    refused = wire.send("GET", "/nowhere", headers={"x-request-id": given})
    made = refused.headers["x-request-id"]

    assert made == refused.json["request_id"]
    assert len(made) == 36
    assert given.strip() == "" or given not in refused.body.decode()


def test_every_answer_has_an_id_of_its_own(wire: Wire) -> None:
    ids = [wire.send("GET", path).headers["x-request-id"] for path in ("/tasks", "/docs", "/livez", "/nowhere") * 3]
    assert len(set(ids)) == len(ids)


def test_header_names_are_known_in_any_case(echo: Echo) -> None:
    with served(echo) as front:
        asked(front, "GET", body=None, **{"X-Request-ID": "mine", "Accept": "b"})
    assert (echo.calls[0].request_id, echo.calls[0].headers["accept"]) == ("mine", "b")


def test_a_header_that_was_sent_twice_is_remembered_in_any_case(echo: Echo) -> None:
    with served(echo) as front:
        request = scope("GET", "/echo", None, [("Host", "a"), ("authorization", "b"), ("AUTHORIZATION", "c")])
        asyncio.run(exchange(front, request, pieces(None)))
    assert echo.calls[0].repeated == {"host", "authorization"}


def test_a_chunked_body_without_a_length_is_as_good_as_any(wire: Wire) -> None:
    created = wire.send("POST", "/tasks", [b'{"title":', b' "Water ', b'the plants"}'])
    assert (created.status, created.json["title"]) == (201, "Water the plants")
    assert CHUNKED[0] == "transfer-encoding"


def test_no_content_has_no_length(wire: Wire, world: World) -> None:
    task = wire.send("POST", "/tasks", b'{"title": "a"}').headers["location"]
    gone = wire.send("DELETE", task)

    assert (gone.status, gone.body) == (204, b"")
    assert "content-length" not in gone.headers


def test_the_front_stops_when_the_last_request_is_answered(echo: Echo) -> None:
    order: list[str] = []

    def end() -> None:
        order.append("answered")
        echo.may_end.set()

    async def run() -> None:
        echo.may_end.clear()
        last = asyncio.create_task(exchange(front, scope("GET", "/echo"), pieces(None)))
        assert await asyncio.to_thread(echo.begun.acquire, timeout=PATIENCE)
        threading.Timer(0.05, end).start()
        answers = await live(front, "startup")
        assert answers == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert (await last).status == 200

    front = Front(echo, threads=1, close=lambda: order.append("closed"))
    asyncio.run(run())
    assert order == ["answered", "closed"]


def test_the_bounds_are_the_ones_that_are_promised() -> None:
    assert (MAX_BODY, MAX_ERRORS, DEADLINE) == (256 * 1024, 20, 10.0)


def test_the_largest_task_there_can_be_fits_into_a_body() -> None:
    escaped = "\\ud83c\\udf3b"  # one character, twelve bytes
    labels = ", ".join(f'"{escaped * 50}"' for _ in range(20))
    rest = '"priority": "urgent", "due": {"date": "2026-12-01", "time": "17:00", "timezone": "Europe/Berlin"}'
    task = f'{{"title": "{escaped * 200}", "description": "{escaped * 20000}", "labels": [{labels}], {rest}}}'

    assert len(task.encode()) < MAX_BODY
