"""Predicted courses by arm: the median over the posterior with its 95 % band, and the published range across it."""

from collections.abc import Mapping, Sequence

from sevenfold.calibrate.predict import Prediction, ProtocolPrediction
from sevenfold.report.svg import Scale, element, figure, group, line, path, text
from sevenfold.report.words import interval, number

__all__ = ["prediction_figure"]

_WIDTH, _HEIGHT = 460.0, 280.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 16.0, 40.0


def prediction_figure(
    predicted: ProtocolPrediction,
    variable: str,
    title: str,
    arms: Mapping[str, tuple[str, str]],
    published: tuple[float, float] | None = None,
) -> str:
    """Ratio to baseline of one variable as SVG.

    Args:
        arms: arm's id -> (label, class that gives it its colour).
        published: a range in print, drawn across.
    """
    rows = [row for row in predicted.rows if row.variable == variable and row.arm in arms]
    if not rows:
        return ""
    last = max(row.study_day for row in rows)
    top = max([row.over_baseline.upper for row in rows] + [published[1] if published else 1.0]) * 1.1
    x = Scale(low=1.0, high=float(last), start=_LEFT, end=_WIDTH - _RIGHT)
    lowest = min(row.over_baseline.lower for row in rows)
    y = Scale(low=min(0.8, 0.9 * lowest), high=max(top, 2.0), start=_HEIGHT - _BOTTOM, end=_TOP, is_log=True)
    body = [_axes(x, y, last), *([_range(x, y, published)] if published else [])]
    body += [_arm([row for row in rows if row.arm == name], *of, x, y) for name, of in arms.items()]
    said = "; ".join(
        f"{label}: {number(row.over_baseline.median, 2)} on day {row.study_day}"
        for name, (label, _) in arms.items()
        for row in rows
        if row.arm == name and row.study_day == last
    )
    name = f"{title}, ratio to baseline, posterior {'A' if predicted.which == 'held out' else 'B'}"
    return figure(_WIDTH, _HEIGHT, name, f"Medians with 95 % bands of the parameters' uncertainty. {said}.", *body)


def _axes(x: Scale, y: Scale, last: int) -> str:
    parts = [line(x.start, y.start, x.end, y.start, "axis"), text(4, _TOP - 4, "times baseline", class_="tick")]
    for tick in (t for t in (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 40.0) if y.low < t < y.high):
        parts.append(line(x.start, y(tick), x.end, y(tick), "reference" if tick == 1.0 else "grid"))
        parts.append(text(x.start - 6, y(tick) + 4, f"{tick:g}", anchor="end", class_="tick"))
    for day in range(1, last + 1, 7 if last <= 45 else 14):
        parts.append(line(x(day), y.start, x(day), y.start + 4, "axis"))
        parts.append(text(x(day), y.start + 17, str(day), anchor="middle", class_="tick"))
    parts.append(text((x.start + x.end) / 2, y.start + 34, "study day", anchor="middle", class_="tick"))
    return group(*parts)


def _range(x: Scale, y: Scale, published: tuple[float, float]) -> str:
    low, high = published
    corners = [(x.start, y(low)), (x.end, y(low)), (x.end, y(high)), (x.start, y(high))]
    words = f"published {low:g} to {high:g}"
    return group(
        path(corners, "published-range", closed=True), text(x.end - 4, y(high) + 12, words, anchor="end", class_="tick")
    )


def _arm(rows: Sequence[Prediction], label: str, colour: str, x: Scale, y: Scale) -> str:
    rows = sorted(rows, key=lambda row: row.study_day)
    upper = [(x(row.study_day), y(row.over_baseline.upper)) for row in rows]
    lower = [(x(row.study_day), y(row.over_baseline.lower)) for row in reversed(rows)]
    start = (x(1.0), y(1.0))
    parts = [
        path([start, *upper, *lower], f"band {colour}", closed=True),
        path([start, *((x(row.study_day), y(row.over_baseline.median)) for row in rows)], f"mean {colour}"),
    ]
    for row in rows:
        one = row.over_baseline
        tip = (
            f"{label}, day {row.study_day}: {number(one.median, 2)} times baseline (parameters, 95 %: "
            f"{interval(one.lower, one.upper, 2)}; a study's estimate: {interval(one.study_lower, one.study_upper, 2)})"
        )
        parts.append(
            element(
                "circle",
                element("title", tip),
                cx=x(row.study_day),
                cy=y(one.median),
                r=3.2,
                class_=f"dot {colour}",
                data_tip=tip,
                tabindex=0,
            )
        )
    return group(*parts)
