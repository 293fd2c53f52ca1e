"""The mixed model for repeated measures as an estimator: settings in the constructor, data in the call."""

from dataclasses import dataclass, field
from typing import final

import numpy as np

from sevenfold.analysis.effect import Fit, Status
from sevenfold.analysis.mmrm.covariance.by_group import ByGroup, Stack
from sevenfold.analysis.mmrm.covariance.structure import Structure
from sevenfold.analysis.mmrm.covariance.unstructured import Unstructured
from sevenfold.analysis.mmrm.fit import Counts, Criteria, Estimates, MmrmFit
from sevenfold.analysis.mmrm.freedom.information import Information, parameter_covariance
from sevenfold.analysis.mmrm.freedom.kenward_roger import KenwardRoger
from sevenfold.analysis.mmrm.freedom.reference import Freedom, Setting, model_covariance
from sevenfold.analysis.mmrm.likelihood import Estimation
from sevenfold.analysis.mmrm.longitudinal import Longitudinal
from sevenfold.analysis.mmrm.panel import arrange
from sevenfold.analysis.mmrm.sandwich import Empirical
from sevenfold.analysis.mmrm.search import Optimum, search
from sevenfold.errors import InvalidDesign, NotConverged

__all__ = ["Mmrm"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Mmrm:
    """The marginal linear model y_i = X_i·β + e_i, e_i ~ N(0, Σ_i(θ)), patients independent.

    Σ_i is Σ without the rows and columns of the visits that patient i missed, so what was measured counts in full and
    nothing is imputed; valid where what is missing depends on what was measured. Source: docs/theory/mmrm.md,
    [mallinckrodt2008].

    Args:
        covariance: the structure of Σ; ``ByGroup`` estimates it in each group.
        freedom: degrees of freedom, and with Kenward-Roger the covariance of β̂.
        estimation: restricted or full likelihood.
        empirical: a sandwich covariance of β̂ instead of the model's.

    Raises:
        InvalidDesign: Kenward-Roger with ML or with a sandwich, for neither of which it was derived.
    """

    covariance: Structure | ByGroup = field(default_factory=Unstructured)
    freedom: Freedom = field(default_factory=KenwardRoger)
    estimation: Estimation = Estimation.REML
    empirical: Empirical | None = None

    def __post_init__(self) -> None:
        """Refuse combinations without a derivation."""
        if isinstance(self.freedom, KenwardRoger) and self.estimation is Estimation.ML:
            raise InvalidDesign("Kenward-Roger is derived for REML; use Satterthwaite() with ML.")
        if isinstance(self.freedom, KenwardRoger) and self.empirical is not None:
            raise InvalidDesign(
                f"Kenward-Roger adjusts the model's covariance, not the sandwich {self.empirical.value}; use "
                "Satterthwaite(), which then gives the degrees of freedom of Bell and McCaffrey, or BetweenWithin()."
            )

    @property
    def label(self) -> str:
        """The settings in words, for tables."""
        empirical = "" if self.empirical is None else f", {self.empirical.value} sandwich"
        return f"{self.covariance.label}, {self.estimation.name}, {self.freedom.label}{empirical}"

    def fit(self, data: Longitudinal) -> MmrmFit:
        """The model fitted to the data; a fit that fails says so in its status.

        Raises:
            InvalidDesign: the structure cannot be laid over these visits.
        """
        is_by_group = isinstance(self.covariance, ByGroup)
        structure = self.covariance.structure if isinstance(self.covariance, ByGroup) else self.covariance
        stack = Stack(structure.on(data.positions), data.groups if is_by_group else ("all",))
        optimum = search(arrange(data, is_by_group=is_by_group), stack, self.estimation)
        if isinstance(optimum, Fit):
            return self._ended(data, optimum, None)
        try:
            reference = self.freedom.refer(self._setting(data, optimum, isinstance(structure, Unstructured)))
        except NotConverged as trouble:
            return self._ended(data, Fit(status=Status.NOT_ESTIMABLE, message=str(trouble)), None)
        return self._ended(
            data,
            Fit(status=Status.OK),
            Estimates(
                coefficients=optimum.panel.to_columns @ (optimum.panel.least_squares + optimum.point.coefficients),
                covariance=reference.covariance,
                model_covariance=model_covariance(optimum),
                theta=optimum.theta,
                theta_names=optimum.names,
                theta_covariance=parameter_covariance(optimum, Information.OBSERVED),
                sigma=optimum.sigma,
                groups=stack.groups,
                criteria=self._criteria(data, optimum),
                n_steps=optimum.n_steps,
                reference=reference,
            ),
        )

    def _ended(self, data: Longitudinal, ending: Fit, found: Estimates | None) -> MmrmFit:
        counts = Counts(
            n_patients=data.n_patients,
            n_observations=data.n_observations,
            n_patients_left_out=data.n_patients_left_out,
            left_out=data.left_out,
        )
        return MmrmFit(settings=self, ending=ending, counts=counts, columns=data.columns, found=found)

    def _setting(self, data: Longitudinal, optimum: Optimum, is_unstructured: bool) -> Setting:
        order = np.argsort(data.subject, kind="stable")
        first = np.searchsorted(data.subject[order], np.arange(data.n_patients))
        sorted_design = data.design[order]
        is_within = np.any(
            np.maximum.reduceat(sorted_design, first) != np.minimum.reduceat(sorted_design, first), axis=0
        )
        n_columns, n_columns_within = len(data.columns), int(is_within.sum())
        return Setting(
            optimum=optimum,
            empirical=self.empirical,
            n_residual=data.n_observations - n_columns,
            n_between=data.n_patients - (n_columns - n_columns_within),
            n_within=data.n_observations - data.n_patients - n_columns_within,
            is_within=is_within,
            is_unstructured=is_unstructured,
        )

    def _criteria(self, data: Longitudinal, optimum: Optimum) -> Criteria:
        is_reml = self.estimation is Estimation.REML
        n_columns = len(data.columns)
        n_parameters = optimum.theta.size + (0 if is_reml else n_columns)
        n_star = max(data.n_observations - (n_columns if is_reml else 0), n_parameters + 2)
        deviance = optimum.point.deviance
        n_all_patients = data.n_patients + data.n_patients_left_out
        return Criteria(
            deviance=deviance,
            n_parameters=n_parameters,
            aic=deviance + 2.0 * n_parameters,
            aicc=deviance + 2.0 * n_parameters * n_star / (n_star - n_parameters - 1),
            bic=deviance + n_parameters * float(np.log(n_all_patients)),
        )
