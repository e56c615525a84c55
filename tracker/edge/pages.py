"""Pages for people, all of them bytes made at start-up: the document, its Swagger UI, the problems.

Swagger UI 5 comes out of the package flask-swagger-ui; nothing on these pages is fetched from another machine.
"""

from __future__ import annotations

import hashlib
import html
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.edge.call import Answer, Call
from tracker.edge.problems import KINDS, Kind, MethodNotAllowed

if TYPE_CHECKING:
    from tracker.edge.document import Document

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HTML = "text/html; charset=utf-8"
_ASSETS = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}

_DOCS = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tracker API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<noscript>This page needs JavaScript; the document itself is at <a href="/openapi.yaml">/openapi.yaml</a>.</noscript>
<main id="swagger-ui"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
# validatorUrl null: Swagger UI would ask a server of its makers about the document.
_START = """window.ui = SwaggerUIBundle({
  url: "/openapi.yaml",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "list",
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""
_PROBLEM = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }}</style>
</head>
<body>
{body}
<p><a href="/problems">All problems</a> · <a href="/docs">The API</a></p>
</body>
</html>
"""


class Page:
    """Bytes with an ETag."""

    def __init__(self, body: bytes, content_type: str, *, status: int = 200, location: str | None = None) -> None:
        """Make the answer once."""
        self._etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = [
            (b"content-type", content_type.encode()),
            (b"etag", self._etag.encode()),
            (b"cache-control", b"no-cache"),
            (b"content-security-policy", _POLICY.encode()),
        ]
        if location is not None:
            headers.append((b"location", location.encode()))
        self._answer = Answer(status, tuple(headers), body)

    def answer(self, call: Call) -> Answer:
        """Return the page, or 304 to whoever has it already."""
        if call.method != "GET":
            raise MethodNotAllowed(["GET", "HEAD"])
        if call.headers.get("if-none-match") == self._etag:
            return Answer(304, self._answer.headers[1:])
        return self._answer


class Pages:
    """Every page by its path."""

    def __init__(self, document: Document) -> None:
        """Make them all."""
        self._pages = {
            "/": Page(b"", _HTML, status=307, location="/docs"),
            "/openapi.yaml": Page(document.yaml_bytes, "application/yaml"),
            "/openapi.json": Page(document.json_bytes, "application/json"),
            "/docs": Page(_DOCS.encode(), _HTML),
            "/docs/start.js": Page(_START.encode(), "text/javascript; charset=utf-8"),
            "/problems": Page(_index().encode(), _HTML),
        }
        dist = Path(str(files("flask_swagger_ui"))) / "dist"
        for name, content_type in _ASSETS.items():
            self._pages[f"/docs/{name}"] = Page((dist / name).read_bytes(), content_type)
        self._pages["/favicon.ico"] = self._pages["/docs/favicon-32x32.png"]
        for kind in KINDS.values():
            self._pages[kind.type] = Page(_page(kind).encode(), _HTML)

    def at(self, path: str) -> Page | None:
        """Return the page with a path."""
        return self._pages.get(path)


def _page(kind: Kind) -> str:
    title, remedy = html.escape(kind.title), html.escape(kind.remedy)
    return _PROBLEM.format(
        title=title, body=f"<h1>{title}</h1>\n<p>HTTP {kind.status}, <code>{kind.type}</code></p>\n<p>{remedy}</p>"
    )


def _index() -> str:
    rows = "\n".join(
        f'<li>{kind.status} <a href="{kind.type}">{html.escape(kind.title)}</a></li>'
        for kind in sorted(KINDS.values(), key=lambda kind: (kind.status, kind.slug))
    )
    return _PROBLEM.format(title="Problems", body=f"<h1>Problems</h1>\n<ul>\n{rows}\n</ul>")
