"""Settings as an environment gives them, and what is said where it cannot."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from tracker.environment import Misconfigured
from tracker.settings import Settings

KEY = "a-key-of-more-than-thirty-two-bytes-0123456789"


def given(**values: str) -> Settings:
    with patch.dict("os.environ", values, clear=True):
        return Settings()


def refusal(**values: str) -> str:
    with pytest.raises(Misconfigured) as refused:
        given(**values)
    text = str(refused.value)
    assert "\n" not in text
    return text
