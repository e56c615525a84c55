"""A server without a broker does its work itself, in one thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.jobs.shift import Shift, a_job
from tracker.domain.refusals import Unavailable
from tracker.jobs.ticker import Ticker

if TYPE_CHECKING:
    from tracker.jobs.work import Work

PATIENCE = 30


def test_every_job_has_its_turn_though_another_fails(shift: Shift, caplog: pytest.LogCaptureFixture) -> None:
    ran = threading.Event()

    def fail(_work: Work) -> None:
        raise ZeroDivisionError

    def miss_the_store(_work: Work) -> None:
        raise Unavailable

    runner = shift.runner(
        a_job(fail, name="fails"), a_job(miss_the_store, name="gone"), a_job(lambda _work: ran.set(), name="runs")
    )
    ticker = Ticker(runner, pause=0.001)
    ticker.start()
    assert ran.wait(PATIENCE)
    ticker.stop()

    assert "job fails failed" in caplog.text
    assert "job gone: Something this request depends on" in caplog.text


def test_who_stops_waits_for_the_step_that_is_under_way(shift: Shift) -> None:
    began, ended = threading.Event(), threading.Event()

    def work_until_told(work: Work) -> None:
        began.set()
        while work.has_time():
            threading.Event().wait(0.001)
        ended.set()

    ticker = Ticker(shift.runner(a_job(work_until_told)), pause=0.001)
    ticker.start()
    assert began.wait(PATIENCE)
    ticker.stop()

    assert ended.is_set()
