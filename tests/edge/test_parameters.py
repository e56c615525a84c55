"""Every parameter that the contract declares is looked at, or the start-up stops."""

from __future__ import annotations

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


@pytest.mark.parametrize("place", ["header", "cookie"])
def test_a_parameter_that_nothing_would_look_at_stops_the_start_up(place: str) -> None:
    with pytest.raises(UncheckedParameter, match=f"listThings declares parameters in {place}"):
        RequestValidator(operation(Parameter("x", place, required=False, schema={"type": "string"})))
