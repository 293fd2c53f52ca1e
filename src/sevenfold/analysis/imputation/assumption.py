"""What is assumed of measurements that nobody made: the distribution that unseen values are taken to come from."""

from enum import Enum
from typing import Final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array

__all__ = ["REFERS", "Assumption", "assumed"]


class Assumption(Enum):
    """How a patient's course goes on after an intercurrent event.

    With μ the mean of the patient's own arm and μ' that of the reference at the patient's covariates, and the first
    visit after the event t, the mean after the event is

    - missing at random: μ, as if nothing had happened;
    - jump to reference: μ', the benefit is lost at once;
    - copy increments in reference: μ_{t-1} + μ' - μ'_{t-1}, the benefit so far is kept and none is added;
    - copy reference: μ', and what was seen before is also judged by the reference, which carries part of it over;
    - last mean carried forward: μ_{t-1}.

    Source: [carpenter2013]; docs/theory/imputation.md.
    """

    MISSING_AT_RANDOM = "missing at random"
    JUMP_TO_REFERENCE = "jump to reference"
    COPY_INCREMENTS = "copy increments in reference"
    COPY_REFERENCE = "copy reference"
    LAST_MEAN = "last mean carried forward"


REFERS: Final = frozenset(
    {Assumption.JUMP_TO_REFERENCE, Assumption.COPY_INCREMENTS, Assumption.COPY_REFERENCE},
)
"""The assumptions that need a reference arm."""


def assumed(
    assumption: Assumption, own: tuple[Array, Array], reference: tuple[Array, Array], first_after: int
) -> tuple[Array, Array]:
    """Mean and covariance that values after the event are drawn from, given those before it.

    Where the arms' covariances differ, jump to reference and copy increments keep the own covariance before the event
    and, after it, the reference's regression on what came before: with R the own and Q the reference's covariance,
    Σ11 = R11, Σ21 = Q21·Q11⁻¹·R11, Σ22 = Q22 - Q21·Q11⁻¹·(Q11 - R11)·Q11⁻¹·Q12.

    Args:
        own: means and covariances in the patient's own arm  # (draw, patient, visit), (draw, visit, visit).
        reference: likewise in the reference arm.
        first_after: index of the first visit after the event. At 0 nothing of the own arm was seen, and jump to
            reference and copy increments are both the reference.

    Source: [carpenter2013]; docs/theory/imputation.md.
    """
    mean, sigma = own
    mean_reference, sigma_reference = reference
    before, after = slice(None, first_after), slice(first_after, None)
    if assumption is Assumption.MISSING_AT_RANDOM:
        return mean, sigma
    if assumption is Assumption.COPY_REFERENCE or (assumption in REFERS and first_after == 0):
        return mean_reference, sigma_reference
    shifted = mean.copy()
    if assumption is Assumption.LAST_MEAN:
        shifted[:, :, after] = mean[:, :, first_after - 1, None]
        return shifted, sigma
    shifted[:, :, after] = mean_reference[:, :, after]
    if assumption is Assumption.COPY_INCREMENTS:
        shifted[:, :, after] += (mean - mean_reference)[:, :, first_after - 1, None]
    r11 = sigma[:, before, before]
    q11, q12 = sigma_reference[:, before, before], sigma_reference[:, before, after]
    regression = np.linalg.solve(q11, q12)  # Q11⁻¹·Q12
    mixed = np.empty_like(sigma)
    mixed[:, before, before] = r11
    mixed[:, before, after] = r11 @ regression
    mixed[:, after, before] = mixed[:, before, after].swapaxes(1, 2)
    spared = regression.swapaxes(1, 2) @ (q11 - r11) @ regression
    mixed[:, after, after] = sigma_reference[:, after, after] - spared
    return shifted, mixed
