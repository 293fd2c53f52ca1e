"""Enrolment over time: who was screened and randomised, against what the sites that are open should bring."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, final

from sevenfold.report.svg import Scale, figure, group, line, path, text

__all__ = ["Enrolment", "enrolment_figure"]

_WIDTH, _HEIGHT = 640.0, 280.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 20.0, 22.0, 34.0
_DAYS_A_MONTH: Final = 365.25 / 12


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What the figure shows.

    Args:
        screened, randomised: when, in order.
        opened: of every open site, since when and how many candidates a month the protocol expects of it.
        planned: subjects to be randomised.
        until: today.
    """

    screened: Sequence[datetime]
    randomised: Sequence[datetime]
    opened: Sequence[tuple[datetime, float]]
    planned: int
    until: datetime

    def expected(self, at: datetime) -> float:
        """Candidates who should have been seen by now."""
        since = [((at - began).total_seconds() / 86_400.0, rate) for began, rate in self.opened]
        return sum(max(days, 0.0) / _DAYS_A_MONTH * rate for days, rate in since)


def enrolment_figure(shown: Enrolment, say: Callable[[str], str] = str) -> str:
    """The figure as SVG; empty before the first site is open.

    Args:
        say: words in the reader's language.
    """
    if not shown.opened:
        return ""
    began = min(at for at, _ in shown.opened)
    span = max((shown.until - began).total_seconds() / 86_400.0, 7.0)
    expected = [(day, shown.expected(began + timedelta(days=day))) for day in (span * k / 60.0 for k in range(61))]
    most = max(shown.planned, len(shown.screened), expected[-1][1])
    x = Scale(low=0.0, high=span, start=_LEFT, end=_WIDTH - _RIGHT)
    y = Scale(low=0.0, high=1.08 * most, start=_HEIGHT - _BOTTOM, end=_TOP)
    parts: list[str] = [line(x.start, y.start, x.end, y.start, "axis")]
    for tick in y.ticks(4):
        parts += [
            line(x.start, y(tick), x.end, y(tick), "grid"),
            text(x.start - 6, y(tick) + 4, f"{tick:g}", anchor="end", class_="tick"),
        ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        anchor = {0.0: "start", 1.0: "end"}.get(share, "middle")
        day = (began + timedelta(days=share * span)).strftime("%Y-%m-%d")
        parts.append(text(x(share * span), y.start + 18, day, anchor=anchor, class_="tick"))
    parts += [
        line(x.start, y(shown.planned), x.end, y(shown.planned), "reference"),
        text(x.start + 4, y(shown.planned) - 5, f"{say('to be randomised')}: {shown.planned}", class_="tick halo"),
        path([(x(day), y(n)) for day, n in expected], "reference"),
        _steps(shown.screened, began, span, x, y, "arm-z"),
        _steps(shown.randomised, began, span, x, y, "arm-a"),
        _legend(say, len(shown.screened), len(shown.randomised)),
    ]
    words = (
        f"{say('Screened')}: {len(shown.screened)}; {say('expected')}: {expected[-1][1]:.0f}; {say('randomised')}: "
        f"{len(shown.randomised)}; {say('to be randomised')}: {shown.planned}."
    )
    return figure(_WIDTH, _HEIGHT, say("Enrolment over time"), words, *parts, class_="chart middling")


def _steps(dates: Sequence[datetime], began: datetime, span: float, x: Scale, y: Scale, colour: str) -> str:
    corners = [(x(0.0), y(0.0))]
    for n, at in enumerate(sorted(dates), start=1):
        place = x((at - began).total_seconds() / 86_400.0)
        corners += [(place, y(n - 1)), (place, y(n))]
    corners.append((x(span), corners[-1][1]))
    return path(corners, f"mean {colour}")


def _legend(say: Callable[[str], str], n_screened: int, n_randomised: int) -> str:
    parts, at = [], _LEFT
    for words, kind in (
        (f"{say('randomised')} ({n_randomised})", "mean arm-a"),
        (f"{say('screened')} ({n_screened})", "mean arm-z"),
        (say("expected to be screened by the open sites"), "reference"),
    ):
        parts += [line(at, 9, at + 20, 9, kind), text(at + 26, 13, words, class_="tick")]
        at += 48 + 6.3 * len(words)
    return group(*parts)
