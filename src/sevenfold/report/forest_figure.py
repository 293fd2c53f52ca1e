"""A forest of ratios: each estimate of one scale with its interval, on one logarithmic axis."""

from collections.abc import Sequence

from sevenfold.analysis.trial.estimates import Answer
from sevenfold.report.svg import Scale, element, figure, line, path, text
from sevenfold.report.words import answer_value, interval, number

__all__ = ["FOREST_SCALES", "forest_figure"]

_WIDTH, _ROW = 760.0, 26.0
FOREST_SCALES = {"ratio": "Ratio of geometric means", "hazard ratio": "Hazard ratio", "win ratio": "Win ratio"}


def forest_figure(answers: Sequence[Answer], scale: str = "ratio") -> str:
    """Ratios as SVG; bounds are drawn as a bar without a point.

    Args:
        scale: ``ratio`` (of geometric means) or ``hazard ratio``.
    """
    shown = [a for a in answers if a.scale == scale and a.lower is not None and a.upper is not None]
    if not shown:
        return ""
    low = min([0.5, *(a.lower or 1.0 for a in shown)]) * 0.9
    high = max([2.0, *(a.upper or 1.0 for a in shown)]) * 1.1
    x = Scale(low=low, high=high, start=430.0, end=_WIDTH - 20.0, is_log=True)
    height = 40.0 + _ROW * len(shown) + 26.0
    parts = [text(10, 20, f"{FOREST_SCALES[scale]}, group in question over its comparator", class_="box-strong")]
    base = 30.0 + _ROW * len(shown) + 8.0
    for tick in (t for t in (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0) if low < t < high):
        parts += [
            line(x(tick), 30, x(tick), base, "grid" if tick != 1.0 else "reference"),
            text(x(tick), base + 15, f"{tick:g}", anchor="middle", class_="tick"),
        ]
    for row, a in enumerate(shown):
        assert a.lower is not None
        assert a.upper is not None
        y = 30.0 + _ROW * (row + 0.6)
        name = a.label if len(a.label) <= 62 else a.label[:60] + "…"
        tip = (
            f"{a.label}: {number(a.value, 2) if a.value is not None else 'bounds'} (95 % CI "
            f"{interval(a.lower, a.upper, 2)})"
        )
        parts.append(text(10, y + 4, name, class_="tick strong" if a.role == "primary" else "tick"))
        parts.append(line(x(a.lower), y, x(a.upper), y, "whisker arm-a"))
        if a.bounds is not None:
            left, right = x(a.bounds[0]), x(a.bounds[1])
            parts.append(
                path(
                    [(left, y - 4), (right, y - 4), (right, y + 4), (left, y + 4)],
                    "bar arm-a",
                    closed=True,
                    data_tip=tip,
                )
            )
        elif a.value is not None:
            shape = 5.0 if a.role == "primary" else 3.8
            parts.append(
                element(
                    "circle",
                    element("title", tip),
                    cx=x(a.value),
                    cy=y,
                    r=shape,
                    class_="dot arm-a",
                    data_tip=tip,
                    tabindex=0,
                )
            )
    return figure(
        _WIDTH,
        height,
        "Forest of ratios",
        "; ".join(f"{a.label}: {answer_value(a)[0]} (95 % CI {interval(a.lower, a.upper, 2)})" for a in shown),
        *parts,
        class_="chart wide",
    )
