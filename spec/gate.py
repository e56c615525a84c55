"""What ``make check`` holds openapi.yaml to: its linters, and baseline.yaml, which is what clients have been promised.

baseline.yaml is openapi.yaml without its prose. Whatever openapi.yaml takes back of it needs another version; whatever
it adds is written down by ``python -m spec.gate baseline`` (``make baseline``), so that it cannot be taken back later.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import orjson
import yaml

ROOT = Path(__file__).parents[1]
HEADER = "# Written by `make baseline`: openapi.yaml without its prose. docs/decisions/0006 says what it is for.\n"
PROSE = {"description", "summary", "example", "examples", "externalDocs"}
NAMES = {"paths", "properties", "schemas", "responses", "parameters", "headers", "requestBodies", "securitySchemes"}
# Redocly rates these as patches, but whoever has a client notices.
UNRATED = {("Operation", "tags"), ("Operation", "x-permission"), ("Schema", "default"), ("Header", "required")}
MISSING = "The gate needs Redocly and Spectral: `make check` installs what package-lock.json pins."
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}

Json = dict[str, Any]


def installed() -> bool:
    """Whether the tools of package-lock.json are there."""
    return (ROOT / "node_modules" / ".bin" / "redocly").exists() and _node_folder().joinpath("node").exists()


def redocly(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Redocly in a folder that has a redocly.yaml."""
    return _run(folder, "redocly", *arguments)


def spectral(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Spectral in a folder that has a .spectral.yaml; a hint fails as an error does."""
    return _run(folder, "spectral", "lint", "--fail-severity=hint", "--quiet", *arguments)


def _run(folder: Path, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = str(ROOT / "node_modules" / ".bin" / tool)
    environment = {"PATH": f"{_node_folder()}:/usr/bin:/bin", **QUIET}
    return subprocess.run(
        [program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def _node_folder() -> Path:
    """Return where the Node of requirements-dev.txt is: beside this Python."""
    return Path(sys.executable).parent


def faults(folder: Path = ROOT) -> list[str]:
    """Return all that is wrong with the document of a folder, as the tools say it."""
    return [*_lint(folder), *taken_back(folder), *not_written_down(folder)]


def _lint(folder: Path) -> list[str]:
    runs = [redocly(folder, "lint", "--format=stylish"), spectral(folder, "spec/openapi.yaml")]
    return [run.stdout + run.stderr for run in runs if run.returncode]


def taken_back(folder: Path = ROOT) -> list[str]:
    """Return what the document takes back of its baseline, unless its version says that it does."""
    before, after = _version(folder, "baseline"), _version(folder, "openapi")
    if after < before:
        return [f"info.version went back from {_text(before)} to {_text(after)}"]
    breaks = [] if _allows(before, after) else _breaks(folder)
    wanted = (before[0] + 1, 0, 0) if before[0] else (0, before[1] + 1, 0)
    return [*breaks, f"This breaks clients: give info.version {_text(wanted)}, or keep the promise."] if breaks else []


def _allows(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether a version says that something was taken back: the first number did change that is not zero."""
    return after[0] > before[0] or (after[0] == 0 and after[1] > before[1])


def _breaks(folder: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as place:  # prose against none would look like another thing to Redocly
        revision = _written(Path(place) / "openapi.yaml", promises(_load(folder, "openapi")))
        run = redocly(folder, "diff", "spec/baseline.yaml", str(revision), "--fail-on=none", "--format=json")
    if run.returncode:
        return [run.stdout + run.stderr]
    return [line for change in orjson.loads(run.stdout)["changes"] for line in _broken_by(change)]


def _broken_by(change: Json) -> list[str]:
    """Return what a change breaks, a line each."""
    if change["impact"] == "major":
        return [f"{verdict['message']} {verdict['location']['pointer']}" for verdict in change["verdicts"]]
    security = change["typeName"].startswith("SecurityRequirement")
    if security or (change["typeName"], change.get("property")) in UNRATED:
        return [f"`{change.get('property', 'security')}` was {change['kind']}. {change['path']}"]
    return []


def not_written_down(folder: Path = ROOT) -> list[str]:
    """Return that the baseline is not what the document promises, if so."""
    if _load(folder, "baseline") == promises(_load(folder, "openapi")):
        return []
    return ["spec/baseline.yaml is not what spec/openapi.yaml promises: `make baseline` writes it anew."]


def promises(node: Any, *, names: bool = False) -> Any:
    """Return a part of the document without its prose; ``names`` if its keys are names, not words of OpenAPI."""
    if isinstance(node, list):
        return [promises(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = ((key, part) for key, part in node.items() if names or key not in PROSE)
    return {key: promises(part, names=not names and key in NAMES) for key, part in kept}


def move(folder: Path = ROOT) -> list[str]:
    """Write the baseline anew, unless that takes something back without saying so; return what it takes back."""
    broken = taken_back(folder) if _file(folder, "baseline").exists() else []
    if not broken:
        _written(_file(folder, "baseline"), promises(_load(folder, "openapi")))
    return broken


def _written(file: Path, document: Json) -> Path:
    text = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, width=120, allow_unicode=True)
    file.write_text(HEADER + text, encoding="utf-8")
    return file


def _file(folder: Path, name: str) -> Path:
    return folder / "spec" / f"{name}.yaml"


def _load(folder: Path, name: str) -> Json:
    document: Json = yaml.load(_file(folder, name).read_bytes(), yaml.CSafeLoader)
    return document


def _version(folder: Path, name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in _load(folder, name)["info"]["version"].split("."))


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def main(arguments: list[str]) -> int:
    """Check the document, or with ``baseline`` move its baseline; return the exit code."""
    if not installed():
        print(MISSING, file=sys.stderr)
        return 1
    moving = arguments == ["baseline"]
    found = move() if moving else faults()
    well = "spec/baseline.yaml is what the contract promises." if moving else "The contract keeps what it promised."
    print(*found or [well], sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
