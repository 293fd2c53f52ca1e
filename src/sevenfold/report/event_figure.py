"""Adverse events as dots: the share of subjects with each, by arm, with exact intervals."""

from collections.abc import Mapping, Sequence

from sevenfold.analysis.trial.estimates import EventRow
from sevenfold.report.svg import Scale, element, figure, line, text
from sevenfold.report.words import percent

__all__ = ["event_figure"]

_WIDTH, _ROW, _MOST = 760.0, 30.0, 16


def event_figure(rows: Sequence[EventRow], arms: Mapping[str, tuple[str, str]], *, is_graded: bool = True) -> str:
    """The commonest events as SVG.

    Args:
        arms: group -> (label, class that gives it its colour).
    """
    rows = [row for row in rows if row.group in arms]
    totals = {(row.system, row.term): 0 for row in rows}
    for row in rows:
        totals[row.system, row.term] += row.n_subjects
    terms = sorted((t for t in totals if totals[t]), key=lambda t: (t[0] != "All", -totals[t], t))[:_MOST]
    if not terms:
        return ""
    x = Scale(low=0.0, high=1.0, start=240.0, end=_WIDTH - 20.0)
    base = 12.0 + _ROW * len(terms)
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [
            line(x(tick), 8, x(tick), base, "grid"),
            text(x(tick), base + 16, percent(tick), anchor="middle", class_="tick"),
        ]
    for number, (system, term) in enumerate(terms):
        middle = 12.0 + _ROW * (number + 0.5)
        parts.append(text(10, middle + 4, term, class_="tick strong" if system == "All" else "tick"))
        for place, (name, (label, colour)) in enumerate(arms.items()):
            mine = [r for r in rows if (r.system, r.term) == (system, term) and r.group == name]
            if not mine:
                continue
            row = mine[0]
            y = middle + 7.0 * (place - (len(arms) - 1) / 2)
            tip = (
                f"{term}, {label}: {row.n_subjects} of {row.n} ({percent(row.share)}, 95 % CI {percent(row.lower)} "
                f"to {percent(row.upper)})" + (f"; grade 3 or more in {row.n_severe}" if is_graded else "")
            )
            parts.append(line(x(row.lower), y, x(row.upper), y, f"whisker {colour}"))
            parts.append(
                element(
                    "circle",
                    element("title", tip),
                    cx=x(row.share),
                    cy=y,
                    r=3.4,
                    class_=f"dot {colour}",
                    data_tip=tip,
                    tabindex=0,
                )
            )
    words = (
        "Share of the subjects randomised with each adverse event over the whole follow-up, by arm, with exact 95 % "
        "intervals; the table below has those that are treatment-emergent."
    )
    return figure(_WIDTH, base + 24, "Adverse events", words, *parts, class_="chart wide")
