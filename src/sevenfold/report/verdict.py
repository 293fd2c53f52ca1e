"""Whether the rise lies where it was published: one plain sentence a published range."""

from collections.abc import Sequence

from sevenfold.evidence.compare import Agreement, Comparison, Measure
from sevenfold.report.words import interval, number

__all__ = ["verdicts"]


def verdicts(comparisons: Sequence[Comparison]) -> list[str]:
    """A sentence for every published range that results of ours stand beside."""
    made = []
    for figure in dict.fromkeys(c.figure for c in comparisons if c.figure.statistic == "fold increase range"):
        mine = [(c.measure, c.agreement) for c in comparisons if c.figure is figure and c.measure is not None]
        inside = [measure for measure, agreement in mine if agreement is Agreement.INSIDE]
        outside = [measure for measure, agreement in mine if agreement in (Agreement.OUTSIDE, Agreement.OVERLAPS)]
        told = [f"{figure.variable}: published {figure.shown}-fold ({figure.arm})."]
        if inside:
            told.append("Inside: " + "; ".join(_told(measure) for measure in inside) + ".")
        if outside:
            told.append("Not inside: " + "; ".join(_told(measure) for measure in outside) + ".")
        if not inside:
            told.append("This rehearsal does not lie in the published range.")
        made.append(" ".join(told))
    return made


def _told(measure: Measure) -> str:
    ci = f" (95 % CI {interval(measure.lower, measure.upper)})" if measure.lower is not None else ""
    return f"{number(measure.value, 2)}{ci}, {measure.text.partition(', ')[2]}"
