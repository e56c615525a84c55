"""What the browser's own network log says of a visit to the pages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import chromium, visit
from tests.demo_server import HOST, demo_server

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.chromium


def test_no_request_leaves_the_machine(tmp_path: Path) -> None:
    log = tmp_path / "network.json"
    with chromium(f"--log-net-log={log}") as browser, demo_server(tmp_path) as home, visit(browser, home) as seen:
        seen.open("/docs")
        seen.log_in()
        assert seen.execute("Tasks", "createTask")[0] == "201"
        seen.open("/reference")
        seen.page.mouse.wheel(0, 20_000)
        assert seen.complaints == []

    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = {str(event.get("params", {}).get("url", "")) for event in events}
    print(sorted(asked))
    hosts = {match[1] for url in asked if (match := re.match(r"\w+://([^/:]+)", url))}
    assert hosts == {HOST}
