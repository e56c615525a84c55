"""The Dockerfile as a list of stages and their instructions; one that nobody here knows is refused by name."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

DOCKERFILE = Path(__file__).parents[2] / "Dockerfile"
_IN_JSON = frozenset({"CMD", "ENTRYPOINT"})
_KNOWN = (
    frozenset({"ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}) | _IN_JSON
)


class Unknown(Exception):
    """An instruction, or a form of one, that a rehearsal cannot do."""


@dataclass(frozen=True)
class Instruction:
    """One line, its continuations joined."""

    name: str
    rest: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.rest)

    @property
    def command(self) -> list[str]:
        """The exec form."""
        found = json.loads(self.rest)
        assert isinstance(found, list)
        return [str(part) for part in found]


@dataclass
class Stage:
    """What is between one FROM and the next."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def only(self, name: str) -> Instruction:
        (found,) = (each for each in self.instructions if each.name == name)
        return found

    @property
    def health_check(self) -> list[str]:
        return Instruction("CMD", self.only("HEALTHCHECK").rest.partition(" CMD ")[2]).command


def parsed(text: str) -> list[Stage]:
    """Return the stages; arguments stand in what follows them by their defaults."""
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    for name, rest in _lines(text):
        if name == "ARG":
            _take_argument(arguments, rest, stages)
        elif name == "FROM":
            stages.append(_stage(_with(arguments, rest)))
        else:
            stages[-1].instructions.append(_checked(Instruction(name, rest)))
    return stages


def _lines(text: str) -> list[tuple[str, str]]:
    joined = re.sub(r"\s*\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    lines = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [(name, rest.strip()) for name, _, rest in lines]


def _take_argument(arguments: dict[str, str], rest: str, stages: list[Stage]) -> None:
    name, given, default = rest.partition("=")
    if stages or not given:
        raise Unknown(f"ARG {rest}: only one with a default before the first FROM")
    arguments[name] = default


def _with(arguments: dict[str, str], text: str) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], text)


def _stage(rest: str) -> Stage:
    found = re.fullmatch(r"(\S+) AS (\S+)", rest)
    if found is None:
        raise Unknown(f"FROM {rest}: only FROM image AS name")
    return Stage(found[1], found[2])


def _checked(instruction: Instruction) -> Instruction:
    if instruction.name not in _KNOWN:
        raise Unknown(f"{instruction.name}: nobody knows how to do this")
    if instruction.name in _IN_JSON and not instruction.rest.startswith("["):
        raise Unknown(f"{instruction.name} {instruction.rest}: only as a list, which no shell reads")
    if instruction.name == "HEALTHCHECK" and " CMD [" not in instruction.rest:
        raise Unknown(f"HEALTHCHECK {instruction.rest}: only CMD with a list")
    return instruction
