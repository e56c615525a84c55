"""``python -m bench``: how fast Tracker is, against the bare limit and beside others."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench import data, drawing, goals, page, report
from bench.database import CannotMeasure, database, server_in_words
from bench.footprint import footprint
from bench.mongodb import OnMongoDB, mongodb
from bench.rounds import Bench, middle
from bench.sides import ALIKE, KEEPING, ON_MONGODB, OURS, SHARED, running
from bench.work import MEASURED
from tests.databases import open_store
from tests.servers import redis_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.goals import Goal
    from bench.rounds import Figures

_RESULTS = Path(__file__).with_name("results.md")
_WARM_UP = 1


@dataclass(frozen=True)
class Run:
    """How long, how often, and of what."""

    operations: tuple[str, ...]
    seconds: int
    rounds: int


@dataclass(frozen=True)
class Measured:
    """What a run has measured, and with which PostgreSQL."""

    figures: Mapping[tuple[str, str], Figures]
    goals: tuple[Goal, ...]
    database: str


@click.command()
@click.option("--seconds", default=3, envvar="BENCH_SECONDS", show_default=True, help="How long a round is.")
@click.option("--rounds", default=5, envvar="BENCH_ROUNDS", show_default=True, help="How many each side has of each.")
@click.option("--only", type=click.Choice([*MEASURED]), multiple=True, help="Measure this alone, and keep nothing.")
@click.option("--trial", is_flag=True, help="Keep nothing: results.md and docs/performance.md stay as they are.")
@click.option("--server", envvar="BENCH_DATABASE_URL", help="A PostgreSQL to use; one is started if none is given.")
def main(seconds: int, rounds: int, only: tuple[str, ...], *, trial: bool, server: str | None) -> None:
    """Measure reads and writes on PostgreSQL, with wrk; and ours on MongoDB, where there is one."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is stopped
    if shutil.which("wrk") is None:
        raise click.ClickException("there is no wrk: apt-get install wrk")
    run = Run(only or tuple(MEASURED), seconds, rounds)
    try:
        measured = _measured(run, server)
    except CannotMeasure as problem:
        raise click.ClickException(str(problem)) from None
    told = report.text(measured.figures, measured.goals, rounds=rounds, seconds=seconds)
    told = f"{told}\n\n{report.versions(measured.database)}\n"
    click.echo(f"\n{told}")
    if not only and not trial:
        _keep(told, measured)
    if missed := report.missed(measured.goals):
        raise click.ClickException("; ".join(missed))


def _keep(told: str, measured: Measured) -> None:
    """Write down what was measured, where readers find it."""
    _RESULTS.write_text(f"# Speed\n\n{told}", encoding="utf-8")
    operations = [operation for operation in MEASURED if (operation, OURS) in measured.figures]
    rates = {side: [_rate(measured.figures, operation, side) for operation in operations] for side in ALIKE}
    drawing.bars(page.PICTURES / "speed.svg", "Requests a second", operations, rates)
    page.put("speed", f"![Requests a second, of each side](pictures/speed.svg)\n\n{told}")


def _rate(figures: Mapping[tuple[str, str], Figures], operation: str, side: str) -> float | None:
    there = figures.get((operation, side))
    return there.rate if there else None


def _measured(run: Run, server: str | None) -> Measured:
    with ExitStack() as stack:
        click.echo("starting PostgreSQL and the servers on it, then MongoDB and the one on that")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracker-bench-")))
        database_url = stack.enter_context(database(server, in_memory=True))
        bench, ours = _on_postgresql(stack, database_url, folder)
        benches = {**dict.fromkeys(bench.sides, bench), **_on_mongodb(stack, folder)}
        rounds = _in_turn(benches, run)
        reached = (*goals.of_rates(rounds), *goals.of_patience(rounds), *goals.of_footprint(footprint(ours)))
        figures = {turn: middle(told) for turn, told in rounds.items()}
        return Measured(figures, reached, server_in_words(database_url))


def _on_postgresql(stack: ExitStack, url: str, folder: Path) -> tuple[Bench, int]:
    """Return what measures on PostgreSQL, and the first process of ours."""
    people = data.seed(open_store(url, connections=1))
    servers = {side: stack.enter_context(running(side, url, folder)) for side in (*ALIKE, KEEPING)}
    if shutil.which("redis-server"):
        redis = stack.enter_context(redis_server())
        servers[SHARED] = stack.enter_context(running(SHARED, url, folder, REDIS_URL=redis.url))
    else:
        click.echo("without Redis: apt-get install redis-server")
    urls = {side: server.url for side, server in servers.items()}
    bench = Bench(urls, data.OnPostgreSQL(url, people), people, folder / "people")
    bench.check_alike()
    return bench, servers[OURS].pid


def _on_mongodb(stack: ExitStack, folder: Path) -> dict[str, Bench]:
    """Return what measures on MongoDB, where there is one."""
    try:
        url = stack.enter_context(mongodb())
    except CannotMeasure as missing:
        click.echo(f"without MongoDB: {missing}")
        return {}
    people = data.seed(open_store(url, connections=1))
    urls = {ON_MONGODB: stack.enter_context(running(ON_MONGODB, url, folder)).url}
    return {ON_MONGODB: Bench(urls, OnMongoDB(url), people, folder / "people-on-mongodb")}


def _in_turn(benches: Mapping[str, Bench], run: Run) -> dict[tuple[str, str], list[Figures]]:
    """Give each side its rounds, A B C A B C: whatever slows the machine for a while slows them all."""
    turns = [(operation, side) for operation in run.operations for side in MEASURED[operation] if side in benches]
    for operation, side in turns:
        benches[side].round(operation, side, _WARM_UP)
    measured: dict[tuple[str, str], list[Figures]] = {turn: [] for turn in turns}
    for number in range(1, run.rounds + 1):
        for done, (operation, side) in enumerate(turns, start=1):
            figures = benches[side].round(operation, side, run.seconds)
            measured[operation, side].append(figures)
            place = f"round {number} of {run.rounds}, {done:2} of {len(turns)}"
            click.echo(f"{place}: {operation:10} {side:8} {figures.rate:8,.0f} requests/s")
    return measured


if __name__ == "__main__":
    main()
