"""What the browser's own network log says of a visit to the pages.

It also has what Chromium wants of its makers for itself, which no page asked for: that has no page as its initiator,
and no name is resolved for it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import chromium, visit
from tests.demo_server import HOST, demo_server

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.chromium


def test_no_request_leaves_the_machine(tmp_path: Path) -> None:
    log = tmp_path / "network.json"
    alone = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}"
    with (
        chromium(f"--log-net-log={log}", alone) as browser,
        demo_server(tmp_path) as home,
        visit(browser, home) as seen,
    ):
        seen.open("/docs")
        seen.log_in()
        assert seen.execute("Tasks", "createTask")[0] == "201"
        seen.open("/reference")
        seen.page.mouse.wheel(0, 20_000)
        assert seen.complaints == []

    asked = [event.get("params", {}) for event in json.loads(log.read_text(encoding="utf-8"))["events"]]
    by_pages = {params["url"] for params in asked if "url" in params and params.get("initiator", "").startswith("http")}
    assert {f"{home}/openapi.json", f"{home}/reference/scalar.js", f"{home}/tasks"} <= by_pages
    assert {url for url in by_pages if not url.startswith(f"{home}/")} == set()
