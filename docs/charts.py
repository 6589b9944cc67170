"""Charts from the tables of a page: :func:`measured_against_goal` and :func:`seconds_of_stacks`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

_UNITS = {"h": 3600.0, "min": 60.0, "s": 1.0}
_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_FIGURE = re.compile(rf"(?:{_NUMBER} (?:h|min|s)\b ?)+|{_NUMBER}(?: MB)?")


@dataclass(frozen=True)
class Bar:
    """A measured figure and its goal, as they stand in the table and in one unit."""

    label: str
    """The row's first cell, up to a colon."""
    measured: str
    goal: str
    ratio: float
    """Measured, as a share of the goal."""


def rows(markdown: str) -> Iterator[dict[str, str]]:
    """The rows of a page's tables, by the columns' titles."""
    titles: list[str] = []
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            titles = []
        elif not titles:
            titles = cells
        elif not set(line) <= set("|-: "):
            yield dict(zip(titles, cells, strict=True))


def amount(cell: str) -> tuple[str, float] | None:
    """The figure that a cell begins with, as text and as a number: ``1 min 51 s`` is 111."""
    if not (found := _FIGURE.match(cell)):
        return None
    text = found[0].strip()
    parts = re.findall(rf"({_NUMBER}) ?(h|min|s)?\b", text)
    return text, sum(float(number.replace(",", "")) * _UNITS.get(unit, 1) for number, unit in parts)


def bars(markdown: str) -> list[Bar]:
    """A bar for each row whose columns ``goal`` and ``measured`` both begin with a figure."""
    found = []
    for row in rows(markdown):
        goal, measured = amount(row.get("goal", "")), amount(row.get("measured", ""))
        if goal and measured and goal[1]:
            found.append(Bar(row["figure"].partition(": ")[0], measured[0], goal[0], measured[1] / goal[1]))
    return found


def measured_against_goal(markdown: str) -> str:
    """The chart of a page's table as HTML: a bar for each row, and a line at the goal."""
    found = bars(markdown)
    widest = max([1.0, *(bar.ratio for bar in found)])
    items = []
    for bar in found:
        label = re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(bar.label, quote=False))
        missed = bar.ratio > 1
        said = f"<b>{bar.measured}</b>, goal {bar.goal}{', not met' if missed else ''}"
        items.append(
            f'<li><span>{label}</span> <span class="figure">{said}</span>\n'
            '<svg aria-hidden="true" width="100%" height="12">'
            f'<rect class="{"missed" if missed else "met"}" y="2" height="8" width="{bar.ratio / widest:.1%}"/>'
            f'<line class="goal" x1="{1 / widest:.1%}" x2="{1 / widest:.1%}" y1="0" y2="12"/></svg></li>'
        )
    caption = "Measured as a share of the goal, which is the vertical line. Shorter is better."
    return f'<figure class="chart">\n<ul>\n{"".join(items)}\n</ul>\n<figcaption>{caption}</figcaption>\n</figure>'


STEPS = ("unchanged preview", "unchanged up", "refresh")
"""The steps of the bench that :func:`seconds_of_stacks` draws."""


def stack_times(markdown: str) -> list[tuple[str, str, float]]:
    """Step, objects and seconds of the rows of the bench without checkpoints, at a round trip of 0 ms."""
    found = [
        (row["step"], row["objects"], time[1])
        for row in rows(markdown)
        if row.get("checkpoints") == "no" and row["step"] in STEPS and (time := amount(row["0 ms"]))
    ]
    return sorted(found, key=lambda one: (STEPS.index(one[0]), int(one[1].replace(",", ""))))


def seconds_of_stacks(markdown: str) -> str:
    """The chart of the bench's table as HTML: a bar for each step and number of objects."""
    found = stack_times(markdown)
    longest = max([1.0, *(seconds for _, _, seconds in found)])
    items = [
        f'<li><span>{step}, {objects} objects</span> <span class="figure"><b>{seconds} s</b></span>\n'
        '<svg aria-hidden="true" width="100%" height="12">'
        f'<rect class="met" y="2" height="8" width="{seconds / longest:.1%}"/></svg></li>'
        for step, objects, seconds in found
    ]
    caption = "Seconds without checkpoints, at a round trip of 0 ms. Shorter is better."
    return f'<figure class="chart">\n<ul>\n{"".join(items)}\n</ul>\n<figcaption>{caption}</figcaption>\n</figure>'
