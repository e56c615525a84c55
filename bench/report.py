"""What a run says: a table, whether the goals are met, and what it was measured with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING

from bench.rounds import CONNECTIONS, OPERATIONS, REMEMBERED
from bench.sides import BARE_THREADS, CACHED, PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.rounds import Figures

GOALS = {"bare": 0.5, "stock": 1.8}
REMEMBERED_GOAL = 1.8
_PACKAGES = ("connexion", "flask", "granian", "orjson", "psycopg2-binary", "sqlalchemy", "starlette")
_MEANING = """\
`ours` is `tracker serve` with CACHE=off, so that every answer is made anew; `bare` is a WSGI function with psycopg2 and
orjson that runs the same SQL and checks nothing, its statements sent as psycopg2 sends them (Tracker has PostgreSQL
plan them once a connection);
`stock` is the same handlers and store under stock Connexion, over ASGI; `cached` is `tracker serve` as it comes;
`mongodb` is `ours` on a server that stands in for a MongoDB (mongo-java-server, in memory, without transactions), or on
the one that TEST_MONGO_URL names.
get: one task; list: a page of 50; create: a new task; status: a task is moved on; remembered: the page of 50 again,
each user's from memory; unchanged: the page of 50, by who has it already (If-None-Match) and is told so.

Medians of {rounds} rounds of {seconds} s, the sides in turn. {processes} processes a side (bare: {threads} threads in
each), {connections} connections that are kept alive; client, server and database on one machine with {cores} cores."""


def text(figures: Mapping[tuple[str, str], Figures], *, rounds: int, seconds: int, database: str) -> str:
    """Return the whole report, in Markdown."""
    meaning = _MEANING.format(
        rounds=rounds,
        seconds=seconds,
        processes=PROCESSES,
        threads=BARE_THREADS,
        connections=CONNECTIONS,
        cores=len(os.sched_getaffinity(0)),
    )
    tables = [*_table(figures), "", *_ratios(figures), "", *_remembered_ratios(figures)]
    return "\n".join(["# Speed", "", meaning, "", *tables, "", _versions(database), ""])


def missed(figures: Mapping[tuple[str, str], Figures]) -> list[str]:
    """Return the goals that are not met, in words."""
    against_others = [
        f"{operation}: {_ratio(figures, operation, side):.2f} of {side} is less than {goal}"
        for operation in _operations(figures)
        for side, goal in GOALS.items()
        if _ratio(figures, operation, side) < goal
    ]
    against_lists = [
        f"{operation}: {ratio:.2f} of a list is less than {REMEMBERED_GOAL}"
        for operation, ratio in _against_lists(figures).items()
        if ratio < REMEMBERED_GOAL
    ]
    return against_others + against_lists


def _table(figures: Mapping[tuple[str, str], Figures]) -> Iterator[str]:
    yield "| operation  | side    | requests/s | p50 ms | p99 ms | errors |"
    yield "|------------|---------|-----------:|-------:|-------:|-------:|"
    for (operation, side), f in figures.items():
        yield f"| {operation:10} | {side:7} | {f.rate:10,.0f} | {f.p50:6.1f} | {f.p99:6.1f} | {f.errors:6} |"


def _ratios(figures: Mapping[tuple[str, str], Figures]) -> Iterator[str]:
    yield f"| operation | ours / bare (goal {GOALS['bare']}) | ours / stock (goal {GOALS['stock']}) |"
    yield "|-----------|------------------------:|-------------------------:|"
    for operation in _operations(figures):
        bare, stock = (_ratio(figures, operation, side) for side in GOALS)
        yield f"| {operation:9} | {bare:23.2f} | {stock:24.2f} |"


def _remembered_ratios(figures: Mapping[tuple[str, str], Figures]) -> Iterator[str]:
    yield f"| operation  | {CACHED} / list of ours (goal {REMEMBERED_GOAL}) |"
    yield "|------------|--------------------------------:|"
    for operation, ratio in _against_lists(figures).items():
        yield f"| {operation:10} | {ratio:31.2f} |"


def _against_lists(figures: Mapping[tuple[str, str], Figures]) -> dict[str, float]:
    """Return how many times as often as a list what is remembered is answered, where both were measured."""
    there = [operation for operation in REMEMBERED if {(operation, CACHED), ("list", "ours")} <= figures.keys()]
    return {operation: figures[operation, CACHED].rate / figures["list", "ours"].rate for operation in there}


def _operations(figures: Mapping[tuple[str, str], Figures]) -> list[str]:
    return [operation for operation in OPERATIONS if (operation, "ours") in figures]


def _ratio(figures: Mapping[tuple[str, str], Figures], operation: str, side: str) -> float:
    return figures[operation, "ours"].rate / figures[operation, side].rate


def _versions(database: str) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    wrk = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout.split("[")[0]
    return f"Python {platform.python_version()}, {packages}, PostgreSQL {database}, {wrk.strip()}."
