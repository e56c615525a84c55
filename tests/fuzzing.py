"""Schemathesis on an installation, in this process or live: every check and every phase it has, against the file.

What the ids in the document's examples name is there, so that the examples do what they show. Three people send the
requests: two who must not see each other's things, and an admin for what only an admin may do. Whatever ends a session
or changes a person is put right after the answer, so that the requests that follow do not come from nobody.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import schemathesis
import yaml
from argon2 import PasswordHasher
from hypothesis import strategies
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.run import PhaseName
from schemathesis.generation.meta import TestPhase

from tests.builders import a_membership, a_project, a_task, a_user
from tests.databases import open_store
from tests.faults.server import HOST, running
from tests.world import DOCUMENT, World
from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.identity import secret_id
from tracker.domain.notification import Notification, NotificationKind
from tracker.domain.password_reset import PasswordReset
from tracker.domain.session import RefreshToken, Session
from tracker.domain.user import Role, UserStatus
from tracker.edge import passwords
from tracker.edge.front import Front

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.world import Person

SPEC = Path(__file__).parents[1] / "spec" / "openapi.yaml"
PHASES = frozenset({PhaseName.EXAMPLES, PhaseName.COVERAGE, PhaseName.FUZZING, PhaseName.STATEFUL_TESTING})
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)  # hashing is a third of the time, and no question
ENTITY_TAGS = "entity-tags"
FRAMING = {"transfer-encoding", "content-length", "connection", "expect", "upgrade", "te", "trailer"}
SAFE = {"GET", "HEAD", "OPTIONS"}
# What fits the document can be refused for the state (403, 404, 409), for a precondition (412), or for who asks (401).
POSITIVE = ["2xx", "304", "401", "403", "404", "409", "412"]
# What does not fit is a 400; these come before that is looked at, or say in another way that it does not.
NEGATIVE = ["400", "401", "403", "404", "405", "415"]


def every_check() -> set[str]:
    """Return the names of all checks there are."""
    load_all_checks()
    return set(CHECKS.get_all_names())


@dataclass(frozen=True)
class How:
    """What a run consists of.

    ``phases`` are the examples of the document, the bounds of its values (COVERAGE), ``examples`` requests at random
    for each operation (FUZZING), and the ways that lead from one operation to another.
    """

    seed: int
    examples: int
    phases: frozenset[PhaseName] = PHASES


@dataclass
class Report:
    """What a run did."""

    cases: int = 0
    checks: Counter[str] = field(default_factory=Counter)
    phases: set[PhaseName] = field(default_factory=set)
    answers: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    failures: list[str] = field(default_factory=list)

    @property
    def done(self) -> set[str]:
        """The operations that did at least once what they were asked to."""
        return {operation for operation, answers in self.answers.items() if min(answers) < 400}

    def add(self, event: events.EngineEvent) -> None:
        """Take in what the engine says."""
        if isinstance(event, events.ScenarioFinished):
            self.phases.add(event.phase)
            self._add_cases(event)
            self._add_checks(event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            self.failures.append(repr(event))

    def _add_cases(self, event: events.ScenarioFinished) -> None:
        self.cases += len(event.recorder.cases)
        for case_id, node in event.recorder.cases.items():
            response = event.recorder.find_response(case_id=case_id)
            if response is not None:
                self.answers[node.value.operation.label][response.status_code] += 1

    def _add_checks(self, event: events.ScenarioFinished) -> None:
        for check in chain.from_iterable(event.recorder.checks.values()):
            self.checks[check.name] += 1
            if check.status is Status.FAILURE:
                self.failures.append(f"{event.label} {check.name}: {check.failure_info}")


def fuzz(world: World, how: How, folder: Path, *, at: str | None = None) -> Report:
    """Return what the requests of a run came to, sent to a world's own application, or to a server ``at`` a URL.

    ``folder`` is for the names and tokens of those who send them.
    """
    people = {name: world.person(name) for name in ("ann", "bob")} | {"root": world.person("root", Role.ADMIN)}
    _add_what_examples_name(world, people["ann"])
    schema = schemathesis.openapi.from_dict(_document(), config=_config(how, _identities(folder, people), at))
    if at is None:
        schema.app = Front(world.responder, threads=1)
    everybody = Restored(world, people)

    @schema.hook
    def map_case(_context: object, case: Any) -> Any:
        return _sensible(case)

    @schema.hook
    def after_call(_context: object, case: Any, response: Any) -> None:
        everybody.put_right_after(case.method, response.status_code)

    report = Report()
    with patch.object(passwords, "_HASHER", CHEAP):
        for event in from_schema(schema).execute():
            report.add(event)
    return report


def fuzz_live(url: str, how: How, folder: Path) -> Report:
    """Return what the requests of a run came to, sent through sockets to a server on the database at ``url``."""
    with running(folder, url, ACCESS_TOKEN_EXPIRE_MINUTES="1440") as server:
        store = open_store(url, connections=1)
        world = World(store)
        world.clock.at = datetime.now(UTC)
        report = fuzz(world, how, folder, at=f"http://{HOST}:{server.port}")
        store.close()
    return report


def _document() -> dict[str, Any]:
    """Return the document, with a name for what conditions hold: Schemathesis would guess versions nobody has."""
    tags = strategies.sampled_from(['"1"', '"2"', 'W/"1"', '"1", "2"', '"7"', "*"])
    schemathesis.openapi.format(ENTITY_TAGS, tags)
    document: dict[str, Any] = yaml.load(SPEC.read_bytes(), yaml.CSafeLoader)
    for name in ("IfMatch", "IfNoneMatch"):
        document["components"]["parameters"][name]["schema"]["format"] = ENTITY_TAGS
    return document


def _sensible(case: Any) -> Any:
    """Return a request without what Schemathesis would misread: what frames a message, and a rehearsal as a step."""
    for name in [name for name in case.headers or () if name.lower() in FRAMING]:
        del case.headers[name]
    if case.meta and case.meta.phase.name is TestPhase.STATEFUL:
        (case.query or {}).pop("dry_run", None)
    return case


def _config(how: How, identities: Path, at: str | None) -> schemathesis.Config:
    given = {
        "seed": how.seed,
        "generation": {"max-examples": how.examples, "database": "none"},
        "phases": {phase.value: {"enabled": phase in how.phases} for phase in PHASES},
        "auth": {"wfc": {"path": str(identities), "peers": ["ann", "bob"]}},
        "checks": {
            "positive_data_acceptance": {"expected-statuses": POSITIVE},
            "negative_data_rejection": {"expected-statuses": NEGATIVE},
        },
    }
    return schemathesis.Config.from_dict({**given, "base-url": at} if at else given)


def _add_what_examples_name(world: World, owner: Person) -> None:
    parameters, schemas = (DOCUMENT.root["components"][kind] for kind in ("parameters", "schemas"))
    project = a_project(id=parameters["ProjectId"]["example"])
    inbox = a_project()
    eve = a_user(id=parameters["UserId"]["example"], inbox_id=inbox.id)
    world.add(project, inbox, eve, a_membership(project, owner.user), a_membership(project, eve))
    task = a_task(project, id=parameters["TaskId"]["example"], created_by=owner.id)
    world.store.commit(ChangeSet(parameters["OperationId"]["example"], owner.id, world.clock(), (Change(None, task),)))
    session = replace(Session.new(owner.user, at=world.clock()), id=parameters["SessionId"]["example"])
    notification = Notification(
        schemas["Notification"]["example"]["id"],
        owner.id,
        NotificationKind.ASSIGNED,
        project.id,
        2,
        task.id,
        task.title,
        world.clock(),
    )
    token = RefreshToken.issue(session.id, at=world.clock())[0]
    reset = PasswordReset.issue(eve, at=world.clock())[0]
    feed = CalendarFeed.issue(eve.id, at=world.clock())[0]
    world.add(
        session,
        notification,
        replace(token, id=secret_id(schemas["RefreshRequest"]["example"]["refresh_token"])),
        replace(reset, id=secret_id(schemas["PasswordRedemption"]["example"]["secret"])),
        replace(feed, id=secret_id(parameters["FeedToken"]["example"])),
    )
    known = replace(owner.user, password_hash=CHEAP.hash(schemas["Registration"]["example"]["password"]), version=2)
    world.commit(Change(owner.user, known))


def _identities(folder: Path, people: Mapping[str, Person]) -> Path:
    """Return a file that names people with a token each."""
    headers = {name: [{"name": "Authorization", "value": f"Bearer {who.token}"}] for name, who in people.items()}
    file = folder / "identities.json"
    file.write_text(json.dumps({"auth": [{"name": name, "fixedHeaders": h} for name, h in headers.items()]}))
    return file


class Restored:
    """People whose sessions go on and who stay who they are, whatever they do to themselves and to each other."""

    def __init__(self, world: World, people: Mapping[str, Person]) -> None:
        self._world, self._people = world, people

    def put_right_after(self, method: str, status: int) -> None:
        """Put right what a request has done, if it had an effect, to those who send the next ones."""
        if method not in SAFE and status < 300:
            for person in self._people.values():
                self._restore(person)

    def _restore(self, person: Person) -> None:
        standing = self._world.store.standing(person.session.id)
        expected = (person.user.role, UserStatus.ACTIVE, None)
        if standing is None or (standing.role, standing.status, standing.session_ended_at) != expected:
            self._world.commit(*self._restoring(person))

    def _restoring(self, person: Person) -> list[Change]:
        user, session = self._world.store.user(person.id), self._world.store.session(person.session.id)
        assert user is not None
        assert session is not None
        active = replace(user, role=person.user.role, status=UserStatus.ACTIVE, version=user.version + 1)
        alive = replace(session.kept(user), ended_at=None)
        return [Change(user, active), Change(session, alive)]
