"""What a run says: tables, whether the goals are met, and what it was measured with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING

from bench.rounds import CONNECTIONS, CROWD, LOGINS
from bench.sides import BARE_THREADS, PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bench.goals import Goal
    from bench.rounds import Figures

_PACKAGES = (
    *("connexion", "flask", "granian", "orjson", "psycopg2-binary", "sqlalchemy", "starlette", "fastapi", "sqlmodel"),
    *("uvicorn", "django", "djangorestframework", "gunicorn", "pyjwt", "argon2-cffi"),
)
_MEANING = """\
- `ours`: `tracker serve` with CACHE=off, so that every answer is made anew; `crowded`: that, while {crowd} logins are
  under way beside it; `cached`: `tracker serve` as it comes; `shared`: that, but what is remembered is in Redis alone.
- `bare`: a WSGI function with psycopg2 and orjson that runs the same SQL and checks nothing; its statements are sent as
  psycopg2 sends them, while Tracker has PostgreSQL plan them once a connection. `keeping`: that, but with the pages in
  a dict, and the one statement that is left planned: it shows how much a 304 can save who has the page at hand.
- `stock`: the same handlers and store under stock Connexion, over ASGI; it lays its JSON out in lines.
- `fastapi`: FastAPI, SQLModel and PyJWT as its tutorial has them, on uvicorn; `django`: Django REST framework and PyJWT
  likewise, on gunicorn with {threads} threads a process. Both do the same work on the same tables.
- `mongodb`: `ours` on a server that stands in for a MongoDB (mongo-java-server, in memory, without transactions), or on
  the one that TEST_MONGO_URL names.

get: one task; list: a page of 50; create: a new task; status: a task is moved on; remembered: the page of 50 again,
each user's from memory; unchanged: the page of 50, by who has it already (If-None-Match) and is told so; login:
{logins} at a time, on every side mostly the same password hash, and so without a goal; day: 70 % list, 15 % get, 10 %
status, 5 % create.

Medians of {rounds} rounds of {seconds} s, the sides in turn; spread: from the slowest round to the fastest. A goal
compares two sides round by round, and takes the middle of these ratios.
{processes} processes a side (bare: {threads} threads in each), {connections} connections that are kept alive; client,
server and database on one machine with {cores} cores. With PostgreSQL's files in memory a commit waits for no disk,
which would be the same for every side, and another from round to round."""


def text(figures: Mapping[tuple[str, str], Figures], goals: Iterable[Goal], *, rounds: int, seconds: int) -> str:
    """Return the tables and what they mean, in Markdown."""
    meaning = _MEANING.format(
        rounds=rounds,
        seconds=seconds,
        processes=PROCESSES,
        threads=BARE_THREADS,
        connections=CONNECTIONS,
        crowd=CROWD,
        logins=LOGINS,
        cores=len(os.sched_getaffinity(0)),
    )
    return "\n".join([meaning, "", *_table(figures), "", *goals_table(goals)])


def missed(goals: Iterable[Goal]) -> list[str]:
    """Return the goals that are not met, in words."""
    return [f"{goal.what}: {goal.measured:.2f} is not {goal.wanted}" for goal in goals if not goal.met]


def goals_table(goals: Iterable[Goal]) -> Iterator[str]:
    """Yield the lines of a table of goals."""
    yield "| goal | wanted | measured | |"
    yield "|---|---|---:|---|"
    for goal in goals:
        yield f"| {goal.what} | {goal.wanted} | {goal.measured:.2f} | {'met' if goal.met else '**missed**'} |"


def versions(database: str) -> str:
    """Return what was measured with; ``database`` is PostgreSQL's version."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    wrk = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout.split("[")[0]
    return f"Python {platform.python_version()}, {packages}, PostgreSQL {database}, {wrk.strip()}."


def _table(figures: Mapping[tuple[str, str], Figures]) -> Iterator[str]:
    yield "| operation | side | requests/s | spread | p50 ms | p99 ms | errors |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for (operation, side), f in figures.items():
        spread = f"{f.least:,.0f} .. {f.most:,.0f}"
        yield f"| {operation} | {side} | {f.rate:,.0f} | {spread} | {f.p50:.1f} | {f.p99:.1f} | {f.errors} |"
