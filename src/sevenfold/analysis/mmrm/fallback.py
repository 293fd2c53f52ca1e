"""Estimators in an order laid down before unblinding, for when the first does not converge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from sevenfold.analysis.mmrm.covariance.autoregressive import Autoregressive
from sevenfold.analysis.mmrm.covariance.compound_symmetry import CompoundSymmetry
from sevenfold.analysis.mmrm.covariance.toeplitz import Toeplitz
from sevenfold.analysis.mmrm.covariance.unstructured import Unstructured
from sevenfold.analysis.mmrm.fit import MmrmFit
from sevenfold.analysis.mmrm.freedom.satterthwaite import Satterthwaite
from sevenfold.analysis.mmrm.longitudinal import Longitudinal
from sevenfold.analysis.mmrm.mmrm import Mmrm
from sevenfold.analysis.mmrm.sandwich import Empirical
from sevenfold.errors import InvalidDesign

__all__ = ["PRESPECIFIED", "FallbackFit", "fit_with_fallback"]

PRESPECIFIED = (
    Mmrm(covariance=Unstructured()),
    Mmrm(covariance=Toeplitz(is_heterogeneous=True)),
    Mmrm(covariance=Autoregressive(is_heterogeneous=True)),
    Mmrm(covariance=CompoundSymmetry(), freedom=Satterthwaite(), empirical=Empirical.CR2),
)
"""From the freest covariance to the simplest; the last, unlikely to be true, comes with a sandwich."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FallbackFit:
    """The first fit that ended well, or the last one tried, with those that failed before it.

    Args:
        fit: what to report.
        failed: the fits tried before, in order, each with its settings and why it failed.
    """

    fit: MmrmFit
    failed: tuple[MmrmFit, ...]

    @property
    def account(self) -> tuple[str, ...]:
        """One line for each attempt, for the report: its settings and how it ended."""
        return tuple(
            f"{one.settings.label}: {one.status.value}{f' ({one.ending.message})' if one.ending.message else ''}"
            for one in (*self.failed, self.fit)
        )


def fit_with_fallback(data: Longitudinal, attempts: Sequence[Mmrm] = PRESPECIFIED) -> FallbackFit:
    """Each estimator in turn until one ends well; the order must stand in the protocol, never be chosen from the data.

    Raises:
        InvalidDesign: no attempts, or a structure that cannot be laid over these visits.
    """
    failed: list[MmrmFit] = []
    for attempt in attempts:
        fit = attempt.fit(data)
        if fit.is_ok:
            return FallbackFit(fit=fit, failed=tuple(failed))
        failed.append(fit)
    if not failed:
        raise InvalidDesign("fit_with_fallback was given no attempts; name at least one Mmrm.")
    return FallbackFit(fit=failed[-1], failed=tuple(failed[:-1]))
