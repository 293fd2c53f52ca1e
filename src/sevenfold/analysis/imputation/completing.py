"""Courses completed: every unseen value replaced by its conditional mean, or by a draw around it."""

import numpy as np

from sevenfold.analysis.column import Flags, Integers
from sevenfold.analysis.imputation.assumption import Assumption, assumed
from sevenfold.analysis.imputation.base_model import KINDS, ImputationModel, Parameters, arm_index, terms
from sevenfold.analysis.imputation.condensing import alike
from sevenfold.analysis.imputation.courses import Courses
from sevenfold.analysis.mmrm.arrays import Array, Index

__all__ = ["completed", "fill"]


def completed(
    courses: Courses,
    arms: tuple[str, ...],
    model: ImputationModel,
    parameters: Parameters,
    noise: Array | None = None,
    *,
    is_at_random: bool = False,
) -> Array:
    """Every course without a gap, once for each set of parameters  # (draw, patient, visit).

    Gaps before the event are filled first, from the own arm's distribution given what was seen before the event; then
    the visits after it, from the assumed distribution given all that came before and what was seen after.

    Args:
        noise: standard normal numbers  # (draw, patient, visit); without them, conditional means.
        is_at_random: whether to fill as if missing at random whatever the model assumes.
    """
    n_draws, n_visits = len(parameters.coefficients), len(courses.visits)
    seen, arm = courses.is_seen, arm_index(courses, arms)
    kinds = np.zeros_like(arm) if is_at_random else model.kinds(courses)
    first_after = np.where(kinds == KINDS.index(Assumption.MISSING_AT_RANDOM), n_visits, courses.first_after)
    means = terms(courses, arms) @ parameters.coefficients
    reference = 0 if model.reference is None else arms.index(model.reference)
    reference_means = terms(courses, arms, arms[reference]) @ parameters.coefficients
    filled = np.repeat(courses.response[None], n_draws, axis=0)
    for rows in _alike(np.column_stack([arm, kinds, first_after, seen])):
        one = rows[0]
        after = np.arange(n_visits) >= first_after[one]
        own = (means[:, rows], parameters.sigma[:, arm[one]])
        fill(filled, rows, ~after & seen[one], ~after & ~seen[one], *own, noise)
        unseen = after & ~seen[one]
        if unseen.any():
            other = (reference_means[:, rows], parameters.sigma[:, reference])
            taken = assumed(KINDS[kinds[one]], own, other, int(first_after[one]))
            fill(filled, rows, ~after | seen[one], unseen, *taken, noise)
    return filled


def fill(
    filled: Array, rows: Index, known: Flags, unknown: Flags, mean: Array, sigma: Array, noise: Array | None
) -> None:
    """Fills what is unknown of some patients from the normal distribution given what is known, in place.

    With k known and u unknown: mean μ_u + Σ_uk·Σ_kk⁻¹·(y_k - μ_k), covariance Σ_uu - Σ_uk·Σ_kk⁻¹·Σ_ku.

    Args:
        filled: # (draw, patient, visit).
        rows: patients who share what is known  # (patient of these,).
        mean: # (draw, patient of these, visit).
        sigma: # (draw, visit, visit).
    """
    if not unknown.any():
        return
    known_at, unknown_at = np.flatnonzero(known), np.flatnonzero(unknown)
    expected = mean[:, :, unknown_at]
    left = sigma[:, unknown_at[:, None], unknown_at]
    if known_at.size:
        across = sigma[:, known_at[:, None], unknown_at]
        regression = np.linalg.solve(sigma[:, known_at[:, None], known_at], across)
        expected = expected + (filled[:, rows[:, None], known_at] - mean[:, :, known_at]) @ regression
        left = left - across.swapaxes(1, 2) @ regression
    if noise is not None:
        lower = np.linalg.cholesky(left)
        expected = expected + noise[:, rows[:, None], unknown_at] @ lower.swapaxes(1, 2)
    filled[:, rows[:, None], unknown_at] = expected


def _alike(keys: Integers) -> list[Index]:
    """Patients with the same key, together."""
    _, code = alike(keys)
    return [np.flatnonzero(code == one) for one in range(int(code.max(initial=-1)) + 1)]
