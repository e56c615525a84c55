"""``python -m bench.instructions``: how many instructions the edge needs for a request, against what is written down.

Counted by callgrind, from where all is warm to where so many requests are answered.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import orjson

from bench.counted import OPERATIONS

_KEPT = Path(__file__).with_name("instructions.json")
_CALLS = 200
_TOLERANCE = 0.02
_COLLECTED = re.compile(r"Collected : (\d+)")
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0", "PYTHONPATH": str(_KEPT.parents[1])}


@click.command()
@click.option("--only", type=click.Choice(OPERATIONS), multiple=True, help="Count these alone.")
@click.option("--keep", is_flag=True, help="Write the counts down instead of comparing them.")
def main(only: tuple[str, ...], *, keep: bool) -> None:
    """Count the instructions of one request of each kind, with a store that has its rows at hand."""
    if shutil.which("valgrind") is None:
        raise click.ClickException("there is no valgrind: apt-get install valgrind")
    kept = orjson.loads(_KEPT.read_bytes()) if _KEPT.exists() else {}
    was, counts = kept.get("instructions", {}), dict[str, int]()
    for operation in only or OPERATIONS:
        count = counts[operation] = _a_request(operation)
        click.echo(f"{operation:8} {count:10,} instructions a request{_against(was.get(operation), count)}")
    if keep:
        written = {"python": _python(), "instructions": {**was, **counts}}
        _KEPT.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2) + b"\n")
    elif kept.get("python") != _python():
        click.echo(f"not compared: written down for {kept.get('python')}, this is {_python()}")
    elif off := differing(counts, was):
        raise click.ClickException(f"more than {_TOLERANCE:.0%} off: {', '.join(off)}; KEEP=1 writes them down")


def differing(counts: dict[str, int], was: dict[str, int]) -> list[str]:
    """Return the operations whose count is too far from what it was, or that had none."""
    return [name for name, count in counts.items() if abs(count - was.get(name, 0)) > _TOLERANCE * was.get(name, 0)]


def _against(was: int | None, count: int) -> str:
    return f", {count / was - 1:+.1%}" if was else ""


def _a_request(operation: str) -> int:
    valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null"]
    command = [*valgrind, sys.executable, "-m", "bench.counted", operation, str(_CALLS)]
    told = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
    collected = _COLLECTED.search(told.stderr)
    if told.returncode or collected is None:
        raise click.ClickException(told.stderr[-2000:])
    return round(int(collected.group(1)) / _CALLS)


def _python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}"


if __name__ == "__main__":
    main()
