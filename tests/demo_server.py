"""A demo as a process of its own: ``tracker demo``, on a free port and with a folder of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.world import UNLIMITED
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"
PATIENCE = 120  # seconds; for what takes three


@contextmanager
def demo_server(folder: Path, **given: str) -> Iterator[str]:
    """Give the address of a demo that has said that it answers."""
    said = folder / "demo"
    settings = {"WORKERS": "1", **{name.upper(): value for name, value in UNLIMITED.items()}, **given}
    with said.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tracker", "demo", "--port", str(free_port(HOST))],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), **settings},
            stdout=out,
            stderr=out,
        )
    try:
        yield _address(process, said)
        process.terminate()
        process.wait(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait(timeout=PATIENCE)


def _address(process: subprocess.Popen[bytes], said: Path) -> str:
    until = time.monotonic() + PATIENCE
    while True:
        text = said.read_text(encoding="utf-8")
        if "curl" in text and (found := re.search(r"(http://\S+)/docs", text)):
            return found[1]
        assert process.poll() is None, text
        assert time.monotonic() < until, text
        time.sleep(0.1)
