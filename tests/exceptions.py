"""What the servers that stand in for MongoDB cannot do: the tests they are excused from, each with its reason.

This is the only list. Nobody else leaves out a test for them, and on a real MongoDB (TEST_MONGO_URL) none is left out.
A key is a test as pytest names it, without its parameters, or a whole file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mongo_databases import IS_GIVEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

_NO_TRANSACTIONS = "it has no transactions: each task of a commit is there to be read once it is written"
_ONE_CLIENT = "it takes one client at a time: of two, one destroys what the other wrote"

EXCUSED: Mapping[str, Mapping[str, str]] = {
    # mongo-java-server: many clients, no transactions.
    "mongodb": {
        "tests/store/test_races.py::test_a_reader_never_sees_half_a_commit": _NO_TRANSACTIONS,
    },
    # nx-27017: transactions, one client.
    "transactional": {
        "tests/store/test_races.py": _ONE_CLIENT,
    },
}


def excuse_of(test: pytest.Item) -> str | None:
    """Return why a test is left out, if it is."""
    given = getattr(test, "callspec", None)
    kinds = {str(value) for value in given.params.values()} & set(EXCUSED) if given and not IS_GIVEN else set()
    name = test.nodeid.partition("[")[0]
    reasons = (EXCUSED[kind].get(key) for kind in kinds for key in (name, name.partition("::")[0]))
    return next(filter(None, reasons), None)
