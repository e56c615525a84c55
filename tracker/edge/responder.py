"""A call's whole way, in one thread: guard, pages, the stack; and every failure of it as an answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tracker.domain.refusals import Refusal
from tracker.edge.answers import problem_of
from tracker.edge.problems import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.edge.call import Answer, Call
    from tracker.edge.guard import Guard
    from tracker.edge.pages import Pages

logger = logging.getLogger("tracker")


class Responder:
    """Turns a complete Call into an Answer, whatever happens."""

    def __init__(self, guard: Guard, pages: Pages, stack: Callable[[Call], Answer]) -> None:
        """Take the three in the order in which they are asked."""
        self._guard, self._pages, self._stack = guard, pages, stack

    def __call__(self, call: Call) -> Answer:
        """Return the answer; a bug is a 500 with its traceback in the log, under the request id."""
        try:
            return self._answer(call)
        except Refusal as refusal:
            return problem_of(refusal, call.request_id)
        except Exception:
            logger.exception("request %s failed", call.request_id)
            return problem_of(InternalError(), call.request_id)

    def _answer(self, call: Call) -> Answer:
        page = self._pages.at(call.path)
        if page is not None:
            self._guard.check_target(call)
            return page.answer(call)
        self._guard.admit(call)
        return self._stack(call)
