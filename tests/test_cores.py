"""The cores of a machine are those that the process may run on, and no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracker import cores

STATISTICS = """\
cpu  9 9 9 999999 999999 9 9 9 9 9
cpu0 1 2 3 1000 500 6 7 8 9 10
cpu1 1 2 3 200 50 6 7 8 9 10
cpu10 1 2 3 70000 7000 6 7 8 9 10
intr 1 2 3 4
"""


def test_what_others_may_run_on_is_not_counted_as_idle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "stat").write_text(STATISTICS)
    monkeypatch.setattr(cores, "_STATISTICS", tmp_path / "stat")
    monkeypatch.setattr(cores, "allowed", lambda: [0, 1])
    assert cores.idle() == pytest.approx(1750 / os.sysconf("SC_CLK_TCK"))


def test_where_nobody_says_none_is_idle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cores, "_STATISTICS", tmp_path / "none")
    assert cores.idle() == 0


def test_where_nobody_says_which_there_are_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert list(cores.allowed()) == [0, 1, 2]
