"""What is in ``deploy/``, as data: services of Compose, objects of Kubernetes, and which of them run Tracker."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.deploy.dockerfile import DOCKERFILE, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
PRODUCTION, DEVELOPMENT = DEPLOY / "compose.yaml", DEPLOY / "compose.dev.yaml"
IMAGE = parsed(DOCKERFILE.read_text(encoding="utf-8"))[-1]
_DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
Json = dict[str, Any]


@dataclass(frozen=True)
class Process:
    """Tracker, as somebody runs it."""

    where: str
    arguments: list[str]
    environment: dict[str, str]

    @property
    def command(self) -> str:
        return self.arguments[0]


def compose(file: Path) -> Json:
    """Return a file of Compose, its variables by their defaults."""
    loaded: Json = yaml.safe_load(_DEFAULT.sub(r"\1", file.read_text(encoding="utf-8")))
    return loaded


def services(file: Path) -> dict[str, Json]:
    found: dict[str, Json] = compose(file)["services"]
    return found


def of_tracker(file: Path) -> dict[str, Json]:
    """Return the services that run Tracker's own image."""
    return {name: service for name, service in services(file).items() if service["image"].startswith("tracker:")}


def objects() -> Iterator[Json]:
    """Yield every object of the base."""
    for file in sorted(KUBERNETES.glob("*.yaml")):
        yield from yaml.safe_load_all(file.read_text(encoding="utf-8"))


def named(kind: str, name: str) -> Json:
    (found,) = (each for each in objects() if each["kind"] == kind and each["metadata"]["name"] == name)
    return found


def workloads() -> Iterator[tuple[Json, Json, Json]]:
    """Yield (object, its pod's spec, its container) for each that runs something."""
    for each in objects():
        if each["kind"] in {"Deployment", "Job"}:
            pod = each["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            yield each, pod, container


def processes() -> Iterator[Process]:
    """Yield every Tracker in Compose and in Kubernetes."""
    for file in (PRODUCTION, DEVELOPMENT):
        for name, service in of_tracker(file).items():
            given = {variable: str(value) for variable, value in service["environment"].items()}
            yield Process(f"{file.name}: {name}", service["command"], given)
    common = named("ConfigMap", "tracker")["data"]
    for each, _, container in workloads():
        own = {variable["name"]: variable["value"] for variable in container.get("env", [])}
        yield Process(each["metadata"]["name"], container["args"], {**common, **own})
