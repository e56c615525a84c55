"""Debian's Chromium, driven by Playwright: what a test does with a page, and all that the page should not have done."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.missing import unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PATIENCE = 90_000  # milliseconds; for what takes a moment
DESKTOP, PHONE, NARROW = (1280, 900), (390, 844), (360, 740)
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Visit:
    """A page that is open, and what went wrong on it: errors, and requests to any other machine."""

    page: Page
    home: str
    complaints: list[str] = field(default_factory=list)

    def hear(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self.complaints.append(said.text)

    def notice(self, asked: Request) -> None:
        if not asked.url.startswith((f"{self.home}/", "data:", "blob:")):
            self.complaints.append(asked.url)

    def open(self, path: str) -> None:
        """Go to a page of ours and wait until it is all there."""
        self.page.goto(self.home + path)
        ready = {"/docs": "html[data-ready]", "/reference": "#reference >> text=Start here"}
        if path in ready:
            self.page.wait_for_selector(ready[path])

    def log_in(self, name: str = "ann") -> None:
        """Take one of the demo's logins, and wait until the examples are theirs."""
        examples = "(document.documentElement.dataset.examples ?? null)"
        made_up = self.page.evaluate(examples)
        self.page.get_by_role("button", name=f"Log in as {name}").click()
        self.page.wait_for_selector(f"text=Logged in as {name}")
        self.page.wait_for_function(f"before => {examples} !== before", arg=made_up)

    def unfold(self, tag: str, operation_id: str) -> str:
        """Open an operation and return its selector."""
        selector = f"#operations-{tag}-{operation_id}"
        self.page.click(f"{selector} .opblock-summary-control")
        self.page.wait_for_selector(f"{selector} .btn.execute")
        return selector

    def execute(self, tag: str, operation_id: str) -> tuple[str, str]:
        """Press Execute; return the status of the answer, and the request as a line for curl."""
        selector = self.unfold(tag, operation_id)
        self.page.click(f"{selector} .btn.execute")
        return self.answered(selector)

    def answered(self, selector: str) -> tuple[str, str]:
        """Wait for the answer to an operation that is open."""
        status = self.page.wait_for_selector(f"{selector} .live-responses-table tbody td.response-col_status")
        assert status is not None
        return status.inner_text().split()[0], self.page.inner_text(f"{selector} .curl")

    def width(self) -> int:
        """Return how wide the page is, whatever is seen of it."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth")
        return wide

    def photograph(self, name: str) -> None:
        """Keep what is seen, for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """Give a browser; nothing of the test's process may run an event loop of its own meanwhile."""
    program = shutil.which("chromium")
    if program is None:
        unavailable("no Chromium: the program chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*_FLAGS, *flags], timeout=PATIENCE)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, home: str, size: tuple[int, int] = DESKTOP, **how: Any) -> Iterator[Visit]:
    """Give an empty page of a visitor who was never here."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **how)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    visited = Visit(page, home)
    page.on("console", visited.hear)
    page.on("pageerror", lambda error: visited.complaints.append(str(error)))
    page.on("request", visited.notice)
    try:
        yield visited
    finally:
        context.close()
