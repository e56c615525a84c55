"""nx-27017, which knows transactions, as the replica set of one that a driver expects them of: ``… HOST PORT``.

By itself it says that it is a standalone server, of which nobody may expect them; and where an index has ``_id`` among
its keys, it refuses every write from then on: it is given none of these. It keeps nothing.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from nx_27017.handler import NeoSQLiteHandler
from nx_27017.server import run_server_threaded


class Handler(NeoSQLiteHandler):  # type: ignore[misc]  # it ships no types
    """Adds to each greeting what the only member of a replica set says, and makes no index of what it cannot."""

    def __init__(self, address: str) -> None:
        super().__init__(":memory:", data_dir="memory")
        self._set = {"setName": "tests", "hosts": [address], "me": address, "primary": address}

    def handle_command(self, msg: Any) -> tuple[int, Any]:
        for _, document in msg["sections"]:
            if isinstance(document, dict) and "createIndexes" in document:
                document["indexes"] = [index for index in document["indexes"] if "_id" not in index["key"]]
        request_id, answer = super().handle_command(msg)
        return request_id, self._greeting(answer)

    def handle_query(self, msg: Any) -> tuple[int, Any]:
        request_id, answers = super().handle_query(msg)
        return request_id, list(map(self._greeting, answers))

    def _greeting(self, answer: Any) -> Any:
        said = {"isWritablePrimary", "maxWireVersion"}
        return {**answer, **self._set, "ismaster": True, "secondary": False} if said <= set(answer) else answer


def main(host: str, port: int) -> None:
    """Serve for as long as there is a stdin."""
    handler = Handler(f"{host}:{port}")
    threading.Thread(target=run_server_threaded, args=(host, port, handler), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
