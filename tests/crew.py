"""A worker and a beat as processes of their own, on the jobs of ``tests.ticking``, and what they have done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tests.canaries.watch import WATCH
from tests.rabbitmq_server import RabbitServer
from tests.servers import PASSWORD, RedisServer
from tests.ticking import JOBS
from tracker.worker import celery_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Broker = RabbitServer | RedisServer
ROOT = Path(__file__).parents[1]
PATIENCE = 60  # seconds; for what takes a few


@dataclass
class Crew:
    """Those who run, and one file each for their ticks and their logs."""

    folder: Path
    broker: Broker
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def start(self, *arguments: str, module: str = "tests.ticking", **settings: str) -> subprocess.Popen[bytes]:
        """Start a command and return once it says that it is ready."""
        process, log = self.hire(*arguments, module=module, **settings)
        self.wait(lambda: is_ready(log), process)
        return process

    def hire(
        self, *arguments: str, module: str = "tests.ticking", **settings: str
    ) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a command and return at once, with its log."""
        given = [str(self.folder / "ticks")] if module == "tests.ticking" else []
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT),
            "SECRET_KEY": "k" * 40,
            "CELERY_BROKER_URL": self.broker.url,
            **settings,
        }
        WATCH.keep_settings(environment)
        log = self.folder / f"log-{next(self.numbers)}"
        with log.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", module, *arguments, *given],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=err,
                start_new_session=True,
            )
        self.processes.append(process)
        return process, log

    def worker(self, processes: int = 1, **settings: str) -> subprocess.Popen[bytes]:
        return self.start("worker", "--concurrency", str(processes), **settings)

    def beat(self, **settings: str) -> subprocess.Popen[bytes]:
        return self.start("beat", **settings)

    def send(self, job: str) -> None:
        """Send a tick, as beat does."""
        app = celery_app(self.broker.url, JOBS, lambda: lambda _: None)
        with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
            app.send_task("tracker.tick", (job,), producer=producer)

    def ticks(self, job: str) -> list[float]:
        """When something was said to have happened."""
        file = self.folder / "ticks"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [float(at) for at, _, what in (line.split(" ", 2) for line in lines) if what == job]

    def wait(self, condition: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
        until = time.monotonic() + PATIENCE
        while not condition():
            assert process is None or process.poll() is None, self.logs
            assert time.monotonic() < until, self.logs
            time.sleep(0.05)

    @property
    def logs(self) -> str:
        return "\n".join(log.read_text(encoding="utf-8") for log in sorted(self.folder.glob("log-*")))

    def stop(self) -> list[int]:
        """Return the exit codes of all that are asked to stop."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        return [process.wait(timeout=PATIENCE) for process in self.processes]

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a command and the processes it has made, without a word."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE)
        self.processes.remove(process)


def is_ready(log: Path) -> bool:
    """Whether a worker or a beat has said in its log that it takes or sends ticks."""
    return "ing ticks" in log.read_text(encoding="utf-8")


@contextmanager
def hired(folder: Path, broker: Broker) -> Iterator[Crew]:
    """Give a crew of nobody yet; whoever still runs afterwards is killed, and no log may show the password."""
    crew = Crew(folder, broker)
    try:
        yield crew
        assert PASSWORD not in crew.logs
        WATCH.look_at("the log of a worker or a beat", crew.logs)
    finally:
        for process in list(crew.processes):
            if process.poll() is None:
                crew.kill(process)
