"""Requests against the contract: one compiled validator per parameter and per body, made at start-up.

What does not fit is refused by place and rule. What was sent there is never repeated, not even shortened: it may be a
password.
"""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl

import orjson
from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

from tracker.edge.problems import MAX_ERRORS, BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tracker.edge.call import Call
    from tracker.edge.document import Json, Operation, Parameter

MAX_DEPTH = 64
_QUERIES = 512  # that are remembered, in a process; of so many bytes at the most
_SHORT = 256
_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_SPEAKABLE = re.compile(r"[A-Za-z0-9_.\[\]$-]{1,64}", re.ASCII)
_DROPPED = frozenset({"nullable", "example", "description", "discriminator", "default", "xml", "externalDocs"})


def modern(schema: Json) -> Json:
    """Return an OpenAPI 3.0 schema (references inlined) as JSON Schema 2020-12 that says the same.

    ``oneOf: [X, null]`` becomes "if not null then X", so that an error inside X is told as what it is. A list that is
    too long is not looked into: each of its items could be an error, and a megabyte of them takes seconds to name.
    """
    if "oneOf" in schema and len(alternatives := [modern(s) for s in schema["oneOf"] if s.get("enum") != [None]]) == 1:
        return {"if": {"type": "null"}, "else": alternatives[0]}
    lowered = {key: _modern_value(key, value) for key, value in schema.items() if key not in _DROPPED}
    if schema.get("nullable"):
        lowered["type"] = [schema["type"], "null"]
    if "maxItems" in schema:
        items = {key: lowered.pop(key) for key in ("items", "uniqueItems") if key in lowered}
        lowered |= {"if": {"maxItems": schema["maxItems"]}, "then": items}
    return lowered


def _modern_value(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: modern(schema) for name, schema in value.items()}
    if key in {"items", "not"} or (key == "additionalProperties" and isinstance(value, dict)):
        return modern(value)
    if key in {"allOf", "anyOf", "oneOf"}:
        return [modern(schema) for schema in value]
    return value


def compiled(schema: Json) -> Draft202012Validator:
    """Return a validator of an OpenAPI 3.0 schema; its patterns run in linear time, its formats are enforced."""
    return Draft202012Validator(modern(schema), validate_formats=True, pattern_options=RegexOptions())


class UncheckedParameter(Exception):
    """The contract declares a parameter where nothing would look at it: the start-up stops."""


class RequestValidator:
    """Checks one operation's requests and turns them into the handler's arguments."""

    def __init__(self, operation: Operation) -> None:
        """Compile what the operation declares; UncheckedParameter for what could not be checked."""
        _check_declared(operation)
        placed: dict[str, list[_Parameter]] = {"path": [], "query": [], "header": []}
        for parameter in operation.parameters:
            placed[parameter.place].append(_Parameter(parameter))
        self._path, self._headers = placed["path"], placed["header"]
        self._query = {parameter.name: parameter for parameter in placed["query"]}
        self._defaults = {name: parameter.default for name, parameter in self._query.items()}
        self._required = {name for name, parameter in self._query.items() if parameter.required}
        self._body = _Body(operation.body) if operation.body is not None else None

    def arguments(self, call: Call, path: Mapping[str, str]) -> dict[str, Any]:
        """Return path and query parameters and ``body`` by name; raise BadRequest with every place that is wrong.

        Headers are checked and not returned: whoever asks for one finds it in the call.
        """
        errors: list[dict[str, str]] = []
        arguments = dict(self._defaults)
        for parameter in self._path:
            arguments[parameter.name] = parameter.value([path[parameter.name]], errors)
        if call.query or self._required:
            arguments |= self._asked(call.query, errors)
        for header in self._headers:
            _check_header(header, call, errors)
        if self._body is not None:
            arguments["body"] = self._body.value(call.body, errors)
        if errors:
            raise BadRequest(errors)
        return arguments

    def in_query(self, query: bytes) -> Mapping[str, Any]:
        """Return the parameters in a query; BadRequest with every one that is wrong."""
        errors: list[dict[str, str]] = []
        given: dict[str, list[str]] = {}
        for name, text in _pairs(query):
            given.setdefault(name, []).append(text)
        asked: dict[str, Any] = {}
        for name, texts in given.items():
            if name in self._query:
                asked[name] = self._query[name].value(texts, errors)
            else:
                errors.append({"parameter": _speakable(name), "rule": _unknown(name, self._query)})
        errors.extend({"parameter": name, "rule": "is required"} for name in sorted(self._required - given.keys()))
        if errors:
            raise BadRequest(errors)
        return asked

    def _asked(self, query: bytes, errors: list[dict[str, str]]) -> Mapping[str, Any]:
        try:
            return _in_query(self, query) if len(query) <= _SHORT else self.in_query(query)
        except BadRequest as wrong:
            errors += wrong.errors
            return {}


@lru_cache(_QUERIES)
def _in_query(validator: RequestValidator, query: bytes) -> Mapping[str, Any]:
    """Return what was good once, and so is again: programs ask the same, and refresh what they show."""
    return validator.in_query(query)


def _check_declared(operation: Operation) -> None:
    if elsewhere := {p.place for p in operation.parameters} - {"path", "query", "header"}:
        raise UncheckedParameter(f"{operation.id} declares parameters in {', '.join(sorted(elsewhere))}")
    for parameter in operation.parameters:
        many = parameter.schema["type"] == "array"
        if (many and parameter.place != "query") or _kind(parameter) not in _KINDS:
            raise UncheckedParameter(f"{operation.id} declares {parameter.name} of a type that has no form there")


def _check_header(header: _Parameter, call: Call, errors: list[dict[str, str]]) -> None:
    name = header.name.lower()
    if name in call.repeated:
        errors.append({"parameter": header.name, "rule": "is given once"})
    elif name in call.headers:
        header.value([call.headers[name]], errors)
    elif header.required:
        errors.append({"parameter": header.name, "rule": "is required"})


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        text = query.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=100)
    except ValueError:
        raise BadRequest([{"parameter": "query", "rule": "is percent-encoded UTF-8, with at most 100 parts"}]) from None


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


# What each type is made of, None for a text that is no such thing, and how that is said.
_KINDS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "string": (str, ""),
    "integer": (_integer, "is an integer"),
    "boolean": ({"true": True, "false": False}.get, "is true or false"),
}


def _kind(parameter: Parameter) -> str:
    kind: str = parameter.schema.get("items", parameter.schema)["type"]
    return kind


class _Parameter:
    """One parameter: a text that is a string, an integer or a boolean; or, as its name is repeated, a list of them.

    That is style ``form`` with ``explode``, what OpenAPI means where it says nothing: a comma is data.
    """

    def __init__(self, parameter: Parameter) -> None:
        self.name = parameter.name
        self.required = parameter.required
        self._many = parameter.schema["type"] == "array"
        self.default = parameter.schema.get("default", () if self._many else None)
        self._read, self._rule = _KINDS[_kind(parameter)]
        self._validator = compiled(parameter.schema)

    def value(self, texts: list[str], errors: list[dict[str, str]]) -> Any:
        """Return what the texts mean, a tuple for a list; the rule that one of them breaks goes to the errors."""
        if len(texts) > 1 and not self._many:
            errors.append({"parameter": self.name, "rule": "is given once"})
            return None
        values = [self._read(text) for text in texts]
        if None in values:
            errors.append({"parameter": self.name, "rule": self._rule})
            return None
        value = values if self._many else values[0]
        if not self._validator.is_valid(value):
            rules = (rule for error in self._validator.iter_errors(value) for rule in _rule(error))
            errors.extend({"parameter": self.name, "rule": rule} for rule in islice(rules, 1))
        return tuple(values) if self._many else value


class _Body:
    """A JSON body."""

    def __init__(self, schema: Json) -> None:
        self._validator = compiled(schema)
        self._schema = schema

    def value(self, raw: bytes, errors: list[dict[str, str]]) -> Any:
        value = strict_json(raw)
        if not self._validator.is_valid(value):
            for error in self._validator.iter_errors(value):
                errors.extend(_placed(error, self._schema))
                if len(errors) >= MAX_ERRORS:
                    break
        return value


def strict_json(raw: bytes) -> Any:
    """Return the value of a JSON text (RFC 8259) in UTF-8; BadRequest for whatever two parsers could read differently.

    That is: NaN and infinities, numbers beyond a double, lone surrogates, a byte order mark, members named twice, and
    nesting deeper than 64.
    """
    if not raw:
        _refuse_body("is required")
    try:
        value = orjson.loads(raw)
    except ValueError:
        _refuse_body("is one JSON value, in UTF-8 without a byte order mark")
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        _refuse_body(f"is nested at most {MAX_DEPTH} deep")
    # With a colon left over a member is named twice, or there is one in a text.
    if isinstance(value, (dict, list)) and raw.count(b":") > _members(value):
        _NAMING_ONCE.decode(raw.decode())
    return value


def _members(value: Any) -> int:
    """Return how many members there are in a value, at all depths."""
    members, inside = (len(value), value.values()) if type(value) is dict else (0, value)
    for inner in inside:
        if type(inner) is dict or type(inner) is list:
            members += _members(inner)
    return members


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [inner for outer in level for inner in _inside(outer)]
    return depth - 1 if not level else depth


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return list(value.values()) or [None]
    if isinstance(value, list):
        return value or [None]
    return ()


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse_body("names each member of an object once")
    return members


_NAMING_ONCE = json.JSONDecoder(object_pairs_hook=_refuse_duplicates)


def _refuse_body(rule: str) -> NoReturn:
    raise BadRequest([{"pointer": "", "rule": rule}])


def _placed(error: ValidationError, schema: Json) -> Iterable[dict[str, str]]:
    pointer = "".join(f"/{step}" for step in error.instance_path)
    kind = error.kind.as_dict()
    if "unexpected" in kind:
        known = _properties(schema, error.instance_path)
        for name in kind["unexpected"][:MAX_ERRORS]:
            yield {"pointer": f"{pointer}/{_speakable(name)}", "rule": _unknown(name, known)}
    elif "property" in kind:
        yield {"pointer": f"{pointer}/{kind['property'].strip(chr(34))}", "rule": "is required"}
    else:
        yield from ({"pointer": pointer, "rule": rule} for rule in _rule(error))


def _properties(schema: Json, path: Iterable[str | int]) -> Iterable[str]:
    for step in path:
        schema = next((s for s in schema.get("oneOf", [schema]) if "properties" in s), schema)
        schema = schema.get("properties", {}).get(step, schema.get("items", {}))
    schema = next((s for s in schema.get("oneOf", [schema]) if "properties" in s), schema)
    properties: Json = schema.get("properties", {})
    return properties


def _unknown(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name[:64], list(known), n=1)
    return f"is not known here; did you mean {near[0]}?" if near else "is not known here"


def _speakable(name: str) -> str:
    """Return a name as it may stand in an answer and in a log line."""
    return name if _SPEAKABLE.fullmatch(name) else "(a name)"


_RULES = {
    "maxLength": "has at most {limit} characters",
    "minLength": "has at least {limit} characters",
    "maxItems": "has at most {limit} items",
    "minItems": "has at least {limit} items",
    "maxProperties": "has at most {limit} members",
    "minProperties": "has at least {limit} members",
    "maximum": "is at most {limit}",
    "minimum": "is at least {limit}",
    "pattern": "matches {pattern}",
    "format": "is in the format {format}",
    "uniqueItems": "names nothing twice",
}


def _rule(error: ValidationError) -> Iterable[str]:
    """Say the rule in words, from the schema's own values."""
    kind = error.kind.as_dict()
    name = error.kind.name
    if name == "enum":
        yield f"is one of: {', '.join(str(option) for option in kind['options'])}"
    elif name == "type":
        yield f"is of type {' or '.join(kind['types'])}"
    else:
        yield _RULES.get(name, f"fits {name} of the contract").format_map(kind)
