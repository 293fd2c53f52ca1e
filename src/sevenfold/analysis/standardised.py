"""Standardised risks (g-computation): what each arm's risk would be if everybody were in it, covariates taken in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from sevenfold.analysis.column import Numbers, flags
from sevenfold.analysis.design_matrix import Columns, LeftOut, Margins
from sevenfold.analysis.effect import Effect, Fit, Status
from sevenfold.analysis.geometric import Ratio, as_ratio
from sevenfold.analysis.logistic import LogisticFit, fit_logistic
from sevenfold.errors import InvalidDesign, InvalidInput, NotConverged

__all__ = ["RiskVariance", "Standardised", "StandardisedFit"]


class RiskVariance(Enum):
    """What the standard error of a standardised risk takes for random.

    GE, the delta method over the coefficients: the covariates stay those of these patients, and the logistic model is
    right. YE, robust: the patients are drawn from a population, so the covariates vary too, and the model only helps;
    valid also where it is wrong, for simple randomisation. Source: [ge2011], [ye2023].
    """

    GE = "delta method, covariates as they are"
    YE = "robust, covariates sampled"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StandardisedFit:
    """What came out; empty of risks where ``fit`` says why.

    Args:
        n_used: patients analysed, by arm.
        n_events: those of them with the event, by arm.
        left_out: the others, by reason; a patient counts under the first that applies.
        risks: of each arm # (arm,).
        covariance: of the risks # (arm, arm).
    """

    settings: "Standardised"
    fit: Fit
    n_used: Mapping[str, int]
    n_events: Mapping[str, int]
    left_out: tuple[LeftOut, ...]
    risks: Numbers | None = None
    covariance: Numbers | None = None

    def risk(self, arm: str) -> Effect:
        """The standardised risk of an arm.

        Raises:
            NotConverged: where the fit failed.
        """
        return self._told(f"risk, {arm}", (arm,), lambda p: p, np.ones_like)

    def difference(self, arm: str, reference: str) -> Effect:
        """The risk difference.

        Raises:
            NotConverged: where the fit failed.
        """
        return self._told(f"{arm} - {reference}", (arm, reference), lambda p: p, np.ones_like)

    def log_risk_ratio(self, arm: str, reference: str) -> Effect:
        """The logarithm of the risk ratio.

        Raises:
            NotConverged: where the fit failed.
        """
        return self._told(f"{arm} / {reference}", (arm, reference), np.log, np.reciprocal)

    def log_odds_ratio(self, arm: str, reference: str) -> Effect:
        """The logarithm of the marginal odds ratio; it is not the model's coefficient, which is conditional.

        Raises:
            NotConverged: where the fit failed.
        """
        return self._told(
            f"odds of {arm} / {reference}", (arm, reference), logit, lambda p: np.reciprocal(p * (1.0 - p))
        )

    def risk_ratio(self, arm: str, reference: str, level: float = 0.95) -> Ratio:
        """The risk ratio with its interval."""
        return as_ratio(self.log_risk_ratio(arm, reference), level)

    def odds_ratio(self, arm: str, reference: str, level: float = 0.95) -> Ratio:
        """The marginal odds ratio with its interval."""
        return as_ratio(self.log_odds_ratio(arm, reference), level)

    def _told(
        self, name: str, arms: tuple[str, ...], on: Callable[[Numbers], Numbers], slope: Callable[[Numbers], Numbers]
    ) -> Effect:
        """One arm's risk on some scale, or the difference between two, by the delta method.

        With f the scale: estimate f(p_a) - f(p_b), gradient (f'(p_a), -f'(p_b)).
        """
        unknown = sorted(set(arms) - set(self.settings.arms))
        if unknown or len(set(arms)) < len(arms):
            raise InvalidInput(
                f'"{name}" was asked for; there are the arms {self.settings.arms}, to be compared with each other.'
            )
        if self.risks is None or self.covariance is None:
            raise NotConverged(f"No estimate ({self.fit.status.value}). {self.fit.message}")
        index = np.array([self.settings.arms.index(arm) for arm in arms])
        sign, risks = np.array([1.0, -1.0])[: index.size], self.risks[index]
        gradient = sign * slope(risks)
        variance = float(gradient @ self.covariance[np.ix_(index, index)] @ gradient)
        return Effect(contrast=name, estimate=float(sign @ on(risks)), se=float(np.sqrt(variance)), df=np.inf)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Standardised:
    """Risks of a binary endpoint by arm, adjusted for covariates by standardisation.

    A logistic model logit P(y = 1) = α_arm + β'x is fitted; the standardised risk of arm a is the mean over all
    patients, whichever arm they were in, of expit(α_a + β'x). Differences and ratios of these are marginal: they are
    about the trial's population, not about two patients who are alike. Referred to the normal distribution.

    Args:
        arms: all arms of the model.

    Source: docs/theory/standardised.md; [ge2011], [ye2023].
    """

    arms: tuple[str, ...]
    variance: RiskVariance = RiskVariance.GE

    def __post_init__(self) -> None:
        """Refuse arms that cannot be compared."""
        if len(set(self.arms)) != len(self.arms) or len(self.arms) < 2:
            raise InvalidDesign(f"The arms are {self.arms}; give at least two, each once.")

    def fit(
        self,
        event: ArrayLike,
        arm: ArrayLike,
        *,
        covariates: Mapping[str, ArrayLike] = MappingProxyType({}),
        factors: Mapping[str, ArrayLike] = MappingProxyType({}),
    ) -> StandardisedFit:
        """Fits the model to those patients of whom everything is known.

        Args:
            event: 1 or True where the patient had it, 0 where not, nan where it was not observed.
            covariates: by name; nan where not observed.
            factors: by name, as labels; empty where not observed.
        """
        columns = Columns.checked(self.arms, event, arm, covariates, factors)
        used, left_out = columns.complete()
        flags("event", columns.response[used])
        happened = columns.response == 1.0
        in_arm = {a: used & (columns.arm == a) for a in self.arms}

        def ended(ending: Fit, risks: Numbers | None = None, covariance: Numbers | None = None) -> StandardisedFit:
            return StandardisedFit(
                settings=self,
                fit=ending,
                n_used=MappingProxyType({a: int(rows.sum()) for a, rows in in_arm.items()}),
                n_events=MappingProxyType({a: int((rows & happened).sum()) for a, rows in in_arm.items()}),
                left_out=left_out,
                risks=risks,
                covariance=covariance,
            )

        few = [a for a, rows in in_arm.items() if rows.sum() < 2]
        if few:
            message = f"Fewer than two patients could be analysed in {', '.join(few)}."
            return ended(Fit(status=Status.TOO_FEW, message=message))
        design = columns.design(self.arms, Margins.EQUAL, used)
        model = fit_logistic(design, happened[used])
        if isinstance(model, Fit):
            return ended(model)
        chances = self._chances(design, model)
        if self.variance is RiskVariance.GE:
            covariance = self._ge(design, model, chances)
        else:
            covariance = self._ye(design, happened[used].astype(np.float64), chances)
            if np.linalg.eigvalsh(covariance)[0] <= 0.0:
                message = "The robust variance isn't positive in so few patients; use the delta method."
                return ended(Fit(status=Status.NOT_ESTIMABLE, message=message))
        return ended(Fit(status=Status.OK), chances.mean(axis=0), covariance)

    def _chances(self, design: Numbers, model: LogisticFit) -> Numbers:
        """Everybody's chance of the event in each arm  # (patient, arm)."""
        k = len(self.arms)
        others = design[:, k:] @ model.coefficients[k:]
        return np.asarray(expit(others[:, None] + model.coefficients[:k]), dtype=np.float64)

    def _ge(self, design: Numbers, model: LogisticFit, chances: Numbers) -> Numbers:
        """G·V·G' with V the coefficients' covariance and G_a the mean over patients of p(1 - p)·x, x in arm a."""
        k = len(self.arms)
        weight = chances * (1.0 - chances)  # (patient, arm)
        gradient = np.concatenate([np.diag(weight.mean(axis=0)), weight.T @ design[:, k:] / len(design)], axis=1)
        return np.asarray(gradient @ model.covariance @ gradient.T, dtype=np.float64)

    def _ye(self, design: Numbers, y: Numbers, chances: Numbers) -> Numbers:
        """The robust covariance; with m_a everybody's chance in arm a, n_a of n patients in it, and sample covariances

        n·V_aa = (n/n_a)·var_a(y - m_a) + 2·cov_a(y, m_a) - var(m_a),
        n·V_ab = cov_a(y, m_b) + cov_b(y, m_a) - cov(m_a, m_b),

        where var_a and cov_a are over patients of arm a, the others over all.
        """
        n, k = len(y), len(self.arms)
        own = np.empty((k, k))  # cov_a(y, m_b)
        left = np.empty(k)
        for a in range(k):
            rows = design[:, a] == 1.0
            own[a] = np.cov(y[rows], chances[rows].T)[0, 1:]
            left[a] = np.var(y[rows] - chances[rows, a], ddof=1) * n / rows.sum()
        return np.asarray((np.diag(left) + own + own.T - np.cov(chances.T)) / n, dtype=np.float64)
