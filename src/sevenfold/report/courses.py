"""Which courses a report shows, with the table of values that stands under each figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from sevenfold.analysis.trial.estimates import Point
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.protocol import Protocol
from sevenfold.report.course_figure import CourseSettings, course_figure
from sevenfold.report.words import interval, number

__all__ = ["Course", "courses"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A figure and its table.

    Args:
        rows: visit -> arm's id -> (n, mean with its interval, fold with its interval).
        folds: whether the table has ratios to baseline.
        below: what is to be said of values below the limit of quantification; empty where there is none.
    """

    title: str
    lead: str
    svg: str
    unit: str
    rows: Mapping[str, Mapping[str, tuple[int, str, str]]]
    folds: bool
    below: str


_WANTED: Final = (  # variable, what to look for, logarithmic axis, lowest value drawn, last day
    (
        "alc",
        "The primary measurement. Geometric means; on placebo the count recovers slowly by itself.",
        True,
        50.0,
        95.0,
    ),
    ("cd4", "Helper T cells: geometric means.", True, 10.0, 95.0),
    ("cd8", "Cytotoxic T cells: geometric means.", True, 10.0, 95.0),
    ("ki67_cd4", "Share of CD4 cells in cycle: early and transient, before the counts rise.", False, 0.1, 45.0),
    ("ki67_cd8", "Share of CD8 cells in cycle.", False, 0.1, 45.0),
    ("il7", "IL-7 before each dose, and once after the first. Logarithmic axis.", True, 0.005, 31.0),
    ("hladr_tcell", "Activation of T cells (not to be confused with monocyte HLA-DR).", False, 0.1, 45.0),
    ("mhla_dr", "Monocyte HLA-DR: recovers with the patient; IL-7 is assumed not to act on it.", True, 500.0, 45.0),
    ("sofa", "Organ dysfunction: arithmetic means in those alive. No effect of IL-7 is put in.", False, 0.0, 45.0),
    ("il6", "Interleukin-6: no effect of IL-7 is put in.", True, 1.0, 31.0),
    ("tnf_alpha", "Tumour necrosis factor alpha: no effect of IL-7 is put in.", True, 0.5, 31.0),
    ("il10", "Interleukin-10: no effect of IL-7 is put in.", True, 0.5, 31.0),
)


def courses(
    cohort: Cohort,
    points: Sequence[Point],
    protocol: Protocol,
    arms: Mapping[str, tuple[str, str]],
    *,
    is_rehearsed: bool,
) -> list[Course]:
    """The courses of whatever the protocol measured, in the order in which one would read them.

    Args:
        is_rehearsed: whether the patients are virtual; of others nothing is said that the model puts in.
    """
    made = []
    named = {name for name, *_ in _WANTED}
    last = max(visit.time_day for visit in protocol.schedule.visits)
    others = ((name, "", False, 0.0, last) for name in cohort.values if name not in named)
    asked = protocol.endpoint(protocol.primary.endpoint).assessments
    wanted = sorted(
        (*_WANTED, *others), key=lambda one: one[0] not in asked
    )  # what the primary question is about first
    for name, said, is_log, floor, usual_last_day in wanted:
        lead = said if is_rehearsed else ""
        if name not in cohort.values or not np.isfinite(cohort.values[name]).any():
            continue
        last_day = usual_last_day if is_rehearsed else max(usual_last_day, last)
        variable = protocol.known_variables[name]
        unit = variable.unit or ""
        reference = (1200.0, "1200") if name == "alc" else None
        settings = CourseSettings(
            variable=name,
            title=variable.label,
            unit=unit,
            arms=arms,
            is_log=is_log,
            floor=floor,
            last_day=last_day,
            reference=reference,
        )
        svg = course_figure(cohort, points, settings)
        if svg:
            mine = [point for point in points if point.variable == name and point.group in arms]
            has_folds = any(point.fold is not None for point in mine) and name in ("alc", "cd4", "cd8")
            made.append(
                Course(
                    title=variable.label,
                    lead=lead,
                    svg=svg,
                    unit=unit,
                    rows=_rows(mine),
                    folds=has_folds,
                    below=_below(name, cohort, unit),
                )
            )
    return made


def _below(name: str, cohort: Cohort, unit: str) -> str:
    """How many values are limits of quantification, which limits, and what they count as."""
    if name not in cohort.below or not cohort.below[name].any():
        return ""
    values, below = cohort.values[name], cohort.below[name]
    limit = f"{float(values[below].max()):g}"
    share = f"{int(below.sum())} of {int(np.isfinite(values).sum())} values"
    return f"{share} lay below the limit of quantification ({limit} {unit}) and count as the limit."


def _rows(points: Sequence[Point]) -> dict[str, dict[str, tuple[int, str, str]]]:
    rows: dict[str, dict[str, tuple[int, str, str]]] = {}
    for point in points:
        if point.mean is None and not point.n_zero:
            continue
        mean = ("–" if point.mean is None else number(point.mean)) + (
            f" ({interval(point.lower, point.upper)})" if point.lower is not None else ""
        )
        fold = (
            "–"
            if point.fold is None
            else number(point.fold, 2)
            + (f" ({interval(point.fold_lower, point.fold_upper, 2)})" if point.fold_lower is not None else "")
        )
        if point.n_below:
            mean += f", {point.n_below} below the limit"
        if point.n_zero:
            mean += f", without {point.n_zero} of 0"
        rows.setdefault(point.visit, {})[point.group] = (point.n, mean, fold)
    return rows
