"""The contract, fuzzed: on each database, in this process and through a live server. ``make fuzz`` goes on for longer.

A run has a seed of its own: the same requests each time, and others in each place. The bounds of every value, which are
most of the requests, are tried on PostgreSQL, the stricter of the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from schemathesis.engine.run import PhaseName

from tests.fuzzing import PHASES, How, Restored, every_check, fuzz, fuzz_live
from tests.world import DOCUMENT, World
from tracker.domain.user import Role

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fuzzing import Report
    from tracker.store.contract import Store

OPERATIONS = {f"{operation.method} {operation.path}" for operation in DOCUMENT.operations}
AT_RANDOM = PHASES - {PhaseName.COVERAGE}


def assert_kept(report: Report, how: How, cases: int) -> None:
    """Fail unless the contract was kept, and looked at from every side."""
    assert not report.failures, "\n".join(report.failures)
    assert set(report.answers) == OPERATIONS
    assert len(report.done) > len(OPERATIONS) * 2 / 3, f"only refused: {sorted(OPERATIONS - report.done)}"
    assert set(report.checks) == every_check(), "a check never ran"
    assert report.phases == how.phases
    assert report.cases >= cases


@pytest.mark.parametrize(
    ("url", "how", "cases"),
    [
        pytest.param("sqlite", How(seed=1, examples=4, phases=AT_RANDOM), 300),
        pytest.param("postgresql", How(seed=2, examples=2), 2_000, marks=pytest.mark.postgresql),
        pytest.param("mongodb", How(seed=5, examples=11, phases=AT_RANDOM), 800, marks=pytest.mark.mongodb),
    ],
    indirect=["url"],
)
def test_no_request_there_is_makes_the_application_break_its_contract(
    store: Store, how: How, cases: int, tmp_path: Path
) -> None:
    assert_kept(fuzz(World(store, allowed_hosts="*"), how, tmp_path), how, cases)


@pytest.mark.parametrize(
    ("url", "how"),
    [
        pytest.param("sqlite", How(seed=3, examples=1, phases=AT_RANDOM)),
        pytest.param("postgresql", How(seed=4, examples=1, phases=AT_RANDOM), marks=pytest.mark.postgresql),
    ],
    indirect=["url"],
)
def test_no_request_there_is_makes_a_live_server_break_its_contract(url: str, how: How, tmp_path: Path) -> None:
    assert_kept(fuzz_live(url, how, tmp_path), how, cases=200)


def test_who_logs_out_or_is_shut_out_in_a_run_is_back_for_the_next_request(world: World) -> None:
    ann, root = world.person("ann"), world.person("root", Role.ADMIN)
    everybody = Restored(world, {"ann": ann, "root": root})
    for person, path, body in [(ann, "/logout", None), (root, f"/users/{ann.id}", {"status": "disabled"})]:
        method = "PATCH" if body else "POST"
        answer = world.of(person).request(method, path, body)
        assert world.of(ann).get("/me").status == 401

        everybody.put_right_after(method, answer.status)

        assert world.of(ann).get("/me").status == 200
