"""The Dockerfile has only what a rehearsal can do (``make rehearsal``), and what that cannot do is refused by name."""

from __future__ import annotations

import pytest

from tests.deploy.dockerfile import DOCKERFILE, Unknown, parsed

BEFORE = "ARG PYTHON=3.11\nFROM python:${PYTHON} AS build\n"


def test_the_dockerfile_is_one_that_can_be_rehearsed() -> None:
    build, runtime = parsed(DOCKERFILE.read_text(encoding="utf-8"))
    assert (build.name, runtime.name) == ("build", "runtime")
    assert build.base == runtime.base
    assert runtime.health_check == ["tracker", "health"]
    assert "&&" in build.instructions[-1].rest
    assert all("--require-hashes" in line for line in install_lines(build.instructions[3].rest))


def install_lines(shell: str) -> list[str]:
    return [part for part in shell.split("&&") if "install" in part]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ADD a b", "ADD"),
        ("SHELL ['sh']", "SHELL"),
        ("ONBUILD RUN true", "ONBUILD"),
        ("run true", "run"),
        ("CMD tracker serve", "CMD tracker serve"),
        ("ENTRYPOINT tracker", "ENTRYPOINT"),
        ("HEALTHCHECK NONE", "HEALTHCHECK"),
        ("ARG LATE=1", "ARG LATE"),
        ("FROM scratch", "FROM scratch"),
    ],
)
def test_what_nobody_knows_how_to_do_is_refused(line: str, reason: str) -> None:
    with pytest.raises(Unknown, match=reason):
        parsed(f"{BEFORE}{line}\n")


def test_lines_are_joined_and_comments_left_out() -> None:
    (stage,) = parsed(f"{BEFORE}# why\nRUN one \\\n    # in between\n    && two\n")
    assert [(each.name, each.rest) for each in stage.instructions] == [("RUN", "one && two")]
    assert stage.base == "python:3.11"
