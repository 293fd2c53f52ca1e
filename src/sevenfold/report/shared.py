"""What every report of a trial shows, whether its record was rehearsed or its data came from tables."""

from collections.abc import Mapping
from typing import Any

from sevenfold.analysis.trial.estimates import Answer, Estimates
from sevenfold.cohort.cohort import Cohort
from sevenfold.design.shipped import shipped_levels
from sevenfold.protocol.endpoint import Intercurrent, Strategy
from sevenfold.protocol.load import ProtocolFile
from sevenfold.protocol.protocol import Protocol
from sevenfold.report import words
from sevenfold.report.courses import courses
from sevenfold.report.event_figure import event_figure
from sevenfold.report.forest_figure import FOREST_SCALES, forest_figure
from sevenfold.report.survival_figure import survival_figures

__all__ = ["arms_of", "shared_context"]


def shared_context(file: ProtocolFile, cohort: Cohort, estimates: Estimates, *, is_rehearsed: bool) -> dict[str, Any]:
    """What the templates' common sections read.

    Args:
        is_rehearsed: whether the patients are virtual.
    """
    p = file.protocol
    measured = shipped_levels(p.name)
    is_of_this = measured is not None and measured.plan_sha256 == file.plan_sha256
    shares = measured.shares if measured is not None and is_of_this else {}
    arms = arms_of(p)
    primary = estimates.primary
    curves = estimates.description.curves
    asked = p.primary.endpoint  # its curves come first, and lead where the question is about time
    leads_with_curves = any(curve.endpoint == asked for curve in curves)
    groups = [answer.group for answer in primary.groups]
    return {
        "protocol": p,
        "arms": arms,
        "names": {group: p.group_label(group) for group in p.groups},
        "headline": words.headline(primary, p.group_label(groups[0]), p.group_label(groups[1])),
        "primary": primary,
        "baseline": estimates.description.baseline,
        "courses": courses(cohort, estimates.description.points, p, arms, is_rehearsed=is_rehearsed),
        "survival": survival_figures(sorted(curves, key=lambda c: c.endpoint != asked), p, arms),
        "leads_with_curves": leads_with_curves,
        "answers": [_row(answer, shares, p, cohort) for answer in estimates.answers],
        "n_level_trials": measured.n_trials if measured is not None else 0,
        "n_other_p": sum(a.p_value is not None for a in estimates.answers if a is not primary),
        "forests": [svg for scale in FOREST_SCALES if (svg := forest_figure(estimates.answers, scale))],
        "decisions": estimates.decisions,
        "safety": estimates.description.safety,
        "events_svg": event_figure(
            estimates.description.events, arms, is_graded="grade" in estimates.description.safety.told
        ),
    }


def arms_of(p: Protocol) -> dict[str, tuple[str, str]]:
    """Arm's id -> (label, class that gives it its colour); arms without active product are grey."""
    active = [
        arm.id
        for arm in p.arms
        if not arm.injections or any(p.products[injection.product].is_active for injection in arm.injections)
    ]
    letters = {name: f"arm-{chr(ord('a') + place % 5)}" for place, name in enumerate(active)}
    return {arm.id: (arm.label, letters.get(arm.id, "arm-z")) for arm in p.arms}


def _row(
    answer: Answer, shares: Mapping[tuple[str, str], tuple[float, float]], p: Protocol, cohort: Cohort
) -> dict[str, Any]:
    value, interval = words.answer_value(answer)
    taken = p.estimand(answer.estimand).intercurrent
    supposed = words.supposed(
        had_lived=answer.is_hypothetical and bool((cohort.death_day < float("inf")).any()),
        had_stayed=answer.is_hypothetical and taken.get(Intercurrent.WITHDRAWAL) is Strategy.HYPOTHETICAL,
    )
    return {
        "answer": answer,
        "value": value,
        "interval": interval,
        "strategy": words.strategy(answer, supposed),
        "supposed": supposed,
        "level": shares.get((answer.estimand, answer.method)),
    }
