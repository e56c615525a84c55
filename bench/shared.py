"""Tracker with answers that are remembered in Redis alone: what another machine would find there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from unittest import mock

from tracker import app
from tracker.edge.cache import Memory
from tracker.edge.granian_in_place import serve_in_place

if TYPE_CHECKING:
    from tracker.edge.front import Front


def create_app() -> Front:
    """Return the application of one server process, whose own memory is too small for any answer."""
    with mock.patch.object(app, "Memory", partial(Memory, largest=0)):
        front = app.create_app()
    serve_in_place(front)
    return front
