"""Ticks through a real broker, by real processes, while either is killed, stopped and started again."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from amqp.exceptions import PreconditionFailed
from kombu import Connection as AnyConnection

from tests.crew import Broker, Crew, hired
from tests.rabbitmq_server import RabbitServer
from tests.servers import RedisServer, redis_server
from tests.ticking import JOBS
from tracker.cli.server import free_port
from tracker.worker import DELIVERIES, PARKED, QUEUE, Connection, Rounds, celery_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def crew(tmp_path: Path, broker: Broker) -> Iterator[Crew]:
    forget(broker)
    with hired(tmp_path, broker) as crew:
        yield crew


def forget(broker: Broker) -> None:
    """Take away what other tests have left in a RabbitMQ that all share."""
    if isinstance(broker, RabbitServer):
        with AnyConnection(broker.url) as connection:
            for queue in (QUEUE, PARKED):
                connection.default_channel.queue_delete(queue)


def waiting(broker: Broker, queue: str = QUEUE) -> int:
    if isinstance(broker, RabbitServer):
        return broker.waiting(queue)
    with broker.client() as client:
        return int(client.llen(queue))


def test_ticks_reach_a_worker_which_goes_on_after_one_that_fails(crew: Crew) -> None:
    crew.worker(LOG_FORMAT="json")
    crew.beat(LOG_FORMAT="json")
    crew.wait(lambda: len(crew.ticks("steady done")) >= 2)
    assert crew.stop() == [0, 0]
    assert len(crew.ticks("opened")) == 1
    lines = [json.loads(line) for line in crew.logs.splitlines() if line]
    failures = [line for line in lines if line["level"] == "error"]
    assert failures[0]["event"] == "the job raising failed (LookupError); a later tick tries it again"
    assert failures[0]["job"] == "raising"
    assert failures[0]["exception"].endswith("\nLookupError")
    assert "nothing to see" not in crew.logs
    assert {line["level"] for line in lines} == {"info", "error"}


def test_they_go_on_when_the_broker_was_killed_or_stopped_and_is_back(crew: Crew) -> None:
    crew.worker()
    crew.beat()
    crew.wait(lambda: bool(crew.ticks("steady done")))
    time.sleep(3)  # RabbitMQ 3.10 loses a quorum queue for good that it was told of in the second before it was killed
    crew.broker.kill()
    time.sleep(3)
    crew.broker.start_again()
    went_on(crew, "killed")
    crew.broker.stop()
    time.sleep(3)
    crew.broker.wake()
    went_on(crew, "stopped")
    assert crew.stop() == [0, 0]


def went_on(crew: Crew, what: str) -> None:
    began = time.time()
    crew.wait(lambda: crew.ticks("steady done")[-1] > began)
    print(f"after the broker was {what}: {crew.ticks('steady done')[-1] - began:.1f} s")


def test_what_a_killed_worker_was_at_is_done_by_another(crew: Crew) -> None:
    first = crew.worker()
    crew.send("slow")
    crew.wait(lambda: bool(crew.ticks("slow")))
    crew.kill(first)
    crew.worker()
    if isinstance(crew.broker, RedisServer):
        with crew.broker.client() as client:
            assert client.hlen("unacked") == 1  # for another worker, in a minute
        crew.send("slow")  # as beat does long before
    crew.wait(lambda: bool(crew.ticks("slow done")))
    assert len(crew.ticks("slow")) == 2


def test_a_tick_that_kills_its_process_each_time_stops_nobody_else(crew: Crew) -> None:
    crew.worker(processes=2)
    crew.send("deadly")
    crew.wait(lambda: len(crew.ticks("deadly")) >= 2)
    crew.send("steady")
    crew.wait(lambda: bool(crew.ticks("steady done")))
    if isinstance(crew.broker, RabbitServer):
        crew.wait(lambda: waiting_after_another(crew, PARKED) == 1)
        assert len(crew.ticks("deadly")) == DELIVERIES
        crew.wait(lambda: waiting(crew.broker) == 0)


def waiting_after_another(crew: Crew, queue: str) -> int:
    """A worker gives a tick back when it next wakes up, which another one makes sooner."""
    crew.send("steady")
    return waiting(crew.broker, queue)


def test_while_nobody_works_no_more_than_a_round_waits(broker: Broker) -> None:
    forget(broker)
    app = celery_app(broker.url, JOBS, lambda: lambda _: None)
    rounds = Rounds(app)
    for _ in range(4):
        rounds.apply_entry(rounds.schedule["round"], rounds.producer)
    rounds.close()
    assert list(rounds.schedule) == ["round"]
    assert waiting(broker) == len(JOBS)


@pytest.mark.rabbitmq
def test_ticks_are_json_in_a_quorum_queue(rabbitmq: RabbitServer, tmp_path: Path) -> None:
    forget(rabbitmq)
    with hired(tmp_path, rabbitmq) as crew, AnyConnection(rabbitmq.url) as connection:
        crew.send("steady")
        crew.wait(lambda: waiting(rabbitmq) == 1)
        message = connection.default_channel.basic_get(QUEUE)
        assert message.properties["content_type"] == "application/json"
        assert json.loads(message.body)[0] == ["steady"]
        connection.default_channel.basic_ack(message.delivery_tag)
        ours = celery_app(rabbitmq.url, JOBS, lambda: lambda _: None).amqp.queues[QUEUE].queue_arguments
        other = {**ours, "x-queue-type": "classic"}
        with pytest.raises(PreconditionFailed, match=r"x-queue-type.* received 'classic' but current is 'quorum'"):
            connection.default_channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments=other)


def test_the_pause_between_two_tries_to_reach_a_broker_does_not_grow() -> None:
    began = time.monotonic()
    with (
        Connection(f"amqp://127.0.0.1:{free_port('127.0.0.1')}//") as connection,
        pytest.raises(OSError, match="refused"),
    ):
        connection.ensure_connection(max_retries=4, reraise_as_library_errors=False)
    assert 3 < time.monotonic() - began < 10  # four seconds; by itself kombu pauses 2, 4, 6 and 8


@pytest.mark.redis
def test_the_commands_of_the_real_table_start_and_stop(tmp_path: Path) -> None:
    with redis_server() as redis, hired(tmp_path, redis) as crew:
        (tmp_path / "data").mkdir()
        for command in ("worker", "beat"):
            crew.start(command, module="tracker", DATABASE_URL=f"sqlite:///{tmp_path}/data/tracker.db")
        assert crew.stop() == [0, 0]
        assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "log-0", "log-1"]


@pytest.mark.rabbitmq
def test_a_worker_leaves_a_broker_that_hangs_when_it_is_told_to(tmp_path: Path, rabbitmq: RabbitServer) -> None:
    forget(rabbitmq)
    with hired(tmp_path, rabbitmq) as crew:
        crew.worker()
        crew.beat()
        crew.wait(lambda: bool(crew.ticks("steady done")))
        rabbitmq.stop()
        try:
            assert crew.stop() == [0, 0]  # within a minute: without end otherwise
        finally:
            rabbitmq.wake()
