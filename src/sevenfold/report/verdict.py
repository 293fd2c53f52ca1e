"""Whether the rise lies where it was published: one plain sentence for every published range, per reference.

A rise of cells may be over baseline or over placebo, and the two are different figures. Where the publication says
which, ours is judged by that one alone; where it does not, each is judged apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from sevenfold.evidence.compare import Agreement, Comparison, Measure
from sevenfold.report.words import interval, number

__all__ = ["Verdict", "verdicts"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A published range against ours.

    Args:
        plain: whether ours lies in it, in one sentence.
        detail: the values behind it.
    """

    plain: str
    detail: str


def verdicts(comparisons: Sequence[Comparison]) -> list[Verdict]:
    """A verdict for every published range of a rise that results of ours stand beside."""
    made = []
    for figure in dict.fromkeys(c.figure for c in comparisons if c.figure.statistic == "fold increase range"):
        mine = [c for c in comparisons if c.figure is figure and c.measure is not None and c.measure.value is not None]
        judged: dict[str, list[Comparison]] = {}
        aside: dict[str, list[Comparison]] = {}
        for c in mine:
            is_aside = c.agreement is Agreement.OTHER_REFERENCE
            (aside if is_aside else judged).setdefault(_over(c.measure), []).append(c)
        stated = next((c.against for c in mine), None)
        range_in_print = f"{figure.shown}-fold"
        if not judged:
            plain = f"{figure.variable}: nothing of ours can be compared with the published {range_in_print}."
        else:
            over = f" against {stated}" if stated else ""
            plain = f"{figure.variable}, published {range_in_print}{over}: this rehearsal " + ", and ".join(
                _plainly(reference, found, is_told=stated is None) for reference, found in judged.items()
            )
            plain += "." if stated else ". The publication does not say which is meant."
        told = [_listed(f"against {reference}", found) for reference, found in judged.items()]
        told += [
            _listed(f"for information, against {reference} (not what was published)", found)
            for reference, found in aside.items()
        ]
        detail = "; ".join(told)
        made.append(Verdict(plain=plain, detail=f"Ours {detail}." if detail else ""))
    return made


def _over(measure: Measure | None) -> str:
    return (measure.against if measure else None) or "baseline"


def _plainly(reference: str, found: Sequence[Comparison], *, is_told: bool) -> str:
    over = f" against {reference}" if is_told else ""
    answers = {(c.measure.visit if c.measure else None) or "": c.agreement is Agreement.INSIDE for c in found}
    if len(set(answers.values())) == 1:
        does = "lies" if next(iter(answers.values())) else "does not lie"
        return f"{does} in that range{over}"
    inside, outside = ([day for day, is_in in answers.items() if is_in is wanted] for wanted in (True, False))
    return f"lies in that range{over} on {_and(inside)} but not on {_and(outside)}"


def _listed(where: str, found: Sequence[Comparison]) -> str:
    return f"{where}: " + ", ".join(_told(c) for c in found)


def _told(comparison: Comparison) -> str:
    measure = comparison.measure
    assert measure is not None
    ci = f" (95 % CI {interval(measure.lower, measure.upper, 2)})" if measure.lower is not None else ""
    at = f" on {measure.visit}" if measure.visit else ""
    return f"{number(measure.value, 2)}{ci}{at}"


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
