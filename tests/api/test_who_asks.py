"""What is read to know who asks: each project they see, to name the state of all of it, but for lists alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.questions import asked_from_now_on
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Client
    from tests.world import World


@pytest.mark.parametrize("role", [Role.MEMBER, Role.ADMIN])
def test_for_one_task_no_project_is_read(world: World, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.of(world.person("ann", role=role))
    path = f"/tasks/{client.post('/tasks', {'title': 'Water the plants'}).json['id']}"
    questions = asked_from_now_on(monkeypatch)

    assert client.get(path).status == 200
    assert client.get("/me").status == 200

    assert not [asked for asked in questions if "projects" in asked]


def test_for_a_change_they_are_not_read_before_it_is_known_what_changes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/tasks/{client.post('/tasks', {'title': 'Water the plants'}).json['id']}"
    questions = asked_from_now_on(monkeypatch)

    assert client.post("/tasks", {"title": "Water the herbs"}).status == 201
    assert "projects" not in questions[0]
    questions.clear()
    assert client.patch(path, {"status": "in_progress"}).status == 200
    assert "projects" not in questions[0]


@pytest.mark.parametrize("path", ["/tasks", "/summary", "/projects", "/tasks.csv"])
def test_for_a_list_they_are(client: Client, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get(path)
    questions = asked_from_now_on(monkeypatch)

    assert client.get(path).status == 200

    assert [asked for asked in questions if "projects" in asked]
