"""What is asked of SQL, and how often: each of these is done before anything is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.questions import asked_from_now_on

if TYPE_CHECKING:
    import pytest

    from tests.builders import Person
    from tracker.store.sql.store import SqlStore


def test_who_holds_a_session_is_read_in_one_statement(
    store: SqlStore, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = asked_from_now_on(monkeypatch)

    assert store.standing(ann.session.id) is not None

    assert len(questions) == 1
