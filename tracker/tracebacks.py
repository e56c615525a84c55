"""Exceptions as the log shows them: where they went and what kind they are.

Neither their text nor any local variable is shown: both may hold what somebody has sent, a password or a title.
"""

from __future__ import annotations

from traceback import walk_tb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_CAUSED = "which was the cause of:"
_MEANWHILE = "while that was handled:"
_FRAMES = 60  # of each exception; more of them only a recursion has


def told(problem: BaseException, traceback: TracebackType | None) -> str:
    """Return an exception and what led to it, the way Python shows them, but for their texts."""
    return "\n".join(_lines(problem, traceback, set()))


def _lines(problem: BaseException, traceback: TracebackType | None, seen: set[int]) -> Iterator[str]:
    seen.add(id(problem))
    before = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, before.__traceback__, seen)
        yield _CAUSED if problem.__cause__ else _MEANWHILE
    yield "Traceback (most recent call last):"
    frames = [f'  File "{f.f_code.co_filename}", line {line}, in {f.f_code.co_name}' for f, line in walk_tb(traceback)]
    yield from frames if len(frames) <= _FRAMES else [*frames[: _FRAMES // 2], "  …", *frames[-_FRAMES // 2 :]]
    yield kind(problem)
    for inner in getattr(problem, "exceptions", ()):
        yield "of which one part is:"
        yield from _lines(inner, inner.__traceback__, seen)


def kind(problem: BaseException) -> str:
    """Return the name of an exception's class, with its module unless that is Python's own."""
    name, module = type(problem).__qualname__, type(problem).__module__
    return name if module == "builtins" else f"{module}.{name}"
