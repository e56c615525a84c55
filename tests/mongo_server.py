"""Servers that speak MongoDB's protocol, as processes that a test may stop, wake and kill.

No mongod can be had from a package registry. There is mongo-java-server, which takes many clients at once and knows no
transactions, and nx-27017, which knows them and takes one client at a time; ``docs/stores.md`` says what is proven on
which. Maven fetches the jars of the first once, to a folder that git ignores, and each must have the sum that
``tests/mongodb/jars.sha256`` says. Without a JDK or Maven, what needs it is skipped; TRACKER_REQUIRE_SERVERS=1 makes
that a failure.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.missing import unavailable
from tests.servers import HOST, PATIENCE, Haltable
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROOT = Path(__file__).parents[1]
_SOURCE = _ROOT / "tests" / "mongodb"
_JARS = _ROOT / "build" / "mongodb"
_COPY = ["mvn", "--quiet", "--batch-mode", f"--file={_SOURCE / 'pom.xml'}", "dependency:copy-dependencies"]
# What it allocates is soon over, and most of the machine belongs to the tests.
_JAVA = ["java", "-XX:+UseSerialGC", "-Xmx1g", "-cp", f"{_JARS}/*", str(_SOURCE / "Server.java")]
_NX_27017 = [sys.executable, str(_SOURCE / "transactional.py")]


@dataclass
class MongoServer(Haltable):
    """One that runs, at a port of its own."""

    port: int
    command: list[str]
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"mongodb://{HOST}:{self.port}/"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)

    def start_again(self) -> None:
        """Start it anew at the same port, with what it had if it is durable, else empty."""
        self.process = _started(self.command, self.folder)
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
def mongo_server(*, durable: bool = False) -> Iterator[MongoServer]:
    """Give one without transactions: in memory, or on disk with all that it acknowledged."""
    _fetch()
    with _running(lambda port, folder: [*_JAVA, str(port), *([f"{folder}/data"] if durable else [])]) as server:
        yield server


@contextmanager
def transactional_server() -> Iterator[MongoServer]:
    """Give one with transactions, for one client at a time: a replica set of one, in memory."""
    with _running(lambda port, _: [*_NX_27017, HOST, str(port)]) as server:
        yield server


@contextmanager
def _running(command_at: Callable[[int, str], list[str]]) -> Iterator[MongoServer]:
    port = free_port(HOST)
    with tempfile.TemporaryDirectory(prefix="tracker-mongodb-", ignore_cleanup_errors=True) as folder:
        command = command_at(port, folder)
        server = MongoServer(port, command, Path(folder), _started(command, Path(folder)))
        try:
            server.wait()
            yield server
        finally:
            server.wake()
            server.kill()


def _fetch() -> None:
    """Have each jar in its folder, with the sum that the repository says."""
    if reason := _why_not():
        unavailable(f"no MongoDB: TEST_MONGO_URL is not set, and {reason}")
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in _JARS.glob("*.jar")}
    assert found == _sums(), f"{_JARS} has other jars than tests/mongodb/jars.sha256 names"


def _sums() -> dict[str, str]:
    lines = (_SOURCE / "jars.sha256").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in map(str.split, lines)}


@cache
def _why_not() -> str:
    """Fetch the jars unless they are there, and return why that is not possible, if it is not."""
    if shutil.which("javac") is None:
        return "there is no JDK for mongo-java-server"
    with _alone():
        if all((_JARS / name).exists() for name in _sums()):
            return ""
        if shutil.which("mvn") is None:
            return "there is no Maven to fetch mongo-java-server"
        copied = subprocess.run(_COPY, capture_output=True, text=True, check=False)
    return f"Maven could not fetch mongo-java-server: {copied.stdout[:300]}" if copied.returncode else ""


@contextmanager
def _alone() -> Iterator[None]:
    """Keep the other processes of the suite from fetching at the same time."""
    _JARS.parent.mkdir(exist_ok=True)
    with (_JARS.parent / "mongodb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _started(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        # In a session of its own: Ctrl-C is for us. It ends with its stdin, so it outlives nobody who was killed.
        return subprocess.Popen(command, start_new_session=True, stdin=subprocess.PIPE, stdout=log, stderr=log)


def _answers(url: str) -> bool:
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=500) as client:
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
        return True
