"""The pictures of ``docs/performance.md``, drawn by pygal as SVG without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pygal
from pygal.style import CleanStyle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LOOK = {
    "js": (),
    "style": CleanStyle,
    "width": 900,
    "height": 460,
    "legend_at_bottom": True,
    "disable_xml_declaration": True,
}
_SVG = "{http://www.w3.org/2000/svg}"


def bars(file: Path, title: str, groups: Sequence[str], heights: Mapping[str, Sequence[float | None]]) -> None:
    """Draw a group of bars for each of ``groups``: one for each name in ``heights``."""
    chart = pygal.Bar(title=title, **_LOOK)
    chart.x_labels = groups
    _draw(chart, heights, file)


def lines(
    file: Path, title: str, places: Sequence[str], heights: Mapping[str, Sequence[float | None]], *, along: str
) -> None:
    """Draw a line for each name in ``heights``, over ``places`` that lie ``along`` something; from 0 upwards."""
    chart = pygal.Line(title=title, x_title=along, include_x_axis=True, **_LOOK)
    chart.x_labels = places
    _draw(chart, heights, file)


def _draw(chart: Any, heights: Mapping[str, Sequence[float | None]], file: Path) -> None:
    for name, values in heights.items():
        chart.add(name, [None if value is None else round(value, 2) for value in values])
    chart.uuid = file.stem  # else another each time
    chart.add_xml_filter(_without_scripts)
    file.parent.mkdir(exist_ok=True)
    chart.render_to_file(str(file))


def _without_scripts(root: Any) -> Any:
    """Take out what only a browser with scripts would use, and comments: one says on which day it was drawn."""
    for parent in list(root.iter()):
        for child in list(parent):
            if callable(child.tag) or child.tag in {"script", f"{_SVG}script"}:
                parent.remove(child)
    return root
