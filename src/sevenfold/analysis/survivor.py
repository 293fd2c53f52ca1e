"""The effect in patients who would survive under either treatment, where death leaves no outcome to compare.

Every patient would, by the horizon, survive under both treatments (always), under the active one only (saved), under
control only (harmed), or under neither. Comparing survivors as they are compares different mixtures. What the data
say about the always-survivors alone is a pair of bounds, or an estimate once one number that they can't tell is named.
"""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike
from scipy.special import ndtr

from sevenfold.analysis.answer import Interval, checked_level, present
from sevenfold.analysis.crossing import crossing
from sevenfold.analysis.effect import Effect, Fit, Status
from sevenfold.analysis.truncation import Arms, Bounds, Monotone
from sevenfold.errors import InvalidInput

__all__ = ["Bounds", "Monotone", "SurvivorBounds", "SurvivorEffect", "survivor_bounds", "survivor_effect"]

MOST_FAILED: Final = 0.05  # of the resamples; above it their spread says too little


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivorBounds:
    """Bounds on the survivor average causal effect, with an interval for the effect itself.

    Args:
        interval_found: by Imbens and Manski; covers the effect, not the whole range between the bounds.
        n_failed: resamples without always-survivors, counted out of ``n_resamples``.
        is_contradicted: whether survival went against the assumption; then as if it were equal in both arms.
    """

    fit: Fit
    monotone: Monotone
    found: Bounds | None
    interval_found: Interval | None
    n_resamples: int
    n_failed: int
    is_contradicted: bool

    @property
    def bounds(self) -> Bounds:
        """The bounds.

        Raises:
            NotConverged: where the data do not bound the effect.
        """
        return present(self.found, self.fit)

    @property
    def interval(self) -> Interval:
        """The interval.

        Raises:
            NotConverged: where too many resamples failed.
        """
        return present(self.interval_found, self.fit)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivorEffect:
    """The survivor average causal effect at one value of what the data can't tell."""

    fit: Fit
    monotone: Monotone
    sensitivity: float
    estimated: Effect | None
    is_contradicted: bool

    @property
    def effect(self) -> Effect:
        """The effect, with a normal reference.

        Raises:
            NotConverged: where there is none.
        """
        return present(self.estimated, self.fit)


def survivor_bounds(
    outcome: ArrayLike,
    is_active: ArrayLike,
    is_survivor: ArrayLike,
    *,
    monotone: Monotone,
    rng: Generator,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> SurvivorBounds:
    """Zhang and Rubin's bounds: always-survivors make up at least a share q of an arm's survivors.

    At most, their mean is that of the best q of that arm's outcomes, at least that of its worst. With p_1 and p_0 the
    survival of the arms, π is the smallest share of always-survivors: p_0 if the treatment never harms (then q_0 = 1,
    and these are Lee's bounds), p_1 if it never saves, else p_0 + p_1 - 1; q_1 = π/p_1 and q_0 = π/p_0. The standard
    errors of both bounds come from a bootstrap of patients within arms, the interval from Imbens and Manski.

    Args:
        outcome: nan for those who died.
        is_survivor: alive when the outcome was due.

    Source: [zhang2003], [lee2009], [imbens2004]; docs/theory/survivors.md.
    """
    arms = Arms.checked(outcome, is_active, is_survivor)
    checked_level(level)
    if n_resamples < 2:
        raise InvalidInput(f"n_resamples is {n_resamples}; a spread needs two resamples at least.")
    found = arms.bounds(monotone)

    def told(fit: Fit, interval: Interval | None, n_failed: int) -> SurvivorBounds:
        return SurvivorBounds(
            fit=fit,
            monotone=monotone,
            found=found,
            interval_found=interval,
            n_resamples=n_resamples,
            n_failed=n_failed,
            is_contradicted=arms.contradicts(monotone),
        )

    if found is None:
        message = "There may be no patient who would survive under both treatments; these data bound nothing."
        return told(Fit(status=Status.NOT_ESTIMABLE, message=message), None, 0)
    resampled = [arms.resampled(rng).bounds(monotone) for _ in range(n_resamples)]
    kept = np.array([(b.lower, b.upper) for b in resampled if b is not None])
    n_failed = n_resamples - len(kept)
    if n_failed > MOST_FAILED * n_resamples:
        message = f"{n_failed} of {n_resamples} resamples held no always-survivor; the bounds have no standard error."
        return told(Fit(status=Status.NOT_ESTIMABLE, message=message), None, n_failed)
    se_lower, se_upper = (float(s) for s in kept.std(axis=0, ddof=1))
    reach = _imbens_manski(found.upper - found.lower, max(se_lower, se_upper), level)
    interval = Interval(
        lower=found.lower - reach * se_lower,
        upper=found.upper + reach * se_upper,
        level=level,
        method="Imbens-Manski, bootstrap standard errors",
        is_exact=False,
    )
    return told(Fit(status=Status.OK), interval, n_failed)


def survivor_effect(
    outcome: ArrayLike,
    is_active: ArrayLike,
    is_survivor: ArrayLike,
    *,
    monotone: Monotone,
    sensitivity: float,
) -> SurvivorEffect:
    """The effect in always-survivors if they differ by a stated amount from those whom the arm's treatment saved.

    If treatment never harms, its survivors are always-survivors, a share q = p_0/p_1, and saved patients. With ε how
    much higher the always-survivors' mean outcome under treatment is than the saved ones', effect = mean_1 + (1 - q) ε
    - mean_0 and Var = s_1²/m_1 + s_0²/m_0 + ε² Var q. If treatment never saves, likewise with the arms exchanged. ε = 0
    compares survivors as they are.

    Args:
        sensitivity: ε, on the outcome's scale; vary it over what clinicians hold possible.

    Source: [chiba2011]; docs/theory/survivors.md.
    """
    if monotone is Monotone.NONE:
        raise InvalidInput("With patients saved and others harmed one number doesn't suffice; assume one of them away.")
    if not np.isfinite(sensitivity):
        raise InvalidInput(f"The sensitivity is {sensitivity}; give a finite difference on the outcome's scale.")
    arms = Arms.checked(outcome, is_active, is_survivor)

    def told(fit: Fit, effect: Effect | None) -> SurvivorEffect:
        return SurvivorEffect(
            fit=fit,
            monotone=monotone,
            sensitivity=sensitivity,
            estimated=effect,
            is_contradicted=arms.contradicts(monotone),
        )

    m_1, m_0 = len(arms.active), len(arms.control)
    if min(m_1, m_0) < 2:
        message = f"{m_1} active and {m_0} control patients survived; a variance needs two in each arm."
        return told(Fit(status=Status.TOO_FEW, message=message), None)
    more, fewer = (arms.p_1, arms.p_0) if monotone is Monotone.NEVER_HARMS else (arms.p_0, arms.p_1)
    n_more, n_fewer = (arms.n_1, arms.n_0) if monotone is Monotone.NEVER_HARMS else (arms.n_0, arms.n_1)
    q = min(fewer / more, 1.0)
    q_variance = 0.0 if q == 1.0 else q**2 * ((1.0 - fewer) / (n_fewer * fewer) + (1.0 - more) / (n_more * more))
    added = (1.0 - q) * sensitivity * (1.0 if monotone is Monotone.NEVER_HARMS else -1.0)
    variance = arms.active.var(ddof=1) / m_1 + arms.control.var(ddof=1) / m_0 + sensitivity**2 * q_variance
    if variance <= 0.0:
        message = "All survivors of an arm had one outcome; nothing measures the spread."
        return told(Fit(status=Status.NOT_ESTIMABLE, message=message), None)
    effect = Effect(
        contrast="always-survivors, active - control",
        estimate=float(arms.active.mean() - arms.control.mean()) + added,
        se=float(np.sqrt(variance)),
        df=float(np.inf),
    )
    return told(Fit(status=Status.OK), effect)


def _imbens_manski(width: float, se: float, level: float) -> float:
    """C with Φ(C + width/se) - Φ(-C) = level: two-sided for bounds that meet, one-sided for bounds far apart."""
    if se <= 0.0:
        return 0.0

    def is_short(c: float) -> bool:
        return float(ndtr(c + width / se) - ndtr(-c)) < level

    return crossing(is_short, inside=0.0, outside=40.0, tolerance=1e-10)
