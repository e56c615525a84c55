from __future__ import annotations

from pathlib import Path

import pytest

from bench import page

_PAGE = "before\n<!-- speed -->\nNot measured yet.\n<!-- /speed -->\nafter\n"


def test_a_run_writes_its_own_section_and_leaves_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "performance.md"
    file.write_text(_PAGE)
    page.put("speed", "| fast |\n", file)
    page.put("speed", "| faster |\n", file)
    assert file.read_text() == "before\n<!-- speed -->\n| faster |\n<!-- /speed -->\nafter\n"


@pytest.mark.parametrize("text", ["nothing", "<!-- speed -->\nnever closed"])
def test_a_page_without_the_section_is_left_alone(text: str, tmp_path: Path) -> None:
    file = tmp_path / "performance.md"
    file.write_text(text)
    with pytest.raises(ValueError, match="no section speed"):
        page.put("speed", "| fast |", file)
    assert file.read_text() == text


@pytest.mark.parametrize("section", ["speed", "growth"])
def test_the_page_that_readers_see_has_the_sections_that_runs_write(section: str) -> None:
    told = page.PAGE.read_text(encoding="utf-8")
    assert told.index(f"<!-- {section} -->\n") < told.index(f"<!-- /{section} -->")
