"""What becomes of a test whose server is not there."""

from __future__ import annotations

import os

import pytest


def environment(name: str) -> str:
    """Return what a variable holds that tells tests where their servers are."""
    return os.environ.get(name, "")  # noqa: TID251 - where tests find their servers is no setting of the product


def unavailable(reason: str) -> None:
    """Skip the test for want of a server, or fail it where servers are required."""
    if environment("TRACKER_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason}, and TRACKER_REQUIRE_SERVERS=1 is set")
    pytest.skip(reason)
