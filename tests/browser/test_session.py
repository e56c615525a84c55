"""Being logged in on a page for longer than a token lasts: half a minute of waiting, for a token of one minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import PATIENCE, visit
from tests.demo_server import demo_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Response

pytestmark = pytest.mark.chromium

END_OTHERS = """async () => {
  const credentials = JSON.stringify({ username: "ann", password: "correct horse battery" });
  const json = { "Content-Type": "application/json" };
  const login = await fetch("/login", { method: "POST", headers: json, body: credentials });
  const headers = { Authorization: `Bearer ${(await login.json()).access_token}` };
  const sessions = (await (await fetch("/me/sessions", { headers })).json()).items;
  const others = sessions.filter(({ current }) => !current);
  const ended = others.map(({ id }) => fetch(`/me/sessions/${id}`, { method: "DELETE", headers }));
  return (await Promise.all(ended)).map(({ status }) => status);
}"""


@pytest.fixture
def short(browser: Browser, tmp_path: Path) -> Iterator[str]:
    """A demo whose tokens last for a minute."""
    with demo_server(tmp_path, ACCESS_TOKEN_EXPIRE_MINUTES="1") as url:
        yield url


def is_refresh(answer: Response) -> bool:
    return answer.url.endswith("/token/refresh")


def test_a_token_is_made_anew_before_it_runs_out_until_the_session_is_ended(browser: Browser, short: str) -> None:
    with visit(browser, short) as seen:
        seen.open("/docs")
        with seen.page.expect_response(is_refresh, timeout=PATIENCE) as first:
            seen.log_in()
        assert first.value.status == 200
        assert seen.execute("Me", "getMe")[0] == "200"

        with seen.page.expect_response(is_refresh, timeout=PATIENCE) as second:
            assert set(seen.page.evaluate(END_OTHERS)) == {204}
        assert second.value.status == 401
        seen.page.wait_for_selector("text=Your session is over; log in again.")
        assert seen.page.get_by_label("Name or e-mail").is_visible()
