"""Courses over time by arm: every subject's line, the arm's mean with its interval, and the value under the pointer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.trial.estimates import Point
from sevenfold.cohort.cohort import Cohort
from sevenfold.report.svg import Scale, element, figure, group, line, path, text
from sevenfold.report.words import interval, number

__all__ = ["CourseSettings", "course_figure"]

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 460.0, 300.0
_MOST_LINES = 120  # of single subjects: more are a grey mass
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 12.0, 14.0, 40.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CourseSettings:
    """What a course figure shows.

    Args:
        arms: arm's id -> (label, class that gives it its colour), in the order of the legend.
        is_log: scale of the vertical axis.
        floor: the lowest value drawn on a logarithmic scale.
        reference: a horizontal line with its label.
    """

    variable: str
    title: str
    unit: str
    arms: Mapping[str, tuple[str, str]]
    is_log: bool = True
    floor: float = 1.0
    last_day: float = 95.0
    reference: tuple[float, str] | None = None


def course_figure(cohort: Cohort, points: Sequence[Point], settings: CourseSettings) -> str:
    """The figure as SVG."""
    shown = [
        p
        for p in points
        if p.variable == settings.variable
        and p.group in settings.arms
        and p.mean is not None
        and p.day <= settings.last_day
    ]
    if not shown:
        return ""
    values = cohort.values[settings.variable][0]
    finite = values[np.isfinite(values)]
    low, high = _range(finite, settings)
    last = max(p.day for p in shown)
    x = Scale(low=0.0, high=max(last, 1.0), start=_LEFT, end=_WIDTH - _RIGHT)
    y = Scale(low=low, high=high, start=_HEIGHT - _BOTTOM, end=_TOP, is_log=settings.is_log)
    body = [_axes(x, y, settings)]
    assignment = cohort.revealed()
    for name, (_, colour) in settings.arms.items():
        members = np.flatnonzero(assignment.is_in((name,))[0])
        members = members[:: max(1, -(-len(cohort.subjects) // _MOST_LINES))]
        body += [_subject(cohort, values, int(i), x, y, colour, settings) for i in members]
    for place, (name, (label, colour)) in enumerate(settings.arms.items()):
        body.append(
            _mean(
                [p for p in shown if p.group == name],
                label,
                colour,
                x,
                y,
                settings,
                place - (len(settings.arms) - 1) / 2,
            )
        )
    some = "some of the subjects" if len(cohort.subjects) > _MOST_LINES else "subjects"
    description = (
        f"{settings.title} by arm over {last:.0f} days: thin lines are {some}, thick lines means with 95 % "
        "intervals. The values stand in the table below."
    )
    return figure(_WIDTH, _HEIGHT, settings.title, description, *body)


def _range(finite: Floats, settings: CourseSettings) -> tuple[float, float]:
    low, high = float(finite.min()), float(finite.max())
    if settings.is_log:
        return max(low * 0.85, settings.floor), max(high * 1.15, settings.floor * 10)
    return min(0.0, low), high * 1.05 or 1.0


def _axes(x: Scale, y: Scale, settings: CourseSettings) -> str:
    parts = [line(x.start, y.start, x.end, y.start, "axis")]
    for tick in y.ticks():
        parts += [
            line(x.start, y(tick), x.end, y(tick), "grid"),
            text(x.start - 6, y(tick) + 4, _tick(tick), anchor="end", class_="tick"),
        ]
    for day in _day_ticks(x.high):
        parts += [
            line(x(day), y.start, x(day), y.start + 4, "axis"),
            text(x(day), y.start + 17, f"{day + 1:.0f}", anchor="middle", class_="tick"),
        ]
    parts.append(text((x.start + x.end) / 2, y.start + 34, "study day", anchor="middle", class_="tick"))
    parts.append(text(4, _TOP - 2, settings.unit, class_="tick"))
    if settings.reference is not None and y.low < settings.reference[0] < y.high:
        value, label = settings.reference
        parts += [
            line(x.start, y(value), x.end, y(value), "reference"),
            text(x.end, y(value) - 4, label, anchor="end", class_="tick"),
        ]
    return group(*parts)


def _day_ticks(last: float) -> list[float]:
    step = next((step for step in (7, 14, 28, 56, 84, 168, 364) if last / step <= 9), 728)
    return [float(day) for day in range(0, int(last) + 1, step)]


def _tick(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f") if value >= 10 or value == int(value) else f"{value:g}"


def _subject(cohort: Cohort, values: Floats, i: int, x: Scale, y: Scale, colour: str, settings: CourseSettings) -> str:
    days = cohort.day_of(settings.variable)[0, i]
    known = np.isfinite(values[i]) & np.isfinite(days) & (days <= settings.last_day)
    if known.sum() < 2:
        return ""
    points = [(x(max(float(d), 0.0)), y(float(v))) for d, v in zip(days[known], values[i][known], strict=True)]
    return path(points, f"subject {colour}", data_tip=f"Subject {cohort.subjects[i].subject}")


def _mean(
    points: list[Point], label: str, colour: str, x: Scale, y: Scale, settings: CourseSettings, shift: float
) -> str:
    points = sorted(points, key=lambda p: p.day)
    if not points:  # nobody of the arm has a value yet
        return ""
    parts = [path([(x(p.day), y(p.mean or 0.0)) for p in points], f"mean {colour}")]
    for p in points:
        assert p.mean is not None
        at = x(p.day) + 2.2 * shift
        if p.lower is not None and p.upper is not None:
            parts.append(line(at, y(p.lower), at, y(p.upper), f"whisker {colour}"))
        fold = f"; {number(p.fold, 2)} times baseline" if p.fold is not None else ""
        ci = f" (95 % CI {interval(p.lower, p.upper)})" if p.lower is not None else ""
        below = f", {p.n_below} of them below the limit" if p.n_below else ""
        tip = f"{label}, {p.visit}: {number(p.mean)} {settings.unit}{ci}, n = {p.n}{below}{fold}"
        parts.append(
            element(
                "circle",
                element("title", tip),
                cx=at,
                cy=y(p.mean),
                r=3.6,
                class_=f"dot {colour}",
                data_tip=tip,
                tabindex=0,
            )
        )
    return group(*parts)
