"""What the doctor says of the broker."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import kombu
import pytest
from click.testing import CliRunner

from tests.rabbitmq_server import RabbitServer
from tests.servers import PASSWORD, PATIENCE, RedisServer
from tracker.cli import tracker
from tracker.worker import PARKED, QUEUE, broker_answers

if TYPE_CHECKING:
    from collections.abc import Iterator


def findings(url: str, subject: str = " broker: ") -> list[str]:
    given = {"SECRET_KEY": "k3yOf-more_than.thirty2bytes-0123456789", "CELERY_BROKER_URL": url}
    with patch.dict("os.environ", given, clear=True):
        shown = CliRunner().invoke(tracker, ["doctor"]).stdout
    assert PASSWORD not in shown
    assert "***" in shown
    return [line for line in shown.splitlines() if subject in line]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_doctor_asks_the_broker_whether_it_answers(broker: RabbitServer | RedisServer) -> None:
    (good,) = findings(broker.url)
    broker.stop()
    began = time.monotonic()
    try:
        (bad,) = findings(broker.url)
    finally:
        broker.wake()
    assert time.monotonic() - began < 10  # two seconds, and a busy machine
    assert good.startswith("ok    broker: ")
    assert good.endswith(" answers")
    assert bad.startswith("BAD   broker: ")
    assert "does not answer" in bad


def test_a_broker_that_refuses_the_password_does_not_answer(broker: RabbitServer | RedisServer) -> None:
    assert broker_answers(broker.url)
    assert not broker_answers(broker.url.replace(PASSWORD, "another"))


def test_without_a_broker_the_doctor_says_nothing_of_one() -> None:
    with patch.dict("os.environ", {"TRACKER_ENV": "development"}, clear=True):
        assert " broker: " not in CliRunner().invoke(tracker, ["doctor"]).stdout


@pytest.mark.rabbitmq
def test_the_doctor_says_who_takes_from_the_queue(rabbitmq: RabbitServer) -> None:
    with emptied(rabbitmq) as channel:
        assert "there is no tracker.ticks: no worker was ever here" in queue_at(rabbitmq)[0]
        kombu.Queue(QUEUE)(channel).declare()
        assert queue_at(rabbitmq) == ["note  broker queue: nobody takes from tracker.ticks; start: tracker worker"]
        tag = channel.basic_consume(QUEUE)
        assert queue_at(rabbitmq) == ["ok    broker queue: 1 take from tracker.ticks, 0 wait there"]
        channel.basic_cancel(tag)


@pytest.mark.rabbitmq
def test_the_doctor_says_what_has_killed_its_process_too_often(rabbitmq: RabbitServer) -> None:
    with emptied(rabbitmq) as channel:
        kombu.Queue(PARKED)(channel).declare()
        kombu.Producer(channel, routing_key=PARKED).publish({})
        until = time.monotonic() + PATIENCE
        while rabbitmq.waiting(PARKED) < 1:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert queue_at(rabbitmq)[1].startswith("note  broker queue: 1 killed their process too often")


@contextmanager
def emptied(broker: RabbitServer) -> Iterator[Any]:
    """Give a channel of a broker where nobody has been."""
    with kombu.Connection(broker.url) as connection:
        channel = connection.default_channel
        try:
            for name in (QUEUE, PARKED):
                channel.queue_delete(name)
            yield channel
        finally:
            for name in (QUEUE, PARKED):
                channel.queue_delete(name)


def queue_at(broker: RabbitServer) -> list[str]:
    return findings(broker.url, " broker queue: ")


@pytest.mark.parametrize("scheme", ["amqps", "rediss"])
def test_a_broker_whose_certificate_nobody_vouches_for_is_told_nothing(scheme: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard: list[object] = []
        thread = threading.Thread(target=_shake_hands, args=(listener, _certificate(tmp_path), heard))
        thread.start()
        assert not broker_answers(f"{scheme}://me:{PASSWORD}@127.0.0.1:{listener.getsockname()[1]}/")
        thread.join(timeout=60)
    assert [type(what) for what in heard] == [ssl.SSLError]
    assert "alert" in str(heard[0])  # it was the client that would not


def _shake_hands(listener: socket.socket, certificate: Path, heard: list[object]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    client, _ = listener.accept()
    with client:
        try:
            with context.wrap_socket(client, server_side=True) as secured:
                heard.append(secured.recv(1024))
        except OSError as problem:
            heard.append(problem)


def _certificate(folder: Path) -> Path:
    file = folder / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, "-keyout", str(file)]
    signed = subprocess.run(["openssl", "req", *made], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + signed.stdout)
    return file
