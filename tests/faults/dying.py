"""A process that sends one request to an installation in itself and dies just after its n-th write to a MongoDB.

It is asked line by line: ``{"url", "writes", "token", "method", "path", "body", "key"}``, all of it JSON. For each it
makes a child that does it and dies, and says how that ended: DEAD, or what it answered. So the modules are loaded once.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pymongo import monitoring

from tests.databases import open_store
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

DEAD = "dead"
_KILLED = 77
_WRITES = {"insert", "update", "delete", "findAndModify", "bulkWrite", "commitTransaction"}


@dataclass
class Death(monitoring.CommandListener):
    """Comes once the server has answered so many writes, and before anybody hears of the last."""

    writes: int

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Let it be."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Let it be: nothing was written."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Count it."""
        self.writes -= event.command_name in _WRITES
        if self.writes == 0:
            os._exit(_KILLED)


def main() -> None:
    """Do what is asked until nobody asks any more."""
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _act(asked)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps(DEAD if code == _KILLED else code), flush=True)


def _act(asked: Mapping[str, Any]) -> None:
    """Send the request, and end this process."""
    monitoring.register(Death(asked["writes"]))
    world = World(open_store(asked["url"], connections=2))
    headers = {"idempotency-key": asked["key"]} if asked["key"] else {}
    answer = world.client.as_(asked["token"]).request(asked["method"], asked["path"], asked["body"], headers=headers)
    os._exit(0 if 200 <= answer.status < 300 else 1)


if __name__ == "__main__":
    main()
