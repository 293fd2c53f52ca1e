"""A stopping boundary and what it does: how many events are too many, and how often it is reached at each rate."""

from collections.abc import Callable
from typing import Final

from sevenfold.report.svg import Scale, element, figure, line, path, text
from sevenfold.rules.boundary import Boundary

__all__ = ["boundary_figure", "operating_figure"]

_WIDTH, _HEIGHT = 640.0, 280.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 20.0, 22.0, 44.0
_RATES: Final = 41  # points of a curve


Totals = tuple[int, int]
"""Events, and subjects treated."""


def boundary_figure(
    boundary: Boundary, say: Callable[..., str] = str, now: Totals | None = None, replay: Totals | None = None
) -> str:
    """The boundary over the subjects treated; events on it or above reach it.

    Args:
        say: words in the reader's language.
        now: events and treated so far.
        replay: events and treated of another trial, at its end.
    """
    steps = [(n, events) for n, events in enumerate(boundary.events, start=1) if events <= n]
    most = max([events for _, events in steps] + [point[0] for point in (now, replay) if point is not None])
    x = Scale(low=0.0, high=float(boundary.n_subjects), start=_LEFT, end=_WIDTH - _RIGHT)
    y = Scale(low=0.0, high=most + 1.0, start=_HEIGHT - _BOTTOM, end=_TOP)
    parts = [*_axes(x, y, say("treated"), "{:g}")]
    corners: list[tuple[float, float]] = []
    for n, events in steps:
        corners += [(x(n - 1.0), y(events)), (x(n), y(events))]
    above = [*corners, (corners[-1][0], y.end), (corners[0][0], y.end)]
    parts += [path(above, "area arm-e", closed=True), path(corners, "mean arm-e")]
    parts.append(text(corners[0][0] + 6, y.end + 14, say("too many"), class_="tick strong halo"))
    told = f"{say('too many')}: " + ", ".join(f"{events}/{n}" for n, events in steps[:: max(len(steps) // 8, 1)])
    for point, words, colour in ((now, say("so far"), "arm-a"), (replay, say("replayed"), "arm-z")):
        if point is None:
            continue
        events, n = point
        parts += [
            element("circle", cx=x(n), cy=y(events), r=5, class_=f"dot {colour}"),
            text(x(n) + 9, y(events) + 4, f"{words}: {events}/{n}", class_="tick strong halo"),
        ]
        told += f"; {words}: {events}/{n}"
    return figure(_WIDTH, _HEIGHT, say("How many events are too many"), told, *parts, class_="chart middling")


def operating_figure(boundary: Boundary, say: Callable[..., str] = str) -> str:
    """The chance of reaching the boundary, against the true rate of the event."""
    highest = min(2.0 * boundary.tolerable, 0.95)
    rates = [highest * (k + 0.5) / _RATES for k in range(_RATES)]
    x = Scale(low=0.0, high=highest, start=_LEFT, end=_WIDTH - _RIGHT)
    y = Scale(low=0.0, high=1.0, start=_HEIGHT - _BOTTOM, end=_TOP)
    curve = [(x(rate), y(boundary.at_rate(rate).stops)) for rate in rates]
    parts = [*_axes(x, y, say("true rate of the event"), "{:.0%}"), path(curve, "mean arm-a")]
    told = []
    for rate, words in ((boundary.background, say("background")), (boundary.tolerable, say("tolerable"))):
        does = boundary.at_rate(rate)
        parts += [
            line(x(rate), y.start, x(rate), y.end, "reference"),
            element("circle", cx=x(rate), cy=y(does.stops), r=5, class_="dot arm-a"),
            text(x(rate) + 8, y(does.stops) + 16, f"{words} {rate:.0%}: {does.stops:.1%}", class_="tick strong halo"),
        ]
        told.append(f"{words} {rate:.0%}: {does.stops:.1%}")
    title = say("Chance that the boundary is reached")
    return figure(_WIDTH, _HEIGHT, title, "; ".join(told), *parts, class_="chart middling")


def _axes(x: Scale, y: Scale, below: str, shown: str) -> list[str]:
    parts: list[str] = [line(x.start, y.start, x.end, y.start, "axis")]
    parts += [text(x(tick), y.start + 17, shown.format(tick), anchor="middle", class_="tick") for tick in x.ticks(6)]
    for tick in y.ticks(4):
        at = f"{tick:.0%}" if y.high <= 1.0 else f"{tick:g}"
        parts += [
            line(x.start, y(tick), x.end, y(tick), "grid"),
            text(x.start - 6, y(tick) + 4, at, anchor="end", class_="tick"),
        ]
    parts.append(text((x.start + x.end) / 2, y.start + 36, below, anchor="middle", class_="tick"))
    return parts
