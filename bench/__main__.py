"""``python -m bench``: how fast Tracker is, against the bare limit and against stock Connexion."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from bench import data, report
from bench.database import CannotMeasure, database, server_version
from bench.rounds import MEASURED, Bench, Figures, middle
from bench.sides import CACHED, SIDES, running

_RESULTS = Path(__file__).with_name("results.md")
_WARM_UP = 1


@click.command()
@click.option("--seconds", default=5, envvar="BENCH_SECONDS", show_default=True, help="How long a round is.")
@click.option("--rounds", default=3, show_default=True, help="How many rounds each side has of each operation.")
@click.option("--only", type=click.Choice([*MEASURED]), multiple=True, help="Measure this alone, and keep results.md.")
@click.option("--server", envvar="BENCH_DATABASE_URL", help="A PostgreSQL to use; one is started if none is given.")
def main(seconds: int, rounds: int, only: tuple[str, ...], server: str | None) -> None:
    """Measure reads and writes on PostgreSQL, with wrk."""
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
        click.echo("starting PostgreSQL and the four servers")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracker-bench-")))
        database_url = stack.enter_context(database(server))
        people = data.seed(database_url)
        urls = {side: stack.enter_context(running(side, database_url, folder)) for side in (*SIDES, CACHED)}
        bench = Bench(urls, database_url, people, folder)
        bench.check_alike()
        measured = _in_turn(bench, operations, seconds, rounds)
        return {turn: middle(figures) for turn, figures in measured.items()}, server_version(database_url)


def _in_turn(
    bench: Bench, operations: tuple[str, ...], seconds: int, rounds: int
) -> dict[tuple[str, str], list[Figures]]:
    """Give each side its rounds, A B C A B C: whatever slows the machine for a while slows them all."""
    turns = [(operation, side) for operation in operations for side in MEASURED[operation]]
    for operation, side in turns:
        bench.round(operation, side, _WARM_UP)
    measured: dict[tuple[str, str], list[Figures]] = {turn: [] for turn in turns}
    for number in range(1, rounds + 1):
        for operation, side in turns:
            figures = bench.round(operation, side, seconds)
            measured[operation, side].append(figures)
            click.echo(f"round {number} {operation:10} {side:6} {figures.rate:8,.0f} requests/s")
    return measured


if __name__ == "__main__":
    main()
