"""What the servers that stand in for MongoDB cannot do: the tests they are excused from, each with its reason.

This is the only list. Nobody else leaves out a test for them, and on a real MongoDB (TEST_MONGO_URL) none is left out.
A key is a test in ``tests/`` as pytest names it, without its parameters, or a whole file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mongo_databases import IS_GIVEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

_NO_TRANSACTIONS = (
    "it has no transactions: each thing in a commit is there to be read, and decided on, once it is written"
)
_ONE_CLIENT = "it takes one client at a time: of two, one destroys what the other wrote"
_OF_MANY_CLIENTS = (
    "store/test_claims.py::test_of_many_with_the_same_key_one_has_an_effect",
    "store/test_people.py::test_of_many_who_make_a_calendar_feed_for_one_user_at_once_one_does",
    "store/test_people.py::test_of_many_who_make_a_reset_for_one_user_at_once_one_does",
    "store/test_people.py::test_of_many_who_use_one_reset_at_once_one_does",
    "store/test_projects.py::test_deleting_projects_does_not_deadlock_with_whoever_works_in_them",
    "store/test_races.py",
    "store/test_scans.py",
    "store/test_schema.py::test_of_many_that_start_at_once_on_an_empty_database_one_migrates_and_all_come_up",
)
_NO_MILLISECONDS = "it keeps the milliseconds of a date, and compares and sorts by whole seconds"
_BY_MILLISECONDS = (
    "store/test_people.py::test_sessions_that_are_alive_are_listed_the_newest_first",
    "store/test_purge.py::test_what_was_over_before_an_instant_is_thrown_away_the_oldest_first",
    "store/test_purge.py::test_nothing_else_is_thrown_away_and_nothing_tells_of_it",
    "store/test_purge.py::test_a_session_is_thrown_away_with_its_refresh_tokens_which_do_not_count",
    "store/test_purge.py::test_a_run_goes_with_its_window_however_it_stands",
    "store/test_queries.py::test_what_is_due_is_so_at_its_last_instant_and_windows_that_adjoin_share_nothing",
    "store/test_queries.py::test_what_was_made_or_changed_at_an_instant_or_later_is_found",
    "store/test_queries.py::test_pages_in_any_order_hold_each_task_once",
    "store/test_random_queries.py::test_any_query_finds_what_a_plain_loop_finds",
    "store/test_reads.py::test_pages_hold_each_task_once_also_when_all_were_created_at_once",
    "store/test_upkeep.py::test_a_run_is_read_as_it_was_kept",
)

EXCUSED: Mapping[str, Mapping[str, str]] = {
    # mongo-java-server: many clients, no transactions.
    "mongodb": {
        "store/test_races.py::test_a_reader_never_sees_half_a_commit": _NO_TRANSACTIONS,
        "api/test_notifications.py::test_of_many_who_read_the_same_each_is_counted_once": _NO_TRANSACTIONS,
    },
    # nx-27017: transactions, one client.
    "transactional": {
        **dict.fromkeys(_OF_MANY_CLIENTS, _ONE_CLIENT),
        **dict.fromkeys(_BY_MILLISECONDS, _NO_MILLISECONDS),
    },
}


def excuse_of(test: pytest.Item) -> str | None:
    """Return why a test is left out, if it is."""
    given = getattr(test, "callspec", None)
    kinds = {str(value) for value in given.params.values()} & set(EXCUSED) if given and not IS_GIVEN else set()
    name = test.nodeid.removeprefix("tests/").partition("[")[0]
    reasons = (EXCUSED[kind].get(key) for kind in kinds for key in (name, name.partition("::")[0]))
    return next(filter(None, reasons), None)
