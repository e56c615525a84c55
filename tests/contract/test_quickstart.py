"""The first five requests: the lines of the README and docs/quickstart.arazzo.yaml are run as they stand, and agree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from spec import gate
from tests.demo_server import demo_server
from tests.faults.server import PATIENCE, running
from tests.missing import unavailable
from tests.world import DOCUMENT

ROOT = Path(__file__).parents[2]
ARAZZO = "docs/quickstart.arazzo.yaml"
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = re.search(r"## From nothing to a finished task\n\n```sh\n(.*?)```", README, re.DOTALL)
STEPS = yaml.safe_load((ROOT / ARAZZO).read_text(encoding="utf-8"))["workflows"][0]["steps"]


def lines() -> str:
    assert LINES is not None
    return LINES[1]


def documents(text: str) -> list[Any]:
    """Return what a text has, one JSON document after the other."""
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


def operation(command: str) -> str:
    """Return which operation a line with curl asks for."""
    given = re.search(r"-X ([A-Z]+)", command)
    method = given[1] if given else "POST" if " -d " in command else "GET"
    (path,) = re.findall(r"\$api(/\S+)", command)
    pattern = re.sub(r"\$\w+", "[^/]+", path)
    (found,) = [o.id for o in DOCUMENT.operations if o.method == method and re.fullmatch(pattern, o.path)]
    return found


def test_the_lines_of_the_readme_work_as_they_stand(tmp_path: Path) -> None:
    for program in ("bash", "curl"):
        if shutil.which(program) is None:
            unavailable(f"no {program} to run the lines of the README with")
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    with running(tmp_path, f"sqlite:///{tmp_path}/tracker.db") as server:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines()],
            env={"PATH": path, "api": f"http://127.0.0.1:{server.port}"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, ""), done
    somebody, listed, finished = documents(done.stdout)

    assert somebody["username"] == "cleo"
    assert [task["status"] for task in listed["items"]] == ["todo"]
    assert (finished["id"], finished["status"]) == (listed["items"][0]["id"], "done")


def test_the_workflow_runs_against_a_demo_with_every_check(tmp_path: Path) -> None:
    if not gate.installed():
        unavailable("no Redocly: `make check` installs it")
    lint = gate.redocly(ROOT, "lint", ARAZZO)
    assert lint.returncode == 0, lint.stdout + lint.stderr

    with demo_server(tmp_path) as url:
        run = gate.redocly(ROOT, "respect", ARAZZO, "--server", f"tracker={url}")

    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Steps: {len(STEPS)} passed, {len(STEPS)} total" in run.stdout + run.stderr


def test_both_are_the_same_operations_in_the_same_order() -> None:
    commands = [line for line in lines().splitlines() if "curl" in line]
    assert [operation(command) for command in commands] == [step["operationId"] for step in STEPS]


def test_both_send_the_same() -> None:
    sent = [json.loads(body) for body in re.findall(r"-d '([^']*)'", lines())]
    assert sent == [step["requestBody"]["payload"] for step in STEPS if "requestBody" in step]
