"""The page that shows what was measured: each run writes its own section of ``docs/performance.md``."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
PICTURES = PAGE.with_name("pictures")


def put(section: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between the marks of a section; ValueError where the page has none of the name."""
    begin, end = f"<!-- {section} -->\n", f"<!-- /{section} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page.name} has no section {section}")
    page.write_text(f"{before}{begin}{text.strip()}\n{end}{after}", encoding="utf-8")
