"""A call's whole way, in one thread: guard, pages, limits, the stack; and every failure of it as an answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tracker.domain.refusals import Refusal
from tracker.edge.answers import problem_of
from tracker.edge.cors import Cors
from tracker.edge.guard import PROBES
from tracker.edge.observer import Routes
from tracker.edge.problems import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.edge.call import Answer, Call
    from tracker.edge.document import Operation
    from tracker.edge.guard import Guard
    from tracker.edge.limits import Limits
    from tracker.edge.pages import Pages

logger = logging.getLogger("tracker")


class Responder:
    """Turns a complete Call into an Answer, whatever happens."""

    def __init__(
        self,
        guard: Guard,
        pages: Pages,
        stack: Callable[[Call], Answer],
        *,
        limits: Limits | None = None,
        cors: Cors | None = None,
    ) -> None:
        """Take the three in the order in which they are asked, and what counts between the guard and the stack."""
        self._guard, self._pages, self._stack = guard, pages, stack
        self._limits, self._cors = limits, cors or Cors()
        self.routes = Routes(guard, pages)

    def __call__(self, call: Call) -> Answer:
        """Return the answer; a bug is a 500 with its traceback in the log, under the request id."""
        answer = self._answer_or_problem(call)
        return answer.with_headers(*call.limits) if call.limits else answer

    def _answer_or_problem(self, call: Call) -> Answer:
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
        if self._cors.is_preflight(call):
            self._guard.check_target(call)
            return self._cors.preflight(self._guard.allowed(call.path))
        self._count(call, self._admit(call))
        return self._stack(call)

    def _admit(self, call: Call) -> Operation:
        try:
            return self._guard.admit(call)
        except Refusal:
            self._count(call, None)
            raise

    def _count(self, call: Call, operation: Operation | None) -> None:
        if self._limits is not None and call.path not in PROBES:
            self._limits.count(call, operation.rate_limit if operation else None)
