"""The contract, fuzzed: every check and every phase of Schemathesis, on the application and against the file."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schemathesis
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.run import PhaseName

from tests.world import World
from tracker.edge.front import Front

if TYPE_CHECKING:
    from tests.world import Person
    from tracker.store.contract import Store

SPEC = Path(__file__).parents[2] / "spec" / "openapi.yaml"
PHASES = {PhaseName.EXAMPLES, PhaseName.COVERAGE, PhaseName.FUZZING, PhaseName.STATEFUL_TESTING}


def test_no_request_there_is_makes_the_application_break_its_contract(store: Store, tmp_path: Path) -> None:
    world = World(store, allowed_hosts="*")
    ann, bob = world.person("ann"), world.person("bob")
    schema = _schema(world, _identities(tmp_path, ann=ann, bob=bob), (ann, bob))

    report = _run(schema)

    assert not report.failures, "\n".join(report.failures)
    load_all_checks()
    assert set(report.checks) == set(CHECKS.get_all_names()), "a check never ran"
    assert len(report.checks) >= 14
    assert report.phases == PHASES
    assert report.cases >= 800


def _identities(folder: Path, **people: Person) -> Path:
    """Return a file that names people who must not see each other's tasks, with a token each."""
    headers = {name: [{"name": "Authorization", "value": f"Bearer {who.token}"}] for name, who in people.items()}
    file = folder / "identities.json"
    file.write_text(json.dumps({"auth": [{"name": name, "fixedHeaders": h} for name, h in headers.items()]}))
    return file


def _schema(world: World, identities: Path, people: tuple[Person, ...]) -> Any:
    config = schemathesis.Config.from_dict(
        {
            "generation": {"deterministic": True, "max-examples": 20},
            "auth": {"wfc": {"path": str(identities), "peers": ["ann", "bob"]}},
        }
    )
    schema = schemathesis.openapi.from_path(SPEC, config=config)
    schema.app = _LogoutApart(world, people)
    return schema


class _LogoutApart:
    """The application, where whoever logs out does so from a session of its own: the other cases go on."""

    def __init__(self, world: World, people: tuple[Person, ...]) -> None:
        self._world = world
        self._front = Front(world.responder, threads=1)
        self._people = {f"Bearer {person.token}".encode(): person for person in people}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/logout":
            scope = {**scope, "headers": [(name, self._fresh(value)) for name, value in scope["headers"]]}
        await self._front(scope, receive, send)

    def _fresh(self, value: bytes) -> bytes:
        person = self._people.get(value)
        return f"Bearer {self._world.log_in(person.user).token}".encode() if person else value


@dataclass
class _Report:
    """What a run did."""

    cases: int = 0
    checks: Counter[str] = field(default_factory=Counter)
    phases: set[PhaseName] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    def add(self, scenario: events.ScenarioFinished) -> None:
        self.cases += len(scenario.recorder.cases)
        self.phases.add(scenario.phase)
        for check in chain.from_iterable(scenario.recorder.checks.values()):
            self.checks[check.name] += 1
            if check.status is Status.FAILURE:
                self.failures.append(f"{scenario.label} {check.name}: {check.failure_info}")


def _run(schema: Any) -> _Report:
    report = _Report()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            report.add(event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            report.failures.append(repr(event))
    return report
