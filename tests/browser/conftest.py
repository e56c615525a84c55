"""A browser and a demo for all tests of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import Visit, chromium, visit
from tests.demo_server import demo_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def home(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with demo_server(tmp_path_factory.mktemp("demo")) as url:
        yield url


@pytest.fixture
def docs(browser: Browser, home: str) -> Iterator[Visit]:
    """The page where everything can be tried, on a desktop."""
    with visit(browser, home) as visited:
        visited.open("/docs")
        yield visited
