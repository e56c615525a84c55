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
from bench.rounds import OPERATIONS, Bench, Figures, middle
from bench.sides import SIDES, running

_RESULTS = Path(__file__).with_name("results.md")
_WARM_UP = 1


@click.command()
@click.option("--seconds", default=5, envvar="BENCH_SECONDS", show_default=True, help="How long a round is.")
@click.option("--rounds", default=3, show_default=True, help="How many rounds each side has of each operation.")
@click.option("--only", type=click.Choice(OPERATIONS), multiple=True, help="Measure this alone, and keep results.md.")
@click.option("--server", envvar="BENCH_DATABASE_URL", help="A PostgreSQL to use; one is started if none is given.")
def main(seconds: int, rounds: int, only: tuple[str, ...], server: str | None) -> None:
    """Measure get, list, create and status on PostgreSQL, with wrk."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is stopped
    if shutil.which("wrk") is None:
        raise click.ClickException("there is no wrk: apt-get install wrk")
    try:
        figures, version = _measured(only or OPERATIONS, seconds, rounds, server)
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
        click.echo("starting PostgreSQL and the three sides")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracker-bench-")))
        database_url = stack.enter_context(database(server))
        people = data.seed(database_url)
        urls = {side: stack.enter_context(running(side, database_url, folder)) for side in SIDES}
        bench = Bench(urls, database_url, people, folder)
        bench.check_alike()
        figures = {}
        for operation in operations:
            for side, measured in _in_turn(bench, operation, seconds, rounds).items():
                figures[operation, side] = middle(measured)
        return figures, server_version(database_url)


def _in_turn(bench: Bench, operation: str, seconds: int, rounds: int) -> dict[str, list[Figures]]:
    """Give each side its rounds, A B C A B C: whatever slows the machine for a while slows all three."""
    for side in SIDES:
        bench.round(operation, side, _WARM_UP)
    measured: dict[str, list[Figures]] = {side: [] for side in SIDES}
    for number in range(1, rounds + 1):
        for side in SIDES:
            figures = bench.round(operation, side, seconds)
            measured[side].append(figures)
            click.echo(f"{operation:6} round {number} {side:5} {figures.rate:8,.0f} requests/s")
    return measured


if __name__ == "__main__":
    main()
