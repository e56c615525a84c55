"""What a server counts for whoever watches it: every metric is declared here.

The processes that serve write their counts into files, each into its own, and their parent adds them up for whoever
asks at METRICS_PORT. The file of a process that died stays until the server stops: what it counted did happen.
prometheus_client is imported late: it decides at its import, by PROMETHEUS_MULTIPROC_DIR, whether there are such files,
and a forked process has imported what its parent has.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracker.environment import hand_down

if TYPE_CHECKING:
    from collections.abc import Iterator


class Metrics:
    """The metrics of one process. With METRICS_PORT there can be one of these in it, for the files are by process."""

    def __init__(self) -> None:
        """Declare them."""
        from prometheus_client import CollectorRegistry, Counter  # noqa: PLC0415 - see above

        self.registry = CollectorRegistry()
        self._cache_answers = Counter(
            "tracker_cache_answers",
            "Lists and summaries by whether they were remembered: hit_memory, hit_redis, miss, "
            "bypass (Redis did not answer or was left alone, or CACHE=off).",
            ["result"],
            registry=self.registry,
        )

    def cache_answered(self, result: str) -> None:
        """Count an answer that could have been remembered, by whether it was."""
        self._cache_answers.labels(result).inc()


@contextmanager
def exposed(address: str, port: int) -> Iterator[None]:
    """Answer at a port with what all processes count that are started meanwhile."""
    with tempfile.TemporaryDirectory(prefix="tracker-metrics-") as folder:
        hand_down(prometheus_multiproc_dir=folder)
        from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415 - see above
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - likewise

        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]  # its __init__ has no types
        server, thread = start_http_server(port, address, registry)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
