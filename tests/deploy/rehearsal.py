"""Do what the Dockerfile says without Docker, and run what comes of it: ``python -m tests.deploy.rehearsal``.

As root, on Linux. Every stage is built in a layer over this machine; then migrate, serve, worker, beat and health run
as the image's user, without a capability, on a root that nobody can write to. It ends with what did not work, or 0.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.deploy.dockerfile import DOCKERFILE, parsed
from tests.deploy.layers import ROOT, Layer, confine, context_of, mounted, perform
from tests.servers import HOST, redis_server
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.deploy.dockerfile import Stage

PATIENCE = 120  # seconds; for what takes a few
_INSIDE = "--inside"  # a mount namespace of our own


@dataclass
class Container:
    """What runs of an image, with the settings that all of it has."""

    stage: Stage
    layer: Layer
    settings: dict[str, str]
    logs: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def _command(self, *arguments: str) -> list[str]:
        return self.layer.command(*self.stage.only("ENTRYPOINT").command, *arguments)

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        environment = {**self.layer.environment, **self.settings, **settings}
        return subprocess.run(
            self._command(*arguments), env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def start(self, *arguments: str, **settings: str) -> None:
        environment = {**self.layer.environment, **self.settings, **settings}
        with (self.logs / arguments[0]).open("wb") as log:
            process = subprocess.Popen(
                self._command(*arguments), env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self.processes[arguments[0]] = process

    def stop(self) -> dict[str, int]:
        """Return the exit codes of all that are asked to stop."""
        for process in self.processes.values():
            process.terminate()
        return {name: process.wait(timeout=PATIENCE) for name, process in self.processes.items()}

    def kill(self) -> None:
        """End whoever still runs, with the processes that they have made."""
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=PATIENCE)

    def log(self) -> str:
        return "\n".join(f"--- {file.name}\n{file.read_text(encoding='utf-8')}" for file in self.logs.iterdir())


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


def built(folder: Path) -> tuple[Stage, Layer]:
    """Return the last stage of the Dockerfile and its layer."""
    context = context_of((ROOT / ".dockerignore").read_text(encoding="utf-8"), folder / "context")
    layers: dict[str, Layer] = {}
    stages = parsed(DOCKERFILE.read_text(encoding="utf-8"))
    for stage in stages:
        with step(stage.name):
            layers[stage.name] = mounted(folder / stage.name)
            perform(stage, layers[stage.name], context, layers)
    return stages[-1], layers[stages[-1].name]


def until(condition: Callable[[], bool], container: Container) -> None:
    """Return once something is so; fail with the logs if it takes too long, or somebody ends."""
    end = time.monotonic() + PATIENCE
    while not condition():
        ended = [name for name, process in container.processes.items() if process.poll() is not None]
        assert not ended, f"{ended} ended\n{container.log()}"
        assert time.monotonic() < end, container.log()
        time.sleep(0.2)


def healthy(container: Container, *options: str, **settings: str) -> bool:
    program, *check = container.stage.health_check
    assert [program] == container.stage.only("ENTRYPOINT").command
    return container.run(*check, *options, **settings).returncode == 0


def rehearse_serving(container: Container) -> None:
    """Migrate, serve, be ready; as nobody in particular, on a root that is not written to."""
    with step("migrate"):
        migrated = container.run("migrate")
        assert "is up to date" in migrated.stdout, migrated
    assert not healthy(container), "it is healthy before it runs"
    with step("serve, until it is ready"):
        container.start(*container.stage.only("CMD").command)
        until(lambda: healthy(container), container)
        until(lambda: healthy(container, "--ready"), container)
    confined(container)


def confined(container: Container) -> None:
    """Fail unless the server is who it should be, and may do nothing that it should not."""
    status = Path(f"/proc/{container.processes['serve'].pid}/status").read_text(encoding="ascii")
    said = dict(line.split(":\t", 1) for line in status.splitlines())
    uid, _, gid = container.layer.user.partition(":")
    assert (said["Uid"].split(), said["Gid"].split()) == ([uid] * 4, [gid] * 4), said
    assert {int(said[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapInh")} == {0}, said
    assert said["NoNewPrivs"] == "1", said
    for path in ("/", "/venv", "/usr/local"):
        assert os.statvfs(container.layer.within(path)).f_flag & os.ST_RDONLY, f"{path} can be written to"
    print(f"  it runs as {uid}:{gid}, without a capability, on a read-only root", flush=True)


def rehearse_background(container: Container) -> None:
    """Work and beat, until both have a heartbeat and a job was run."""
    for command in ("worker", "beat"):
        with step(f"{command}, until it shows that it gets on"):
            heartbeat = {"HEARTBEAT_FILE": f"/tmp/{command}"}  # noqa: S108 - in the container
            assert not healthy(container, "--heartbeat", **heartbeat), "it gets on before it runs"
            container.start(command, **heartbeat)
            until(lambda: healthy(container, "--heartbeat", **heartbeat), container)  # noqa: B023 - at once
    with step("jobs, until the first of the table was run"):
        until(lambda: "finished" in container.run("jobs").stdout.partition("remind,")[0], container)


def rehearse(folder: Path) -> None:
    stage, layer = built(folder)
    confine(layer, ROOT, Path.home())
    logs = folder / "logs"
    logs.mkdir()
    port = str(free_port(HOST))
    settings = {"SECRET_KEY": "k" * 40, "HOST": HOST, "PORT": port, "WORKERS": "1"}
    container = Container(stage, layer, settings, logs)
    with ExitStack() as stack:
        stack.callback(container.kill)
        try:
            settings["CELERY_BROKER_URL"] = stack.enter_context(redis_server()).url
        except pytest.skip.Exception as missing:
            print(f"worker and beat are left out: {missing}")
        rehearse_serving(container)
        if "CELERY_BROKER_URL" in settings:
            rehearse_background(container)
        with step("all are stopped"):
            ended = container.stop()
            assert set(ended.values()) == {0}, f"{ended}\n{container.log()}"


def main(arguments: list[str]) -> int:
    """Rehearse in a mount namespace; its folder is removed from outside, where nothing is mounted in it."""
    if arguments[:1] == [_INSIDE]:
        rehearse(Path(arguments[1]))
        print("The Dockerfile makes an image that runs.")
        return 0
    with tempfile.TemporaryDirectory(prefix="tracker-rehearsal-") as folder:
        again = [sys.executable, "-m", "tests.deploy.rehearsal", _INSIDE, folder]
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", *again], cwd=ROOT, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
