"""``python -m bench``: how fast Tracker is, against the bare limit and against stock Connexion."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench import data, report
from bench.database import CannotMeasure, database, server_version
from bench.mongodb import OnMongoDB, mongodb
from bench.rounds import MEASURED, Bench, Figures, middle
from bench.sides import CACHED, ON_MONGODB, SIDES, running
from tests.databases import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

_RESULTS = Path(__file__).with_name("results.md")
_WARM_UP = 1


@click.command()
@click.option("--seconds", default=5, envvar="BENCH_SECONDS", show_default=True, help="How long a round is.")
@click.option("--rounds", default=3, show_default=True, help="How many rounds each side has of each operation.")
@click.option("--only", type=click.Choice([*MEASURED]), multiple=True, help="Measure this alone, and keep results.md.")
@click.option("--server", envvar="BENCH_DATABASE_URL", help="A PostgreSQL to use; one is started if none is given.")
def main(seconds: int, rounds: int, only: tuple[str, ...], server: str | None) -> None:
    """Measure reads and writes on PostgreSQL, with wrk; and ours on MongoDB, where there is one."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is stopped
    if shutil.which("wrk") is None:
        raise click.ClickException("there is no wrk: apt-get install wrk")
    try:
        figures, version = _measured(only or tuple(MEASURED), seconds, rounds, server)
    except CannotMeasure as problem:
        raise click.ClickException(str(problem)) from None
    told = report.text(figures, rounds=rounds, seconds=seconds, database=version)
    click.echo(f"\n{told}")
    if not only:
        _RESULTS.write_text(told)
    if missed := report.missed(figures):
        raise click.ClickException("; ".join(missed))


def _measured(
    operations: tuple[str, ...], seconds: int, rounds: int, server: str | None
) -> tuple[dict[tuple[str, str], Figures], str]:
    with ExitStack() as stack:
        click.echo("starting PostgreSQL and the servers on it, then MongoDB and the one on that")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracker-bench-")))
        database_url = stack.enter_context(database(server))
        bench = _on_postgresql(stack, database_url, folder)
        benches = {**dict.fromkeys((*SIDES, CACHED), bench), **_on_mongodb(stack, folder)}
        measured = _in_turn(benches, operations, seconds, rounds)
        return {turn: middle(figures) for turn, figures in measured.items()}, server_version(database_url)


def _on_postgresql(stack: ExitStack, url: str, folder: Path) -> Bench:
    people = data.seed(open_store(url, connections=1))
    urls = {side: stack.enter_context(running(side, url, folder)) for side in (*SIDES, CACHED)}
    bench = Bench(urls, data.OnPostgreSQL(url), people, folder / "people")
    bench.check_alike()
    return bench


def _on_mongodb(stack: ExitStack, folder: Path) -> dict[str, Bench]:
    """Return what measures on MongoDB, where there is one."""
    try:
        url = stack.enter_context(mongodb())
    except CannotMeasure as missing:
        click.echo(f"without MongoDB: {missing}")
        return {}
    people = data.seed(open_store(url, connections=1))
    urls = {ON_MONGODB: stack.enter_context(running(ON_MONGODB, url, folder))}
    return {ON_MONGODB: Bench(urls, OnMongoDB(url), people, folder / "people-on-mongodb")}


def _in_turn(
    benches: Mapping[str, Bench], operations: tuple[str, ...], seconds: int, rounds: int
) -> dict[tuple[str, str], list[Figures]]:
    """Give each side its rounds, A B C A B C: whatever slows the machine for a while slows them all."""
    turns = [(operation, side) for operation in operations for side in MEASURED[operation] if side in benches]
    for operation, side in turns:
        benches[side].round(operation, side, _WARM_UP)
    measured: dict[tuple[str, str], list[Figures]] = {turn: [] for turn in turns}
    for number in range(1, rounds + 1):
        for operation, side in turns:
            figures = benches[side].round(operation, side, seconds)
            measured[operation, side].append(figures)
            click.echo(f"round {number} {operation:10} {side:7} {figures.rate:8,.0f} requests/s")
    return measured


if __name__ == "__main__":
    main()
