"""Instances that start together, and one that is told to stop while it is at work."""

from __future__ import annotations

import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from sqlalchemy import create_engine, text

from tests.databases import ON_EVERY_DATABASE, database
from tests.faults.server import Server, read_answer, running, start

INSTANCES = 8
IN_FLIGHT = 12


@pytest.mark.parametrize("kind", ON_EVERY_DATABASE)
def test_eight_instances_that_start_at_once_on_an_empty_database_all_come_up(kind: str, tmp_path: Path) -> None:
    with database(kind, migrated=False) as url, ExitStack() as stopping:
        instances = [start(tmp_path, url) for _ in range(INSTANCES)]
        for instance in instances:
            stopping.callback(instance.process.wait)
            stopping.callback(instance.process.kill)
        with ThreadPoolExecutor(INSTANCES) as threads:
            list(threads.map(Server.wait, instances))
        token = instances[0].log_in("ann")

        assert [i.ask("POST", "/tasks", {"title": "a"}, token=token).json["number"] for i in instances] == [
            *range(1, 9)
        ]
        assert how_often_made(url) == 1
        for instance in instances:
            instance.process.send_signal(signal.SIGTERM)
        assert [instance.process.wait(30) for instance in instances] == [0] * INSTANCES
        assert not any("Traceback" in instance.log.read_text() for instance in instances)


def how_often_made(url: str) -> int:
    """Return how many say which schema this is; who made it a moment ago is nobody who still does."""
    if url.startswith("mongodb"):
        with MongoClient[dict[str, Any]](url) as client:
            return client.get_default_database().schema.count_documents({})
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
    with engine.connect() as connection:
        count: int = connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one()
    engine.dispose()
    return count


def test_a_server_that_is_told_to_stop_answers_what_it_has_in_hand(tmp_path: Path) -> None:
    file = tmp_path / "tracker.db"
    with running(tmp_path, f"sqlite:///{file}") as server:
        token = server.log_in("ann")
        holder = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")  # nobody writes from here on
        body = b'{"title": "Water the plants"}'
        head = (
            f"POST /tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        sockets = [server.connect() for _ in range(IN_FLIGHT)]
        for sock in sockets:
            sock.sendall(head.encode())
        for sock in sockets:
            assert sock.recv(100).startswith(b"HTTP/1.1 100 ")  # it reads this request's body: it is in hand
            sock.sendall(body)

        server.process.send_signal(signal.SIGTERM)
        threading.Timer(1, lambda: holder.execute("ROLLBACK")).start()
        answers = [read_answer(sock, "POST") for sock in sockets]

        assert [answer.status for answer in answers] == [201] * IN_FLIGHT
        assert sorted(answer.json["number"] for answer in answers) == [*range(1, IN_FLIGHT + 1)]
        assert server.process.wait(30) == 0
        for sock in sockets:
            sock.close()
        holder.close()
