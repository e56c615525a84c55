"""The list of exceptions names tests that there are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.exceptions import EXCUSED

TESTS = Path(__file__).parent
NAMED = [(kind, name) for kind, tests in EXCUSED.items() for name in tests]


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_what_is_excused_is_there_and_has_a_reason(kind: str, name: str) -> None:
    file, _, test = name.partition("::")
    source = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    there = {node.name for node in source.body if isinstance(node, ast.FunctionDef)}

    assert test in there | {""}
    assert len(EXCUSED[kind][name]) > 20
    assert not test or file not in EXCUSED[kind], "its whole file is excused already"
