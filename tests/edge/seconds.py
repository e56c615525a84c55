"""Seconds that pass when they are told to."""

from __future__ import annotations

MINUTE = 60.0


class Time:
    """A clock; a window of a minute has just begun."""

    def __init__(self) -> None:
        self.at = 1_000_000 * MINUTE

    def __call__(self) -> float:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += seconds
