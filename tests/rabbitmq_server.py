"""A RabbitMQ of one's own: Debian's rabbitmq-server, as a process that a test may stop, wake, kill and start again.

It listens at 127.0.0.1 alone, has one user with a password, and comes with an epmd of its own: Erlang's nodes would
otherwise share one, which outlives them all. Without the program, what needs it is skipped; TRACKER_REQUIRE_SERVERS=1
makes that a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kombu import Connection
from kombu.exceptions import OperationalError

from tests.missing import unavailable
from tests.servers import HOST, PASSWORD, PATIENCE, Haltable
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "tracker"
_DEBIANS = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one in the PATH is for root, and changes to another user
_CONFIGURATION = """\
listeners.tcp.1 = {host}:{port}
default_user = {user}
default_pass = {password}
disk_free_limit.absolute = 1MB
raft.wal_max_size_bytes = 1048576
log.file = false
log.console = true
"""


@dataclass
class RabbitServer(Haltable):
    """One that runs, at a port of its own."""

    port: int
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{PASSWORD}@{HOST}:{self.port}//"

    def waiting(self, queue: str) -> int:
        """How many messages are in a queue and with nobody; it has to be there."""
        with Connection(self.url) as connection:
            return int(connection.default_channel.queue_declare(queue, passive=True).message_count)

    def start_again(self) -> None:
        """Start it anew at the same port, with what it had."""
        self.process = _started(self.folder, self.environment)
        self.wait()

    def wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while not _answers(self.url):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.05)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")


@contextmanager
def rabbitmq_server(port: int | None = None) -> Iterator[RabbitServer]:
    """Give a RabbitMQ that answers, and has nothing in it."""
    if _program() is None or shutil.which("epmd") is None:
        unavailable("no RabbitMQ: the program rabbitmq-server is not installed")
    port, names = port or free_port(HOST), str(free_port(HOST))
    with tempfile.TemporaryDirectory(prefix="tracker-rabbitmq-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        environment = _environment(folder, port, names)
        with _running(["epmd", "-port", names, "-address", HOST]):
            server = RabbitServer(port, folder, environment, _started(folder, environment))
            try:
                server.wait()
                yield server
            finally:
                server.wake()
                server.kill()


def _program() -> str | None:
    return str(_DEBIANS) if _DEBIANS.exists() else shutil.which("rabbitmq-server")


def _environment(folder: Path, port: int, names: str) -> dict[str, str]:
    (folder / "plugins").write_text("[].\n", encoding="utf-8")
    configuration = _CONFIGURATION.format(host=HOST, port=port, user=USER, password=PASSWORD)
    (folder / "rabbitmq.conf").write_text(configuration, encoding="utf-8")
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(folder),  # where Erlang makes its cookie
        "ERL_EPMD_PORT": names,
        "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_NODENAME": f"tracker-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port(HOST)),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_FEATURE_FLAGS_FILE": str(folder / "features"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the server, instead of standing between it and us
    }


def _started(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        # In a session of its own: Ctrl-C is for us, we kill it once nobody needs it any more.
        return subprocess.Popen([str(_program())], cwd=folder, env=environment, start_new_session=True, **given)


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        process.kill()
        process.wait(timeout=PATIENCE)


def _answers(url: str) -> bool:
    with Connection(url, connect_timeout=2) as connection:
        try:
            connection.ensure_connection(max_retries=0)
        except OperationalError:
            return False
        return True
