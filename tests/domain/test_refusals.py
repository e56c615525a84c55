"""The tree of refusals."""

from __future__ import annotations

import re

from tracker.domain import refusals
from tracker.domain.refusals import Refusal


def drawn() -> dict[str, str]:
    """Return each refusal with the one above it, as the module's docstring draws them."""
    above, tree = {-1: "object"}, {}
    for line in (refusals.__doc__ or "").splitlines():
        if found := re.match(r"([│├└─ ]*─ |(?=Refusal$))([A-Z]\w+)", line):
            depth = len(found[1]) // 4
            above[depth] = found[2]
            tree[found[2]] = above[depth - 1]
    return tree


def test_the_tree_that_is_drawn_is_the_tree_there_is() -> None:
    classes = [
        c for c in vars(refusals).values() if isinstance(c, type) and issubclass(c, Refusal) and c is not Refusal
    ]
    tree = drawn()
    tree.pop("Refusal")
    assert tree == {cls.__name__: cls.__mro__[1].__name__ for cls in classes}


def test_what_a_refusal_says_is_a_sentence() -> None:
    for refusal in (Refusal(), refusals.Unavailable(), refusals.NotFound("task"), refusals.Taken("email")):
        assert re.fullmatch(r"[A-Z].*\.", refusal.detail)
        assert str(refusal) == refusal.detail
