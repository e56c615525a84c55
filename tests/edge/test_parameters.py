"""Every parameter that the contract declares is looked at, or the start-up stops."""

from __future__ import annotations

from typing import Any

import pytest

from tracker.edge.call import Call
from tracker.edge.document import Operation, Parameter
from tracker.edge.problems import BadRequest
from tracker.edge.validation import RequestValidator, UncheckedParameter


def operation(*parameters: Parameter) -> Operation:
    return Operation(
        id="listThings",
        method="GET",
        path="/things",
        tag="Things",
        permission=None,
        public=True,
        parameters=parameters,
        body=None,
    )


@pytest.mark.parametrize("query", [b"", b"other=1"])
def test_a_required_query_parameter_that_is_absent_is_named(query: bytes) -> None:
    text = {"type": "string", "maxLength": 9}
    validator = RequestValidator(
        operation(
            Parameter("q", "query", required=True, schema=text),
            Parameter("other", "query", required=False, schema=text),
        )
    )

    with pytest.raises(BadRequest) as refused:
        validator.arguments(Call("GET", "/things", query, {}, "id"), {})
    assert refused.value.errors == [{"parameter": "q", "rule": "is required"}]
    assert validator.arguments(Call("GET", "/things", b"q=a", {}, "id"), {}) == {"q": "a", "other": None}


def parameter(schema: dict[str, Any], place: str = "query", *, name: str = "x", required: bool = False) -> Parameter:
    return Parameter(name, place, required=required, schema=schema)


def taken(schema: dict[str, Any], query: bytes) -> Any:
    """Return what a handler gets for the query parameter ``x``."""
    arguments = RequestValidator(operation(parameter(schema))).arguments(Call("GET", "/things", query, {}, "id"), {})
    return arguments["x"]


def refusals(validator: RequestValidator, call: Call) -> list[tuple[str, str]]:
    with pytest.raises(BadRequest) as refused:
        validator.arguments(call, {})
    return [(error["parameter"], error["rule"]) for error in refused.value.errors]


def refused(schema: dict[str, Any], query: bytes) -> list[tuple[str, str]]:
    """Return the rules that a query breaks, each with its place."""
    return refusals(RequestValidator(operation(parameter(schema))), Call("GET", "/things", query, {}, "id"))


TEXT = {"type": "string", "minLength": 1, "maxLength": 9}
NUMBER = {"type": "integer", "minimum": 1, "maximum": 9}
SWITCH = {"type": "boolean"}
WORDS = {"type": "array", "maxItems": 3, "uniqueItems": True, "items": TEXT}
NUMBERS = {"type": "array", "maxItems": 3, "items": NUMBER}
SIZES = {"type": "array", "maxItems": 3, "items": {"type": "string", "enum": ["small", "large"]}}
INSTANT = {"type": "string", "format": "date-time", "maxLength": 35}


@pytest.mark.parametrize(
    ("schema", "query", "value"),
    [
        (TEXT, b"", None),
        (TEXT, b"x=a%20b", "a b"),
        (NUMBER, b"x=7", 7),
        (SWITCH, b"x=true", True),
        (SWITCH, b"x=false", False),
        ({**SWITCH, "default": False}, b"", False),
        (WORDS, b"", ()),
        ({**WORDS, "default": ["a"]}, b"", ["a"]),
        (WORDS, b"x=a", ("a",)),
        (WORDS, b"x=b&x=a", ("b", "a")),
        (WORDS, b"x=a,b", ("a,b",)),
        (NUMBERS, b"x=3&x=3&x=1", (3, 3, 1)),
        (INSTANT, b"x=2026-12-01T17:00:00%2B01:00", "2026-12-01T17:00:00+01:00"),
    ],
)
def test_a_query_parameter_is_of_the_type_that_is_declared(schema: dict[str, Any], query: bytes, value: object) -> None:
    found = taken(schema, query)

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("schema", "query", "rule"),
    [
        (TEXT, b"x=a&x=b", "is given once"),
        (TEXT, b"x=a&x=a", "is given once"),
        (SWITCH, b"x=true&x=true", "is given once"),
        (NUMBER, b"x=1.0", "is an integer"),
        (NUMBER, b"x=%D9%A1", "is an integer"),  # a digit, but not one of ours
        (NUMBER, b"x=10", "is at most 9"),
        (SWITCH, b"x=True", "is true or false"),
        (SWITCH, b"x=1", "is true or false"),
        (SWITCH, b"x=", "is true or false"),
        (WORDS, b"x=", "has at least 1 characters"),
        (WORDS, b"x=a&x=b&x=a", "names nothing twice"),
        (WORDS, b"x=a&x=b&x=c&x=d", "has at most 3 items"),
        (NUMBERS, b"x=1&x=one", "is an integer"),
        (NUMBERS, b"x=1&x=10", "is at most 9"),
        (SIZES, b"x=small,large", "is one of: small, large"),
        (INSTANT, b"x=2026-12-01", "is in the format date-time"),
        (INSTANT, b"x=2026-02-30T00:00:00Z", "is in the format date-time"),
        (INSTANT, b"x=2026-12-01T17:00:00", "is in the format date-time"),  # whose five o'clock
    ],
)
def test_a_query_parameter_that_does_not_fit_is_named_with_the_first_rule_it_breaks(
    schema: dict[str, Any], query: bytes, rule: str
) -> None:
    assert refused(schema, query) == [("x", rule)]


@pytest.mark.parametrize("name", [b"x%5B%5D", b"x[$ne]", b"X"])
def test_a_parameter_of_another_name_is_not_known(name: bytes) -> None:
    ((_, rule),) = refused(WORDS, name + b"=a")
    assert rule.startswith("is not known here")


def test_every_parameter_that_does_not_fit_is_named() -> None:
    validator = RequestValidator(operation(parameter(NUMBER), parameter(SWITCH, name="y"), parameter(TEXT, name="z")))
    call = Call("GET", "/things", b"x=a&y=b&z=c&w=d", {}, "id")

    assert [place for place, _ in refusals(validator, call)] == ["x", "y", "w"]


HEADER = parameter({"type": "string", "maxLength": 5, "pattern": '^"[a-z]*"$'}, "header", name="If-Match")


def with_headers(headers: dict[str, str], repeated: frozenset[str] = frozenset()) -> Call:
    return Call("GET", "/things", b"", headers, "id", repeated)


@pytest.mark.parametrize("headers", [{}, {"if-match": '"a"'}, {"if-none-match": "anything"}])
def test_a_header_that_fits_is_left_in_the_call(headers: dict[str, str]) -> None:
    assert RequestValidator(operation(HEADER)).arguments(with_headers(headers), {}) == {}


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (with_headers({"if-match": "a"}), 'matches ^"[a-z]*"$'),
        (with_headers({"if-match": ""}), 'matches ^"[a-z]*"$'),
        (with_headers({"if-match": '"abcdef"'}), "has at most 5 characters"),
        (with_headers({"if-match": '"a"'}, frozenset({"if-match"})), "is given once"),
    ],
)
def test_a_header_that_does_not_fit_is_named(call: Call, rule: str) -> None:
    assert refusals(RequestValidator(operation(HEADER)), call) == [("If-Match", rule)]


def test_a_required_header_that_is_absent_is_named() -> None:
    header = parameter(TEXT, "header", name="If-Match", required=True)

    assert refusals(RequestValidator(operation(header)), with_headers({})) == [("If-Match", "is required")]


def test_a_header_that_nobody_declared_may_be_sent_twice() -> None:
    call = with_headers({"accept": "a"}, frozenset({"accept"}))

    assert RequestValidator(operation(HEADER)).arguments(call, {}) == {}


def test_a_parameter_that_nothing_would_look_at_stops_the_start_up() -> None:
    with pytest.raises(UncheckedParameter, match="listThings declares parameters in cookie"):
        RequestValidator(operation(parameter(TEXT, "cookie")))


@pytest.mark.parametrize(
    ("schema", "place"),
    [({"type": "object"}, "query"), ({"type": "array", "items": WORDS}, "query"), (WORDS, "path"), (WORDS, "header")],
)
def test_a_parameter_of_a_type_that_has_no_form_there_stops_the_start_up(schema: dict[str, Any], place: str) -> None:
    with pytest.raises(UncheckedParameter, match="listThings declares x"):
        RequestValidator(operation(parameter(schema, place)))


def test_a_query_that_was_good_once_is_read_the_same_again_and_a_bad_one_is_refused_again() -> None:
    number = {"type": "integer", "maximum": 9}
    validator = RequestValidator(operation(Parameter("n", "query", required=False, schema=number)))
    other = RequestValidator(operation(Parameter("n", "query", required=False, schema={**number, "maximum": 4})))
    for _ in range(2):
        assert validator.arguments(Call("GET", "/things", b"n=5", {}, "id"), {}) == {"n": 5}
        for refusing, query in ((validator, b"n=10"), (other, b"n=5")):
            with pytest.raises(BadRequest):
                refusing.arguments(Call("GET", "/things", query, {}, "id"), {})


def test_what_one_request_makes_of_its_arguments_is_not_there_for_the_next() -> None:
    validator = RequestValidator(
        operation(Parameter("label", "query", required=False, schema={"type": "array", "items": {"type": "string"}}))
    )
    for _ in range(2):
        arguments = validator.arguments(Call("GET", "/things", b"label=a&label=b", {}, "id"), {})
        assert arguments == {"label": ("a", "b")}
        arguments.clear()
