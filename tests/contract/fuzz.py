"""``make fuzz``: Schemathesis for as long as it takes, over every database, in this process and live in turn.

Each round has an installation and a seed of its own. What a seed found it mostly finds again, but requests are also
made of earlier answers, and these have new ids: each failure comes with the lines that repeat it. The exit code is 0
only if as many requests as were asked for were sent, and the contract was kept.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from itertools import count, cycle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.databases import clean_up, database, open_store
from tests.fuzzing import How, fuzz, fuzz_live
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.fuzzing import Report

PLACES = [(kind, live) for live in (False, True) for kind in ("sqlite", "postgresql", "mongodb")]


def main() -> int:
    """Fuzz until there are enough cases, or no more time, and sum it up; return the exit code."""
    asked = _arguments()
    print(f"commit {_commit()}, seeds from {asked.seed}, {asked.cases:,} cases or {asked.minutes} minutes", flush=True)
    cases, failures, until = 0, [], time.monotonic() + 60 * asked.minutes
    for seed, (kind, live) in zip(count(asked.seed), cycle(PLACES), strict=False):
        report, place = _round(kind, How(seed=seed, examples=asked.examples), live=live), _place(kind, live=live)
        cases += report.cases
        failures += [f"seed {seed}, {place}: {failure}" for failure in report.failures]
        print(f"seed {seed} {place:<16}{report.cases:>7,} cases {len(report.failures):>4} failures", flush=True)
        if cases >= asked.cases or time.monotonic() > until:
            break
    return _sum_up(cases, asked.cases, failures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--minutes", type=int, default=180)
    parser.add_argument("--examples", type=int, default=20)
    parser.add_argument("--seed", type=lambda text: int(text or random.randrange(10**6)), default="")  # noqa: S311 - any
    return parser.parse_args()


def _round(kind: str, how: How, *, live: bool) -> Report:
    with database(kind) as url, tempfile.TemporaryDirectory() as folder:
        return fuzz_live(url, how, Path(folder)) if live else _fuzz_here(url, how, Path(folder))


def _fuzz_here(url: str, how: How, folder: Path) -> Report:
    store = open_store(url, connections=4)
    try:
        return fuzz(World(store, allowed_hosts="*"), how, folder)
    finally:
        store.close()


def _sum_up(cases: int, asked: int, failures: Iterable[str]) -> int:
    found = list(failures)
    print(*found, f"{cases:,} of {asked:,} cases, {len(found)} failures, commit {_commit()}", sep="\n")
    return int(bool(found) or cases < asked)


def _place(kind: str, *, live: bool) -> str:
    return f"{kind} live" if live else kind


def _commit() -> str:
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except pytest.skip.Exception as missing:
        sys.exit(f"make fuzz needs every database: {missing}")
    finally:
        clean_up()
