"""One subject's trial on a line: planned visits with their windows, what was held, doses and events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from sevenfold.report.svg import Scale, element, figure, line, path, text

__all__ = ["Course", "PlannedVisit", "subject_figure"]

_WIDTH, _HEIGHT = 760.0, 150.0
_LEFT, _RIGHT = 92.0, 20.0
_VISITS, _DOSES, _EVENTS, _AXIS = 34.0, 66.0, 98.0, 118.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedVisit:
    """A visit of the schedule, in days since the first dose.

    Args:
        first, last: ends of its window.
        held: when it took place; None where it did not.
        is_missed: whether it was recorded as missed.
    """

    name: str
    first: float
    last: float
    held: float | None
    is_missed: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the figure shows, in days since the first dose.

    Args:
        doses: day and whether it was given.
        events: day, words, and whether it was serious.
        now: today, or the day on which the subject's part ended.
    """

    visits: Sequence[PlannedVisit]
    doses: Sequence[tuple[float, bool]]
    events: Sequence[tuple[float, str, bool]]
    now: float
    has_died: bool


def subject_figure(shown: Course, say: Callable[[str], str] = str) -> str:
    """The figure as SVG.

    Args:
        say: words in the reader's language.
    """
    low = min((visit.first for visit in shown.visits), default=0.0) - 1.0
    high = max([visit.last for visit in shown.visits] + [shown.now, 1.0]) + 1.0
    x = Scale(low=low, high=high, start=_LEFT, end=_WIDTH - _RIGHT)
    parts: list[str] = []
    step = next((step for step in (7, 14, 28, 56, 91, 182, 364) if (high - low) / step <= 14), 728)
    for day in range(0, int(high) + 1, step):
        parts += [
            line(x(day), 16, x(day), _AXIS, "grid"),
            text(x(day), _AXIS + 14, str(day + 1), anchor="middle", class_="tick"),
        ]
    parts.append(text((x.start + x.end) / 2, _AXIS + 29, say("study day"), anchor="middle", class_="tick"))
    for words, y in ((say("Visits"), _VISITS), (say("Doses"), _DOSES), (say("Events"), _EVENTS)):
        parts += [text(4, y + 4, words, class_="tick strong"), line(x.start, y, x.end, y, "grid")]
    parts += [_visit(visit, x, say) for visit in shown.visits]
    for at, is_given in shown.doses:
        tip = f"{say('day')} {at + 1:.0f}: {say('given') if is_given else say('not given')}"
        kind = "dot arm-a" if is_given else "hollow"
        parts.append(element("circle", element("title", tip), cx=x(at), cy=_DOSES, r=5, class_=kind))
    for began, words, is_serious in shown.events:
        middle, r = x(began), 6.0 if is_serious else 4.5
        corners = [(middle, _EVENTS - r), (middle + r, _EVENTS + r), (middle - r, _EVENTS + r)]
        parts.append(path(corners, "serious" if is_serious else "infection", closed=True, data_tip=words))
    now = x(shown.now)
    parts.append(line(now, 14, now, _AXIS, "now"))
    end = say("died") if shown.has_died else say("now")
    parts.append(text(now, 10, end, anchor="end" if now > _WIDTH - 60 else "middle", class_="tick"))
    held = sum(visit.held is not None for visit in shown.visits)
    words = (
        f"{say('Visits')}: {held} / {len(shown.visits)}; {say('Doses')}: {sum(given for _, given in shown.doses)}; "
        f"{say('Events')}: {len(shown.events)}."
    )
    return figure(_WIDTH, _HEIGHT, say("Visits, doses and events"), words, *parts, class_="chart wide")


def _visit(visit: PlannedVisit, x: Scale, say: Callable[[str], str]) -> str:
    width = max(x(visit.last) - x(visit.first), 5.0)
    parts = [element("rect", x=x(visit.first), y=_VISITS - 7, width=width, height=14, rx=3, class_="window")]
    state = say("to come")
    if visit.held is not None:
        state = f"{say('day')} {visit.held + 1:.0f}"
        parts.append(element("circle", cx=x(visit.held), cy=_VISITS, r=4.5, class_="dot arm-a"))
    elif visit.is_missed:
        state = say("missed")
        at = x((visit.first + visit.last) / 2)
        parts += [
            line(at - 4, _VISITS - 4, at + 4, _VISITS + 4, "death"),
            line(at - 4, _VISITS + 4, at + 4, _VISITS - 4, "death"),
        ]
    return element("g", element("title", f"{visit.name}: {state}"), *parts)
