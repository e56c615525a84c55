"""The examples of the two founding documents, as they stand, by curl, on an installation in which nobody was before."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.server import HOST, Server, running
from tests.missing import unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGN_UP = '{"username": "gaditya", "password": "test@123", "email": "gaditya@example.com", "role": "admin"}'
LOG_IN = '{"password": "test@123", "email": "gaditya@example.com"}'
JSON = ("-H", "Content-Type: application/json")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    if shutil.which("curl") is None:
        unavailable("curl is not installed")
    with running(tmp_path, f"sqlite:///{tmp_path}/tracker.db", TRACKER_ENV="development") as server:
        yield server


def curl(server: Server, method: str, path: str, *more: str) -> Any:
    """Return the JSON that curl prints; fail where the server refuses."""
    command = ["curl", "-sS", "--fail-with-body", "-X", method, f"http://{HOST}:{server.port}{path}", *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout else None


def bearer(token: str) -> tuple[str, str]:
    return "-H", f"Authorization: Bearer {token}"


def test_the_examples_of_task_tracker_backend_work_as_they_stand(server: Server) -> None:
    assert curl(server, "POST", "/users/signup", *JSON, "-d", SIGN_UP) == {"message": "User added successfully"}

    answer = curl(server, "POST", "/users/login", *JSON, "-d", LOG_IN)
    assert list(answer) == ["token"]

    assert curl(server, "GET", "/users/get_users", *bearer(answer["token"])) == {
        "users": [{"username": "gaditya", "email": "gaditya@example.com", "role": "admin", "status": "Y"}]
    }


def test_the_endpoints_of_task_tracker_backend_work(server: Server) -> None:
    curl(server, "POST", "/register", *JSON, "-d", SIGN_UP)
    token = bearer(curl(server, "POST", "/login", *JSON, "-d", LOG_IN)["token"])

    task = curl(server, "POST", "/tasks", *token, *JSON, "-d", '{"title": "Water the plants"}')
    path = f"/tasks/{task['id']}"
    curl(server, "PUT", path, *token, *JSON, "-d", '{"title": "Water the roses"}')
    curl(server, "PATCH", f"{path}/status", *token, *JSON, "-d", '{"status": "done"}')
    due = curl(server, "PATCH", f"{path}/status", *token, *JSON, "-d", '{"due": {"date": "2026-12-01"}}')["due"]

    (listed,) = curl(server, "GET", "/tasks", *token)["items"]
    assert (listed["title"], listed["status"], listed["due"]) == ("Water the roses", "done", due)
    assert curl(server, "DELETE", path, *token) is None
    assert curl(server, "GET", "/tasks", *token)["items"] == []


def test_the_endpoints_of_trackit_work_with_their_slash(server: Server) -> None:
    curl(server, "POST", "/auth/register", *JSON, "-d", SIGN_UP)
    token = bearer(curl(server, "POST", "/auth/login", *JSON, "-d", LOG_IN)["access_token"])

    task = curl(server, "POST", "/tasks/", *token, *JSON, "-d", '{"title": "Water the plants"}')
    curl(server, "PUT", f"/tasks/{task['id']}", *token, *JSON, "-d", '{"title": "Water the roses"}')

    assert [item["title"] for item in curl(server, "GET", "/tasks/", *token)["items"]] == ["Water the roses"]
    curl(server, "DELETE", f"/tasks/{task['id']}", *token)
    assert curl(server, "GET", "/tasks/", *token)["items"] == []
