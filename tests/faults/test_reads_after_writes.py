"""Whoever reads after a write of theirs was answered reads what they wrote, whatever becomes of the Redis meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.readers import Harm, installation

if TYPE_CHECKING:
    from pathlib import Path

READS = 20_000


@pytest.mark.redis
@pytest.mark.postgresql
def test_no_read_is_older_than_the_write_before_it_while_redis_is_stopped_killed_and_flushed(tmp_path: Path) -> None:
    with installation(tmp_path) as one:
        harm = Harm(one.redis)
        seen = one.read(READS, harm)
        found = one.found()
    print(f"{len(seen.took)} reads, p99 {seen.p99:.1f} ms, {found}, {dict(harm.done)}")

    assert len(seen.took) >= READS
    assert (seen.stale, seen.errors) == ([], {})
    # Where none of these happened, nothing was shown.
    assert harm.done.keys() == {"stop", "kill", "flush"}
    assert found.keys() == {"hit_memory", "hit_redis", "miss", "bypass"}
