"""``python -m bench.growth``: what many tasks, and many projects, do to the time of one request."""

from __future__ import annotations

import signal
import sys
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench import drawing, page
from bench.asking import OPERATIONS, Asker
from bench.database import CannotMeasure, database, run, server_in_words
from bench.footprint import memory
from bench.loading import Loaded, load, somebody
from bench.report import goals_table, missed, versions
from bench.sides import OURS, running
from bench.sizes import Size, goals, tables
from tests.databases import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PROJECTS = (1, 100, 1000)
_WITH_PROJECTS = 100_000  # tasks, at most, where it is projects that grow


@dataclass(frozen=True)
class Run:
    """How far, and how often each operation is asked for at each size."""

    sizes: tuple[int, ...]
    projects: tuple[int, ...]
    requests: int


@click.command()
@click.option("--least", default=1000, show_default=True, help="How many tasks there are in the beginning.")
@click.option("--most", default=1_000_000, show_default=True, help="How many there are in the end; in steps of ten.")
@click.option("--requests", default=1000, show_default=True, help="How often each operation is asked for at each size.")
@click.option("--trial", is_flag=True, help="Keep nothing: docs/performance.md stays as it is.")
@click.option("--server", envvar="BENCH_DATABASE_URL", help="A PostgreSQL to use; one is started if none is given.")
def main(least: int, most: int, requests: int, *, trial: bool, server: str | None) -> None:
    """Measure one request after the other while the installation grows."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is stopped
    exponents = range(len(str(most)))
    sizes = tuple(least * 10**exponent for exponent in exponents if least * 10**exponent <= most)
    at = Run(sizes, _PROJECTS, requests)
    try:
        with ExitStack() as stack:
            url = stack.enter_context(database(server))
            version = server_in_words(url)
            by_tasks = list(_growing(url, 1, at.sizes, at))
            by_projects = [*_by_projects(stack, server, at)]
    except CannotMeasure as problem:
        raise click.ClickException(str(problem)) from None
    reached = list(goals(by_tasks))
    told = "\n".join(
        [*tables(by_tasks), "", *tables(by_projects), "", *goals_table(reached), "", _meaning(at), versions(version)]
    )
    click.echo(f"\n{told}")
    if not trial:
        _keep(told, by_tasks, by_projects)
    if problems := missed(reached):
        raise click.ClickException("; ".join(problems))


def _by_projects(stack: ExitStack, server: str | None, at: Run) -> Iterator[Size]:
    tasks = min(_WITH_PROJECTS, at.sizes[-1])
    for projects in at.projects:
        yield from _growing(stack.enter_context(database(server)), projects, (tasks,), at)


def _growing(url: str, projects: int, sizes: Sequence[int], at: Run) -> Iterator[Size]:
    """Measure a new installation, at each size that it grows to."""
    with closing(open_store(url, connections=1)) as store:
        store.migrate()
        empty = _size(url)
        loaded = somebody(store, projects)
    for size in sizes:
        load(url, loaded, size, lambda there: click.echo(f"{projects:,} projects: {there:,} of {sizes[-1]:,} tasks"))
        yield _measured(url, loaded, (_size(url) - empty) / size, at)


def _measured(url: str, loaded: Loaded, bytes_per_task: float, at: Run) -> Size:
    with tempfile.TemporaryDirectory(prefix="tracker-growth-") as folder, running(OURS, url, Path(folder)) as server:
        with closing(Asker(server.url, loaded)) as asker:
            p50 = asker.medians_ms(
                at.requests, lambda done: click.echo(f"{loaded.tasks:,} tasks: round {done} of requests")
            )
        return Size(loaded.tasks, len(loaded.projects), p50, bytes_per_task, memory(server.pid))


def _size(url: str) -> int:
    return int(run(url, "SELECT pg_database_size(current_database())")[0][0])


def _meaning(at: Run) -> str:
    return (
        f"p50 in ms of {at.requests} requests, one after the other, the operations in turn; pages of 10. Bytes a "
        "task: what the database has grown by, its indexes and the log of all changes included.\n"
    )


def _keep(told: str, by_tasks: Sequence[Size], by_projects: Sequence[Size]) -> None:
    """Write down what was measured, where readers find it."""
    growing = (
        ("growth", by_tasks, "tasks", [size.tasks for size in by_tasks]),
        ("projects", by_projects, "projects of one user", [size.projects for size in by_projects]),
    )
    for name, sizes, along, counts in growing:
        places = [f"{there:,}" for there in counts]
        heights = {operation: [size.p50[operation] for size in sizes] for operation in OPERATIONS}
        drawing.lines(page.PICTURES / f"{name}.svg", "p50, ms", places, heights, along=along)
    shown = (
        "![p50 by the number of tasks](pictures/growth.svg)\n\n![p50 by the number of projects](pictures/projects.svg)"
    )
    page.put("growth", f"{shown}\n\n{told}")


if __name__ == "__main__":
    main()
