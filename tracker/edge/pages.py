"""Pages for people, all of them bytes made at start-up: the document, two views of it, the problems.

Swagger UI comes out of the package flask-swagger-ui, Scalar out of flask-openapi-scalar; nothing on these pages is
fetched from another machine.
"""

from __future__ import annotations

import hashlib
import html
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import orjson

from tracker.edge.call import Answer, Call
from tracker.edge.layout import filled, framed, static
from tracker.edge.problem_pages import problem_pages
from tracker.edge.problems import MethodNotAllowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.edge.document import Document

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HTML = "text/html; charset=utf-8"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "png": "image/png"}
_OURS = {
    "/docs/layout.css": "layout.css",
    "/docs/docs.css": "docs.css",
    "/docs/docs.js": "docs.js",
    "/docs/contract.js": "contract.js",
    "/docs/ids.js": "ids.js",
    "/docs/session.js": "session.js",
    "/reference/reference.js": "reference.js",
}
_PACKAGED = {
    "/docs/swagger-ui.css": ("flask_swagger_ui", "dist/swagger-ui.css"),
    "/docs/swagger-ui-bundle.js": ("flask_swagger_ui", "dist/swagger-ui-bundle.js"),
    "/docs/favicon-32x32.png": ("flask_swagger_ui", "dist/favicon-32x32.png"),
    "/favicon.ico": ("flask_swagger_ui", "dist/favicon-32x32.png"),
    "/reference/scalar.js": ("flask_openapi_scalar", "templates/scalar/js/scalar.standalone.js"),
}
_DOCS_HEAD = """<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/docs.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/docs.js" type="module"></script>
"""
_REFERENCE_HEAD = """<script src="/reference/scalar.js" defer></script>
<script src="/reference/reference.js" defer></script>
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

    def __init__(self, document: Document, *, logins: Sequence[str] = ()) -> None:
        """Make them all; ``logins`` are ``name:password``, of a demo, for whoever opens the page."""
        offered = [dict(zip(("name", "password"), login.split(":", 1), strict=True)) for login in logins]
        self._pages = {
            **_files(),
            "/": Page(b"", _HTML, status=307, location="/docs"),
            "/openapi.yaml": Page(document.yaml_bytes, "application/yaml"),
            "/openapi.json": Page(document.json_bytes, "application/json"),
            "/docs": Page(_docs(document), _HTML),
            "/docs/logins.json": Page(orjson.dumps(offered), "application/json"),
            "/reference": Page(
                framed("Tracker: the reference", static("reference.html").decode(), head=_REFERENCE_HEAD), _HTML
            ),
        }
        self._pages |= {path: Page(body, _HTML) for path, body in problem_pages().items()}

    def at(self, path: str) -> Page | None:
        """Return the page with a path."""
        return self._pages.get(path)


def _docs(document: Document) -> bytes:
    """Return the page to try things on, which opens with the first paragraph of what the document says of itself."""
    info = document.root["info"]
    lead, _, _ = info["description"].partition("\n\n")
    body = filled("docs.html", lead=html.escape(lead), version=html.escape(info["version"]))
    return framed("Tracker API", body, head=_DOCS_HEAD)


@cache
def _files() -> dict[str, Page]:
    """Return what is a file: the same for every installation in this process."""
    bodies = {path: static(name) for path, name in _OURS.items()}
    bodies |= {path: (files(package) / name).read_bytes() for path, (package, name) in _PACKAGED.items()}
    return {
        path: Page(body, _TYPES["png" if path == "/favicon.ico" else path.rpartition(".")[2]])
        for path, body in bodies.items()
    }
