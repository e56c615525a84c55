"""Who may do what, to what: every operation of the contract, as everybody, with a foreign id in each place for one.

The cells are made from the document: an operation that is added is in the matrix, and fails until it is right. What is
refused must leave the database byte by byte as it was; what is allowed is tried with ``dry_run``, and must too.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.contents import looking_into
from tests.databases import ON_EVERY_DATABASE, database, open_store
from tests.world import DOCUMENT, World
from tracker.domain.access import ACCESS, Permission
from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.identity import new_id
from tracker.domain.project import ProjectRole
from tracker.domain.user import Role, UserStatus
from tracker.edge.security import Actors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.client import Received
    from tests.contents import Look
    from tests.world import Person
    from tracker.domain.access import Actor
    from tracker.edge.document import Json, Operation
    from tracker.store.contract import Store

OPERATIONS = [operation for operation in DOCUMENT.operations if not operation.public]
KNOWN = {"owner": Role.MEMBER, "editor": Role.MEMBER, "viewer": Role.MEMBER, "guest": Role.VIEWER, "root": Role.ADMIN}
UNKNOWN = ("nobody", "expired", "logged out", "disabled", "forged")
MINE = "mine"
OF_ONES_OWN = {"session_id", "notification_id"}  # nobody else's, whatever their role
# What fits the contract and the state, and would change something if it were not only tried.
BODIES: dict[str, Json] = {
    "createTask": {"title": "Another", "project_id": MINE},
    "addTask": {"title": "Another", "project_id": MINE},
    "replaceTask": {"title": "Another"},
    "updateTask": {"title": "Another"},
    "changeTaskStatus": {"status": "blocked"},
    "bulkUpdateTasks": {"ids": [MINE], "patch": {"priority": "low"}},
    "createProject": {"name": "Another"},
    "updateProject": {"description": "Another"},
    "putMember": {"role": "editor"},
    "updateMe": {"username": "another"},
    "markNotificationsRead": {"ids": [MINE]},
    "changePassword": {"current_password": "correct horse battery", "new_password": "seven green umbrellas"},
    "updateUser": {"role": "admin"},
}


@dataclass(frozen=True)
class Place:
    """Where an operation takes an id: a path or query parameter, or a pointer into the body."""

    kind: str
    where: str

    noun: str
    """What kind of thing the id is of."""


def places(operation: Operation) -> Iterator[Place]:
    """Yield each place of an operation where an id of something stands."""
    for parameter in operation.parameters:
        if parameter.place in {"path", "query"} and parameter.name.endswith("_id"):
            yield Place(parameter.place, parameter.name, _noun(operation, parameter.name))
    if operation.body is not None:
        yield from (Place("body", where, _noun(operation, where)) for where in _ids_in(operation.body, ""))


def _noun(operation: Operation, where: str) -> str:
    name = where.rstrip("/0").rpartition("/")[2]
    things = "notification_id" if operation.id == "markNotificationsRead" else "task_id"
    return {"ids": things, "up_to": things, "assignee_id": "user_id"}.get(name, name)


def _ids_in(schema: Json, where: str) -> Iterator[str]:
    if where.endswith("_id") or schema.get("format") == "uuid":
        yield where
    for name, member in schema.get("properties", {}).items():
        yield from _ids_in(member, f"{where}/{name}")
    if "items" in schema:
        yield from _ids_in(schema["items"], f"{where}/0")


class Matrix:
    """A project with somebody in each role, and another of which they know nothing."""

    def __init__(self, store: Store, everything: Look) -> None:
        self.world = world = World(store)
        self.everything = everything
        self.people = {name: world.person(name, role) for name, role in KNOWN.items()}
        roles = {"owner": ProjectRole.OWNER, "editor": ProjectRole.EDITOR}
        members = {name: roles.get(name, ProjectRole.VIEWER) for name in KNOWN if name != "root"}
        self.project = world.project({self.people[name]: role for name, role in members.items()})
        self.mine = self._things(self.people["owner"], self.project.id, self.people["viewer"])
        eve = world.person("eve")
        self.foreign = self._things(eve, world.project({eve: ProjectRole.OWNER}).id, eve)
        # Somebody who is not there at all: whoever is there may be taken into a project by its owner.
        self.foreign["user_id"] = new_id()
        task = {"id": self.mine["task_id"], "project_id": self.project.id, "title": "Water the plants"}
        world.add(*(CalendarFeed.issue(person.id, at=world.clock())[0] for person in self.people.values()))
        self.told = {name: world.tell(person, task).id for name, person in self.people.items()}
        self.tokens = {name: person.token for name, person in self.people.items()} | self._useless()

    def _things(self, owner: Person, project_id: str, member: Person) -> dict[str, str]:
        client = self.world.of(owner)
        task = client.post("/tasks", {"title": "Water the plants", "project_id": project_id}).json
        changed = client.patch(f"/tasks/{task['id']}", {"title": "Water the roses"})
        return {
            "task_id": task["id"],
            "project_id": project_id,
            "user_id": member.id,
            "session_id": owner.session.id,
            "notification_id": self.world.tell(owner, task).id,
            "operation_id": changed.headers["operation-id"],
        }

    def _useless(self) -> dict[str, str]:
        world, gone = self.world, self.world.person("gone")
        over = world.log_in(gone.user)
        world.of(over).post("/logout")
        expired = world.log_in(gone.user)
        world.clock.advance(minutes=11)
        self.people = {name: world.log_in(person.user) for name, person in self.people.items()}
        disabled = world.log_in(gone.user)
        root = world.of(self.people["root"])
        assert root.patch(f"/users/{gone.id}", {"status": UserStatus.DISABLED.value}).status == 200
        refreshed = {name: person.token for name, person in self.people.items()}
        return refreshed | {
            "expired": expired.token,
            "logged out": over.token,
            "disabled": disabled.token,
            "forged": disabled.token[:-4] + "AAAA",
        }

    def ask(self, operation: Operation, who: str, foreign: Place | None = None) -> Received:
        """Ask for something of one's own, but for one id; nothing that is allowed is done."""
        path = operation.path
        for parameter in operation.parameters:
            if parameter.place == "path":
                here = Place("path", parameter.name, parameter.name)
                path = path.replace(f"{{{parameter.name}}}", self._id(here, who, foreign))
        query = {foreign.where: self._id(foreign, who, foreign)} if foreign and foreign.kind == "query" else {}
        if operation.method != "GET":
            query["dry_run"] = "true"
        client = self.world.client.as_(self.tokens.get(who))
        return client.request(operation.method, path, self._body(operation, who, foreign), query=query)

    def _id(self, here: Place, who: str, foreign: Place | None) -> str:
        if here == foreign:
            return new_id() if who == "root" and here.noun not in OF_ONES_OWN else self.foreign[here.noun]
        if here.noun == "session_id" and who in self.people:
            return self.people[who].session.id
        if here.noun == "notification_id" and who in self.told:
            return self.told[who]
        return self.mine[here.noun]

    def _body(self, operation: Operation, who: str, foreign: Place | None) -> Json | None:
        if operation.body is None:
            return None
        body = copy.deepcopy(BODIES[operation.id])
        if "ids" in body:
            body["ids"] = [self._id(Place("body", "/ids/0", _noun(operation, "ids")), who, None)]
        if "project_id" in body:
            body["project_id"] = self.mine["project_id"]
        if foreign and foreign.kind == "body":
            _put(body, foreign.where.split("/")[1:], self._id(foreign, who, foreign))
        if body.keys() & {"filter", "up_to"}:
            del body["ids"]
        return body

    def actor(self, who: str) -> Actor:
        person = self.people[who]
        claims = {"sub": person.id, "sid": person.session.id}
        return Actors(self.world.store, self.world.clock).actor(claims)

    def may(self, operation: Operation, who: str) -> bool:
        """Whether the access table lets somebody do this to what is their own."""
        assert operation.permission is not None
        permission = Permission(operation.permission)
        if permission not in ACCESS or KNOWN[who] not in ACCESS[permission]:
            return False
        if permission is Permission.UNDO_OPERATION:
            permission = Permission.CHANGE_TASK  # what it was that the operation did
        if operation.id == "putMember":
            permission = Permission.CHANGE_MEMBER  # the member is there already
        thing = self._thing(permission)
        condition = ACCESS[permission].get(KNOWN[who])
        return condition is not None and (thing is None or condition.holds(self.actor(who), thing))

    def _thing(self, permission: Permission) -> Any:
        match permission.noun:
            case "task":
                return self.world.store.task(self.mine["task_id"])
            case "project" if permission is not Permission.CREATE_PROJECT:
                return self.project
            case "member":
                return self.world.store.membership(self.project.id, self.mine["user_id"])
            case _:
                return None


def _put(body: Any, steps: list[str], value: str) -> None:
    *way, last = steps
    for step in way:
        body = body.setdefault(step, {} if last != "0" else [None])
    body[int(last) if last == "0" else last] = value


@pytest.fixture(scope="module", params=ON_EVERY_DATABASE)
def matrix(request: pytest.FixtureRequest) -> Iterator[Matrix]:
    with database(request.param) as url, looking_into(url) as everything:
        store = open_store(url, connections=4)
        yield Matrix(store, everything)
        store.close()


CELLS = [(operation, place) for operation in OPERATIONS for place in places(operation)]
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
every_place = pytest.mark.parametrize(("operation", "place"), CELLS, ids=lambda o: getattr(o, "id", "") or str(o))


def test_there_is_a_body_for_every_operation_that_takes_one() -> None:
    assert set(BODIES) == {operation.id for operation in OPERATIONS if operation.body is not None}


def test_the_matrix_has_the_ids_of_every_kind_in_every_place() -> None:
    nouns = {"task_id", "project_id", "user_id", "session_id", "operation_id", "notification_id"}
    assert {place.noun for _, place in CELLS} == nouns
    assert {place.kind for _, place in CELLS} == {"path", "query", "body"}


@every_operation
@pytest.mark.parametrize("who", UNKNOWN)
def test_whoever_is_not_known_is_told_to_log_in(matrix: Matrix, operation: Operation, who: str) -> None:
    before = matrix.everything()

    answer = matrix.ask(operation, who)

    assert (answer.status, matrix.everything() == before) == (401, True)


@every_operation
@pytest.mark.parametrize("who", KNOWN)
def test_whoever_is_known_does_what_the_access_table_says(matrix: Matrix, operation: Operation, who: str) -> None:
    before = matrix.everything()

    answer = matrix.ask(operation, who)

    assert matrix.everything() == before
    if not matrix.may(operation, who):
        assert (answer.status, answer.problem) == (403, "forbidden")
    elif operation.id == "changePassword":
        assert answer.problem == "wrong-password"  # nobody here has one
    else:
        assert 200 <= answer.status < 300, answer.body


@every_place
@pytest.mark.parametrize("who", KNOWN)
def test_a_foreign_id_is_the_id_of_nothing(matrix: Matrix, operation: Operation, place: Place, who: str) -> None:
    before = matrix.everything()

    answer = matrix.ask(operation, who, place)

    assert matrix.everything() == before
    if KNOWN[who] not in ACCESS[Permission(str(operation.permission))]:
        assert answer.status == 403  # whatever the id
    elif place == next(places(operation)) or matrix.may(operation, who):
        assert answer.status == 404
    else:  # refused for what else is in it, or for this: either way it says nothing about the foreign thing
        assert answer.status in {403, 404}


@every_place
@pytest.mark.parametrize("who", UNKNOWN)
def test_a_foreign_id_gets_whoever_is_not_known_no_further(
    matrix: Matrix, operation: Operation, place: Place, who: str
) -> None:
    assert matrix.ask(operation, who, place).status == 401
