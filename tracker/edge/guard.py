"""What is refused before Connexion sees it: hosts, paths, methods, media types and doubled headers.

It stands in front because Connexion's routers disagree with each other (``//tasks`` is no path to the first and a
path to the second), skip validation for ``Application/JSON`` and answer an ``Allow`` with one method of several.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracker.edge.problems import BadRequest, MethodNotAllowed, NoSuchPath, UnsupportedMediaType, UriTooLong

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tracker.edge.call import Call
    from tracker.edge.document import Operation

    _Parts = tuple[str, ...]

MAX_TARGET = 8000
# Whoever asks these knows the process by an address of its own; their answers depend on nothing that was sent.
PROBES = frozenset({"/livez", "/readyz"})
_SINGLE = frozenset(
    {"host", "authorization", "content-type", "content-length", "content-encoding", "transfer-encoding"}
)
# Media types are compared as they are written: a server that folds case in one place and not in another has a hole.
_JSON_IN_UTF8 = re.compile(r'application/json(?:\s*;\s*(?i:charset=(?:utf-8|"utf-8")))?', re.ASCII)
_PORT = re.compile(r":\d{1,5}$", re.ASCII)


class Guard:
    """Knows every path of the contract and what each takes."""

    def __init__(self, operations: Iterable[Operation], *, hosts: Collection[str]) -> None:
        """Take ``hosts`` as names or ``*.suffix``; ``*`` admits every host."""
        self._hosts = frozenset(hosts)
        self._paths: dict[_Parts, dict[str, Operation]] = {}
        for operation in operations:
            self._paths.setdefault(_template(operation.path), {})[operation.method] = operation
        # Those with parameters: by their number of parts and where their words are, then by these words.
        self._parametrised: dict[int, dict[tuple[int, ...], dict[_Parts, list[_Parts]]]] = {}
        for template in self._paths:
            words = tuple(place for place, part in enumerate(template) if not _is_parameter(part))
            if len(words) < len(template):
                alike = self._parametrised.setdefault(len(template), {}).setdefault(words, {})
                alike.setdefault(tuple(template[place] for place in words), []).append(template)

    def admit(self, call: Call) -> Operation:
        """Return the operation a call is for, or raise what is wrong with it."""
        self.check_target(call)
        operation = self._methods_at(call).get(call.method)
        if operation is None:
            raise MethodNotAllowed(self.allowed(call.path))
        if operation.body is not None:
            _check_media_type(call)
        call.operation = operation
        return operation

    def place(self, call: Call) -> tuple[str, str] | None:
        """Return the template of a call's path and the operation there; None where there is no such path."""
        try:
            methods = self._methods_at(call)
        except NoSuchPath:
            return None
        operation = methods.get("GET" if call.method == "HEAD" else call.method)
        return (operation.path, operation.id) if operation else (next(iter(methods.values())).path, "none")

    def allowed(self, path: str) -> list[str]:
        """Return every method that a path takes, or raise NoSuchPath."""
        names = set(self._methods(path))
        return sorted(names | {"HEAD"} if "GET" in names else names)

    def check_target(self, call: Call) -> None:
        """Refuse doubled headers, a foreign host, and a target that is too long."""
        if call.repeated and (doubled := call.repeated & _SINGLE):
            raise BadRequest([{"parameter": name, "rule": "is sent once"} for name in sorted(doubled)])
        if call.headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise BadRequest([{"parameter": "transfer-encoding", "rule": "is chunked, and nothing else"}])
        if call.path not in PROBES and not self._knows(call.headers.get("host", "")):
            raise BadRequest([{"parameter": "host", "rule": "is sent once and names a host this server serves"}])
        if len(call.path) + len(call.query) > MAX_TARGET:
            raise UriTooLong(f"Path and query have at most {MAX_TARGET} bytes together.")

    def _knows(self, host: str) -> bool:
        name = _PORT.sub("", host).lower()
        if not name or "*" in self._hosts or name in self._hosts:
            return bool(name)
        return any(known.startswith("*.") and name.endswith(known[1:]) for known in self._hosts)

    def _methods_at(self, call: Call) -> Mapping[str, Operation]:
        if call.methods is None:
            call.methods = self._methods(call.path)
        return call.methods

    def _methods(self, path: str) -> dict[str, Operation]:
        segments = tuple(path.split("/"))
        methods = self._paths.get(segments)
        if methods is None:
            template = self._fitting(segments)
            if template is None or "\0" in path:
                raise NoSuchPath
            methods = self._paths[template]
        return methods

    def _fitting(self, segments: _Parts) -> _Parts | None:
        for words, alike in self._parametrised.get(len(segments), {}).items():
            for template in alike.get(tuple([segments[place] for place in words]), ()):
                if all(map(_stands_for, template, segments)):
                    return template
        return None


def _template(path: str) -> _Parts:
    """Return the parts of a path; a parameter is a brace and what has to follow it, as in ``}.ics``."""
    return tuple("}" + part.partition("}")[2] if part.startswith("{") else part for part in path.split("/"))


def _is_parameter(part: str) -> bool:
    return part.startswith("}")


def _stands_for(part: str, segment: str) -> bool:
    return part == segment or (part[:1] == "}" and segment.endswith(part[1:]) and len(segment) >= len(part))


def _check_media_type(call: Call) -> None:
    encoding = call.headers.get("content-encoding", "identity")
    if encoding != "identity" or not _JSON_IN_UTF8.fullmatch(call.headers.get("content-type", "")):
        raise UnsupportedMediaType
