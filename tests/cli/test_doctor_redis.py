"""What the doctor says of the Redis that rate limits are counted in."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from tests.servers import PASSWORD, redis_server
from tracker.cli import tracker


def findings(folder: Path, url: str) -> list[str]:
    given = {"SECRET_KEY": "k3yOf-more_than.thirty2bytes-0123456789", "REDIS_URL": url}
    with patch.dict("os.environ", given, clear=True):
        shown = CliRunner().invoke(tracker, ["doctor"]).stdout
    assert PASSWORD not in shown
    return [line for line in shown.splitlines() if " redis: " in line]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.redis
def test_the_doctor_asks_the_redis_whether_it_answers(tmp_path: Path) -> None:
    with redis_server() as redis:
        (good,) = findings(tmp_path, redis.url)
        redis.kill()
        (bad,) = findings(tmp_path, redis.url)
    assert good == f"ok    redis: redis://:***@127.0.0.1:{redis.port}/0 answers"
    assert bad.startswith(f"BAD   redis: redis://:***@127.0.0.1:{redis.port}/0 does not answer")
