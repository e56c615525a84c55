"""The change log of a project as a client reads it from its beginning, and what it makes of it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.client import Client

Json = dict[str, Any]


def read_on(client: Client, project_id: str) -> Iterator[Json]:
    """Yield every change of a project, in stretches of a length that cuts commits in two if anything does."""
    after, more = 0, True
    while more:
        page = client.get(f"/projects/{project_id}/changes", query={"after": after, "limit": 7}).json
        yield from page["items"]
        after, more = page["head"], page["more"]


def gapless(log: list[Json]) -> bool:
    """Whether each commit is there once, all of it, in order."""
    commits = [(head, [change["n"] for change in found]) for head, found in groupby(log, lambda change: change["head"])]
    heads = [head for head, _ in commits]
    return heads == list(range(1, len(heads) + 1)) and all(ns == list(range(1, len(ns) + 1)) for _, ns in commits)


def replayed(log: list[Json]) -> dict[str, Json]:
    """Return the tasks that are left when every change is made in turn; each has to fit what the one before left."""
    tasks: dict[str, Json] = {}
    for change in (change for change in log if change["entity"] == "task"):
        assert tasks.get(change["entity_id"]) == change["before"]
        if change["after"] is None:
            del tasks[change["entity_id"]]
        else:
            tasks[change["entity_id"]] = change["after"]
    return tasks


def listed(client: Client) -> Iterator[Json]:
    """Yield every task on every page."""
    page = client.get("/tasks", query={"limit": 50, "archived": "include"}).json
    while True:
        yield from page["items"]
        if page["next"] is None:
            return
        page = client.get("/tasks", query={"limit": 50, "archived": "include", "cursor": page["next"]}).json
