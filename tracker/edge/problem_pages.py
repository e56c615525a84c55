"""The pages of the problems: what each kind means and what to do, at the URL that a problem's ``type`` names."""

from __future__ import annotations

import html

from tracker.edge.layout import framed
from tracker.edge.problems import KINDS, Kind


def problem_pages() -> dict[str, bytes]:
    """Return the list of all kinds and the page of each, by path."""
    return {"/problems": _index(), **{kind.type: _page(kind) for kind in KINDS.values()}}


def _page(kind: Kind) -> bytes:
    return _in_words(
        kind.title,
        f"<p>HTTP {kind.status}, <code>{kind.type}</code></p>\n<p>{html.escape(kind.remedy)}</p>\n"
        '<p><a href="/problems">All problems</a></p>',
    )


def _index() -> bytes:
    rows = "\n".join(
        f'<li>{kind.status} <a href="{kind.type}">{html.escape(kind.title)}</a></li>'
        for kind in sorted(KINDS.values(), key=lambda kind: (kind.status, kind.slug))
    )
    return _in_words("Problems", f"<ul>\n{rows}\n</ul>")


def _in_words(title: str, words: str) -> bytes:
    body = f'<main id="content" class="words" tabindex="-1">\n<h1>{html.escape(title)}</h1>\n{words}\n</main>'
    return framed(title, body)
