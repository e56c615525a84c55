"""Many at once, through the whole server: everybody is answered, and nothing is given twice or lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.databases import ON_EVERY_DATABASE, database
from tests.faults.server import Server, running
from tests.racing import at_once

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 64


@pytest.fixture(scope="module", params=ON_EVERY_DATABASE)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("crowds")
    with database(request.param) as url, running(folder, url, workers=2) as server:
        yield server


def test_sixty_four_create_in_one_project_at_once_and_then_change_one_each(server: Server) -> None:
    token = server.log_in("ann")
    created = at_once(MANY, lambda n: server.ask("POST", "/tasks", {"title": str(n)}, token=token))

    assert [answer.status for answer in created] == [201] * MANY
    assert sorted(answer.json["number"] for answer in created) == [*range(1, MANY + 1)]

    paths = [answer.headers["location"] for answer in created]
    changed = at_once(MANY, lambda n: server.ask("PATCH", paths[n], {"title": f"changed {n}"}, token=token))

    assert [answer.status for answer in changed] == [200] * MANY
    listed = server.ask("GET", f"/tasks?limit={MANY}", token=token).json["items"]
    assert {task["title"] for task in listed} == {f"changed {n}" for n in range(MANY)}
    assert {task["version"] for task in listed} == {2}


def test_of_many_who_register_under_one_name_one_does(server: Server) -> None:
    person = {"email": "eve@example.com", "password": "correct horse battery"}
    names = ["Eve", "eve", "EVE", "eVe"]
    answers = at_once(16, lambda n: server.ask("POST", "/register", {**person, "username": names[n % 4]}))
    statuses = sorted(answer.status for answer in answers)

    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 503}  # 503: as many passwords are hashed as this server hashes at once
    assert all("retry-after" in answer.headers for answer in answers if answer.status == 503)


def test_of_many_who_use_one_refresh_token_one_is_given_another(server: Server) -> None:
    person = {"username": "rita", "email": "rita@example.com", "password": "correct horse battery"}
    server.ask("POST", "/register", person)
    credentials = {"username": "rita", "password": person["password"]}
    first = server.ask("POST", "/login", credentials).json["refresh_token"]
    answers = at_once(16, lambda _: server.ask("POST", "/token/refresh", {"refresh_token": first}))

    assert sorted(answer.status for answer in answers) == [200] + [401] * 15
    winner = next(answer.json for answer in answers if answer.status == 200)
    assert (
        server.ask("GET", "/me", token=winner["access_token"]).status == 401
    )  # it was used twice: its session is over
