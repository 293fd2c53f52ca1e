"""The page of levels: a dot with its interval for every test of a plan, beside the level that it claims."""

from collections.abc import Mapping, Sequence
from typing import Any

from sevenfold.design.level import ALPHA, Level, Verdict
from sevenfold.protocol.load import ProtocolFile
from sevenfold.report.rendering import rendered
from sevenfold.report.svg import Scale, element, figure, line, text
from sevenfold.report.words import METHODS, percent

__all__ = ["level_figure", "render_levels"]

_WIDTH, _ROW = 760.0, 26.0


def render_levels(file: ProtocolFile, found: Sequence[Level], about: Mapping[str, Any]) -> str:
    """The page as HTML."""
    return rendered(
        "levels.html.j2",
        {
            "protocol": file.protocol,
            "file": file,
            "levels": found,
            "about": about,
            "figure": level_figure(found),
            "alpha": ALPHA,
            "exceeds": [one for one in found if one.verdict is Verdict.EXCEEDS],
        },
    )


def level_figure(found: Sequence[Level]) -> str:
    """Levels with their 99.9 % intervals as SVG."""
    high = max(0.12, *(one.interval[1] for one in found)) * 1.05
    x = Scale(low=0.0, high=high, start=400.0, end=_WIDTH - 20.0)
    base = 16.0 + _ROW * len(found)
    parts = []
    for tick in (tick for tick in (0.0, 0.025, ALPHA, 0.075, 0.1, 0.15, 0.2, 0.3) if tick < high):
        parts += [
            line(x(tick), 8, x(tick), base, "reference" if tick == ALPHA else "grid"),
            text(x(tick), base + 16, percent(tick, 1 if tick % 0.05 else 0), anchor="middle", class_="tick"),
        ]
    for row, one in enumerate(found):
        y = 8.0 + _ROW * (row + 0.6)
        lower, upper = one.interval
        colour = "arm-b" if one.verdict is Verdict.EXCEEDS else "arm-a"
        name = one.label if len(one.label) <= 60 else one.label[:58] + "…"
        method = METHODS.get(one.method, one.method)
        ends = f"{percent(lower, 1)} to {percent(upper, 1)}"
        tip = f"{one.label} ({method}): {percent(one.share, 1)}, 99.9 % interval {ends}"
        parts += [
            text(10, y + 4, name, class_="tick"),
            line(x(lower), y, x(upper), y, f"whisker {colour}"),
            element("circle", element("title", tip), cx=x(one.share), cy=y, r=3.8, class_=f"dot {colour}", data_tip=tip,
                    tabindex=0),
        ]  # fmt: skip
    description = "; ".join(f"{one.label}: {percent(one.share, 1)}" for one in found)
    return figure(_WIDTH, base + 30, "Levels of the plan's tests", description, *parts, class_="chart wide")
