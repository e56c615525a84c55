"""Out: everything in a store, line by line."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tracker.transfer.form import Summary, first_line
from tracker.transfer.lines import NAME_OF, line_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.store.contract import Store


def export(
    store: Store, write: Callable[[bytes], object], *, contract_version: str, seen: Callable[[int], object]
) -> Summary:
    """Hand every line to ``write``, and to ``seen`` how many things they were; return what they came to."""
    summary = Summary()
    write(first_line(contract_version))
    with closing(store.everything()) as everything:
        for one in everything:
            line = line_of(one)
            summary.add(NAME_OF[type(one)], line)
            write(line)
            seen(1)
    write(summary.last_line())
    return summary
