"""The frame that all pages for people have, and the files that pages are made of: ``static/`` beside this module."""

from __future__ import annotations

import html
from functools import cache
from importlib.resources import files
from string import Template


@cache
def static(name: str) -> bytes:
    """Return a file of ours."""
    return (files("tracker.edge") / "static" / name).read_bytes()


def filled(name: str, **parts: str) -> str:
    """Return a file of ours with each ``$part`` in it filled in, as it is."""
    return Template(static(name).decode()).substitute(parts)


def framed(title: str, body: str, *, head: str = "") -> bytes:
    """Return a whole page; ``body`` and ``head`` are HTML, ``title`` is text."""
    return filled("layout.html", title=html.escape(title), head=head, body=body).encode()
