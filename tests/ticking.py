"""``tracker worker`` and ``tracker beat`` with jobs that only tests have: ``python -m tests.ticking worker FILE``.

Each tick appends a line to the file, the job's name, and then does what its name says.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracker.cli.worker import run_beat, run_worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.settings import Settings

JOBS = ("steady", "raising")  # what beat sends; a test sends the others
SLOW = 3.0  # seconds


def _raise() -> None:
    raise LookupError("there is nothing to see")


EFFECTS: dict[str, Callable[[], None]] = {
    "raising": _raise,
    "deadly": lambda: os._exit(9),
    "slow": lambda: time.sleep(SLOW),
}


@click.command()
@click.argument("command", type=click.Choice(["worker", "beat"]))
@click.argument("file", type=Path)
@click.option("--concurrency", type=int, default=1)
def main(command: str, file: Path, concurrency: int) -> None:
    def opened(settings: Settings) -> Callable[[str], None]:
        _write(file, "opened")
        return tick

    def tick(job: str) -> None:
        _write(file, job)
        EFFECTS.get(job, lambda: None)()
        _write(file, f"{job} done")

    if command == "beat":
        run_beat(lambda _: JOBS)
    else:
        run_worker(concurrency, lambda _: JOBS, opened)


def _write(file: Path, line: str) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"{time.time():.3f} {os.getpid()} {line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
