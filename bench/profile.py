"""``python -m bench.profile get``: the shares of server, edge, SQL, domain and encoding in one operation."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson
import pyinstrument

from bench import data
from bench.data import KEY, TOKEN_MINUTES
from bench.database import CannotMeasure, database
from bench.footprint import cpu_seconds
from bench.rounds import Bench
from bench.shares import ROOMS, shares
from bench.sides import OURS, running
from bench.work import EXAMPLES, OPERATIONS
from tests.databases import open_store
from tracker import app
from tracker.edge.front import call_of
from tracker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.data import Person
    from tracker.edge.call import Call
    from tracker.edge.responder import Responder

_INTERVAL = 0.0001  # seconds between two looks
_WARM_UP = 200


@click.command()
@click.argument("operation", type=click.Choice(OPERATIONS))
@click.option("--seconds", default=5, envvar="BENCH_SECONDS", show_default=True, help="How long a server is loaded.")
@click.option("--requests", default=2000, show_default=True, help="How many requests are looked into.")
@click.option("--server", envvar="BENCH_DATABASE_URL", help="A PostgreSQL to use; one is started if none is given.")
def main(operation: str, seconds: int, requests: int, server: str | None) -> None:
    """Say where the time of one operation goes, on PostgreSQL; nothing is remembered."""
    if shutil.which("wrk") is None:
        raise click.ClickException("there is no wrk: apt-get install wrk")
    try:
        with database(server) as url:
            people = data.seed(open_store(url, connections=1))
            served = _served(operation, url, people, seconds)
            alone, seen = _in_process(operation, url, people, requests)
    except CannotMeasure as problem:
        raise click.ClickException(str(problem)) from None
    click.echo("\n".join(table(operation, max(0.0, served - alone), seen, requests)))


def table(operation: str, server: float, seen: Mapping[str, float], requests: int) -> Iterator[str]:
    """Yield the lines of a table; ``server`` is in seconds a request, ``seen`` in seconds of all requests."""
    times = {"server": server, **{room: seen[room] / requests for room in ROOMS}}
    total = sum(times.values())
    yield f"| {operation} | us a request | share |"
    yield "|---|---:|---:|"
    for room, seconds in times.items():
        yield f"| {room} | {seconds * 1e6:.0f} | {seconds / total:.0%} |"


def _served(operation: str, url: str, people: Sequence[Person], seconds: int) -> float:
    """Return the CPU, in seconds, that a request costs a server under load."""
    with tempfile.TemporaryDirectory(prefix="tracker-profile-") as name, running(OURS, url, Path(name)) as server:
        kept = data.OnPostgreSQL(url, people)
        bench = Bench({OURS: server.url}, kept, people, Path(name) / "people")
        bench.round(operation, OURS, 1)
        before = cpu_seconds(server.pid)
        figures = bench.round(operation, OURS, seconds)
        used = cpu_seconds(server.pid) - before
        kept.restore()
        return used / (figures.rate * seconds)


def _in_process(operation: str, url: str, people: Sequence[Person], requests: int) -> tuple[float, Mapping[str, float]]:
    """Return the CPU of a request behind the sockets, and where the time of so many is spent there."""
    off = {"rate_limit": "off", "rate_limit_login": "off"}
    settings = Settings(
        database_url=url, secret_key=KEY, access_token_expire_minutes=TOKEN_MINUTES, cache="off", workers=1, **off
    )
    with closing(open_store(url, connections=2)) as store:
        responder, calls = app.responder(settings, store), _calls(operation, people)
        _answered(responder, operation, calls, _WARM_UP)
        begun = time.thread_time()
        _answered(responder, operation, calls, requests)
        alone = (time.thread_time() - begun) / requests
        profiler = pyinstrument.Profiler(interval=_INTERVAL, async_mode="disabled")
        with profiler:
            _answered(responder, operation, calls, requests)
    root = profiler.last_session.root_frame(trim_stem=False)
    return alone, shares(root)


def _answered(responder: Responder, operation: str, calls: Iterator[Call], requests: int) -> None:
    wanted = EXAMPLES[operation].status
    for _ in range(requests):
        answer = responder(next(calls))
        if answer.status != wanted:
            raise CannotMeasure(f"{operation} answers {answer.status}: {answer.body.decode()}")


def _calls(operation: str, people: Sequence[Person]) -> Iterator[Call]:
    """Yield whole requests, of one user after the other, each for their next task."""
    example = EXAMPLES[operation]
    for number in count():
        turn, at = divmod(number, len(people))
        again, task = divmod(turn, len(people[at].tasks))
        path, _, query = example.path.format(task=people[at].tasks[task]).partition("?")
        headers = {
            "host": "127.0.0.1",
            "authorization": f"Bearer {people[at].token}",
            "content-type": "application/json",
        }
        scope = {
            "method": example.method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        call = call_of(scope)
        call.body = _body(operation, again)
        if call.body:
            call.headers["content-length"] = str(len(call.body))
        yield call


def _body(operation: str, again: int) -> bytes:
    body = EXAMPLES[operation].body
    if operation == "status":
        body = {"status": "todo" if again % 2 else "in_progress"}
    return b"" if body is None else orjson.dumps(body)


if __name__ == "__main__":
    main()
