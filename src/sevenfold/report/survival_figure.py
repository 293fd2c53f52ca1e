"""Kaplan-Meier curves by arm, with the numbers at risk beneath."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from sevenfold.analysis.trial.estimates import Curve
from sevenfold.protocol.protocol import Protocol
from sevenfold.report.svg import Scale, element, figure, line, path, text
from sevenfold.report.words import percent

__all__ = ["survival_figures"]

_WIDTH, _PLOT, _ROW = 460.0, 240.0, 16.0
_LEFT, _RIGHT, _TOP = 52.0, 12.0, 14.0


def survival_figures(
    curves: Sequence[Curve], protocol: Protocol, arms: Mapping[str, tuple[str, str]]
) -> list[tuple[str, str]]:
    """Title and SVG of every endpoint that has curves."""
    titles = {endpoint.id: endpoint.label for endpoint in protocol.endpoints}
    return [
        (titles[name], _figure(titles[name], [curve for curve in curves if curve.endpoint == name], arms))
        for name in dict.fromkeys(curve.endpoint for curve in curves)
    ]


def _figure(title: str, curves: Sequence[Curve], arms: Mapping[str, tuple[str, str]]) -> str:
    last = max(curve.last_day for curve in curves)
    x = Scale(low=0.0, high=max(last, 1.0), start=_LEFT, end=_WIDTH - _RIGHT)
    y = Scale(low=0.0, high=1.0, start=_PLOT, end=_TOP)
    ticks = max((list(curve.n_at_risk) for curve in curves), key=len)
    parts: list[str] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [
            line(x.start, y(share), x.end, y(share), "grid"),
            text(x.start - 6, y(share) + 4, percent(share), anchor="end", class_="tick"),
        ]
    for day in ticks:
        parts += [
            line(x(day), y.start, x(day), y.start + 4, "axis"),
            text(x(day), y.start + 16, f"{day:g}", anchor="middle", class_="tick"),
        ]
    parts.append(text((x.start + x.end) / 2, y.start + 31, "days", anchor="middle", class_="tick"))
    parts.append(text(2, y.start + 48, "at risk", class_="tick small"))
    for row, curve in enumerate(curves):
        label, colour = arms[curve.group]
        parts.append(_steps(curve, label, colour, x, y))
        at = y.start + 48 + _ROW * (row + 1)
        parts.append(line(6, at - 4, 22, at - 4, f"mean {colour}"))
        parts += [text(x(day), at, str(n), anchor="middle", class_="tick small") for day, n in curve.n_at_risk.items()]
    ends = "; ".join(f"{arms[c.group][0]}: {percent(c.share[-1] if c.share else 1.0)} at the end" for c in curves)
    return figure(_WIDTH, _PLOT + 56 + _ROW * len(curves), title, f"Share free of the event by arm. {ends}.", *parts)


def _steps(curve: Curve, label: str, colour: str, x: Scale, y: Scale) -> str:
    corners = [(x(0.0), y(1.0))]
    for (_, before), (day, share) in pairwise([(0.0, 1.0), *zip(curve.day, curve.share, strict=True)]):
        corners += [(x(day), y(before)), (x(day), y(share))]
    corners.append((x(curve.last_day), corners[-1][1]))
    band = ""
    if curve.day:
        ends = f"{percent(curve.lower[-1])} to {percent(curve.upper[-1])}"
        band = f"; at day {curve.day[-1]:g} {percent(curve.share[-1])} ({ends})"
    tip = f"{label}, n = {curve.n}{band}"
    return element("g", element("title", tip), path(corners, f"mean {colour}", data_tip=tip))
