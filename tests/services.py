"""What a developer needs around Tracker, in the foreground: ``python -m tests.services`` (``make services``).

PostgreSQL, Redis and RabbitMQ from Debian's packages, each in a temporary folder at a free port, or at that of
POSTGRESQL_PORT, REDIS_PORT and RABBITMQ_PORT. It prints what to export, and leaves nothing behind.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack
from types import FrameType
from typing import NoReturn

import pytest

from tests.postgresql_server import NotInstalled, postgresql_server
from tests.rabbitmq_server import rabbitmq_server
from tests.servers import redis_server


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    try:
        with ExitStack() as stack:
            _run(stack)
    except (NotInstalled, pytest.skip.Exception) as missing:
        sys.exit(f"{missing}")


def _run(stack: ExitStack) -> None:
    database = stack.enter_context(postgresql_server(_port("POSTGRESQL_PORT")))
    redis = stack.enter_context(redis_server(_port("REDIS_PORT")))
    rabbitmq = stack.enter_context(rabbitmq_server(_port("RABBITMQ_PORT")))
    given = {
        "DATABASE_URL": database,
        "TEST_DATABASE_URL": database,
        "REDIS_URL": redis.url,
        "CELERY_BROKER_URL": rabbitmq.url,
    }
    for name, value in given.items():
        print(f"export {name}={value}")
    print("# they run until Ctrl-C, and what they keep goes with them", flush=True)
    while True:
        signal.pause()


def _port(name: str) -> int | None:
    return int(os.environ.get(name) or 0) or None  # noqa: TID251 - no setting of the product


def _end(_: int, __: FrameType | None) -> NoReturn:
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)  # once is enough
    sys.exit()


if __name__ == "__main__":
    main()
