"""The page of levels: a dot with its interval for every test of a plan, beside the level that it claims."""

from collections.abc import Mapping, Sequence
from typing import Any

from sevenfold.design.level import ALPHA, MARGIN, Level, Verdict
from sevenfold.protocol.load import ProtocolFile
from sevenfold.report.rendering import rendered
from sevenfold.report.svg import Scale, element, figure, line, text
from sevenfold.report.words import METHODS, percent

__all__ = ["level_figure", "render_levels"]

_WIDTH, _ROW = 420.0, 34.0


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
            "limit": ALPHA + MARGIN,
            "labels": {one.estimand: one.label for one in found},
            "exceeds": [one for one in found if one.verdict is Verdict.EXCEEDS],
            "undecided": [one for one in found if one.n_more is not None],
        },
    )


def level_figure(found: Sequence[Level]) -> str:
    """Levels with their 99.9 % intervals as SVG."""
    high = max(0.12, *(one.interval[1] for one in found)) * 1.05
    x = Scale(low=0.0, high=high, start=14.0, end=_WIDTH - 14.0)
    base = 12.0 + _ROW * len(found)
    parts = [line(x(ALPHA + MARGIN), 6, x(ALPHA + MARGIN), base, "grid")]
    for tick in sorted({0.0, ALPHA, *(tick for tick in x.ticks(5) if abs(x(tick) - x(ALPHA)) > 34.0)}):
        parts += [
            line(x(tick), 6, x(tick), base, "reference" if tick == ALPHA else "grid"),
            text(x(tick), base + 16, percent(tick), anchor="middle", class_="tick"),
        ]
    for row, one in enumerate(found):
        y = 8.0 + _ROW * (row + 0.78)
        lower, upper = one.interval
        colour = {Verdict.EXCEEDS: "arm-b", Verdict.HOLDS: "arm-a"}.get(one.verdict, "arm-z")
        name = one.label if len(one.label) <= 60 else one.label[:58] + "…"
        method = METHODS.get(one.method, one.method)
        ends = f"{percent(lower, 1)} to {percent(upper, 1)}"
        tip = f"{one.label} ({method}): {percent(one.share, 1)}, 99.9 % interval {ends}; {one.verdict.value}"
        parts += [
            text(12, y - 9, name, class_="tick halo"),
            line(x(lower), y, x(upper), y, f"whisker {colour}"),
            element("circle", element("title", tip), cx=x(one.share), cy=y, r=3.8, class_=f"dot {colour}", data_tip=tip,
                    tabindex=0),
        ]  # fmt: skip
    description = "; ".join(f"{one.label}: {percent(one.share, 1)}" for one in found)
    return figure(_WIDTH, base + 30, "Levels of the plan's tests", description, *parts, class_="chart")
