"""The pinned requirements say what to install, never where from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PINS = sorted(path.name for path in ROOT.glob("requirements*.txt"))
_LINE = re.compile(
    r"""
    [a-z0-9][a-z0-9._-]*(\[[a-z0-9,-]+\])?==[0-9][^\s/@:;]*(\ ;\ [^/@:]+)?\ \\   # a version, perhaps a marker
    |\ {4}--hash=sha256:[0-9a-f]{64}(\ \\)?
    |\ {4}\#\ [^/@]*                                                            # who asks for it
    |\#\ [^/@]*|\#\ {4}make\ requirements
    """,
    re.VERBOSE,
)


@pytest.mark.parametrize("name", PINS)
def test_a_pinned_requirement_has_no_address_and_no_path(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not _LINE.fullmatch(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example.com/simple",
        "--find-links wheels/",
        "-e file:///somewhere/tracker",
        "click @ https://packages.example.com/click.whl",
        "    # via -r /somewhere/requirements.in",
    ],
)
def test_an_address_or_a_path_would_be_found(line: str) -> None:
    assert not _LINE.fullmatch(line)


def test_each_file_of_pins_is_there() -> None:
    assert PINS == ["requirements-bench.txt", "requirements-build.txt", "requirements-dev.txt", "requirements.txt"]


def test_what_runs_is_tested_and_measured_in_the_same_versions() -> None:
    runs, tested, measured = (
        set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt")
    )
    assert runs <= tested
    assert runs <= measured
