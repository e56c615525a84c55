"""``make sdk``: clients of the contract in four languages, and one story that each of them tells a live server.

Each client is generated anew, compiled as strictly as its language can, and used. The stories print what they were
answered: in every language the same lines.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from sdk.languages import BUILD, CONTRACT, JARS, LANGUAGES, POM, WITHOUT_OPTIONAL_LOGIN, Command, Language
from tests.faults.server import HOST, running

PASSWORD = "correct horse battery"
PATIENCE = 600  # seconds; for what takes ten
AT_ONCE = 2  # they keep a core busy each
SHOWN = 4_000  # characters of what a failed command said
_FETCH = ["mvn", "--quiet", "--batch-mode", f"--file={POM}", "dependency:copy-dependencies"]


class Failed(Exception):
    """A command did not do what it was asked for; the message says which, and what it said."""


def main() -> int:
    """Make, compile and use all clients; return the exit code."""
    began = time.monotonic()
    if missing := [line for language in LANGUAGES for line in language.missing()]:
        print(*missing, sep="\n", file=sys.stderr)
        return 1
    try:
        stories = _stories()
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    different = differences(stories)
    told = next(iter(stories.values()))
    print(*(different or [told, f"The same in {', '.join(stories)}: {time.monotonic() - began:.0f} s."]), sep="\n")
    return int(bool(different))


def _stories() -> dict[str, str]:
    """Return what each language printed, by its name."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    document = yaml.load(CONTRACT.read_bytes(), yaml.CSafeLoader)
    WITHOUT_OPTIONAL_LOGIN.write_text(yaml.dump(without_optional_login(document)), encoding="utf-8")
    with ThreadPoolExecutor(AT_ONCE) as pool, tempfile.TemporaryDirectory() as folder:
        compiled = list(pool.map(_compile, LANGUAGES))
        with running(Path(folder), f"sqlite:///{folder}/tracker.db", TRACKER_ENV="development") as server:
            told = pool.map(partial(_tell, f"http://{HOST}:{server.port}"), compiled)
            return {language.name: story for language, story in zip(compiled, told, strict=True)}


def without_optional_login(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document in which an operation that takes a token, or none, takes none.

    openapi-python-client demands a client that is logged in wherever a token is as much as taken. Where none is named,
    it allows for both kinds of client.
    """
    for item in document["paths"].values():
        for operation in (part for part in item.values() if isinstance(part, dict)):
            if {} in operation.get("security", []):
                operation["security"] = []
    return document


def _compile(language: Language) -> Language:
    shutil.copytree(language.source.parent, language.folder)
    if "mvn" in language.needs:
        _fetch_jars(language)
    for command in language.compile:
        _run(language, command)
    return language


def _fetch_jars(language: Language) -> None:
    """Have the jars that Java's client runs on, each with the sum that the repository says."""
    lines = (language.source.parent / "jars.sha256").read_text(encoding="utf-8").splitlines()
    wanted = {name: digest for digest, name in map(str.split, lines)}
    if _sums() != wanted:
        shutil.rmtree(JARS, ignore_errors=True)
        _run(language, _FETCH)
    if _sums() != wanted:
        raise Failed(f"java: {JARS} has other jars than sdk/java/jars.sha256 names")


def _sums() -> dict[str, str]:
    return {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in JARS.glob("*.jar")}


def _tell(url: str, language: Language) -> str:
    return _run(language, [*language.tell, url, f"ann-{language.name}", PASSWORD])


def _run(language: Language, command: Command) -> str:
    """Return what a command printed; Failed if it failed."""
    whole = [part for argument in command for part in _files(language.folder, argument)]
    done = subprocess.run(whole, cwd=language.folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr)[-SHOWN:]
        raise Failed(f"{language.name}: exit code {done.returncode} of {' '.join(command)}\n{said}")
    return done.stdout


def _files(folder: Path, argument: str) -> list[str]:
    return sorted(map(str, folder.glob(argument))) if "**" in argument else [argument]


def differences(stories: dict[str, str]) -> list[str]:
    """Return where a story is not the first one, as a diff."""
    (name, first), *others = stories.items()
    diffs = (unified_diff(first.splitlines(), told.splitlines(), name, other, lineterm="") for other, told in others)
    return [line for diff in diffs for line in diff]


if __name__ == "__main__":
    sys.exit(main())
