"""Analysis of covariance: a response on the arms, adjusted for baseline, covariates and factors."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.column import Numbers
from sevenfold.analysis.design_matrix import Columns, LeftOut, Margins
from sevenfold.analysis.effect import Effect, Fit, Status
from sevenfold.analysis.geometric import Ratio, as_ratio, logarithms
from sevenfold.errors import InvalidDesign, InvalidInput, NotConverged

__all__ = ["Ancova", "AncovaFit", "Contrast", "LeftOut", "Margins", "Scale", "StandardError"]

RANK_TOLERANCE: Final = 1e-10  # of the smallest to the largest singular value, columns scaled to length one
LEVERAGE_LIMIT: Final = 1.0 - 1e-10  # above it a patient is fitted by a parameter of their own


class Scale(Enum):
    """On which scale the response is analysed; on the log scale an effect is a log ratio of geometric means."""

    IDENTITY = "identity"
    LOG = "log"


class StandardError(Enum):
    """What the uncertainty rests on.

    CLASSICAL assumes one variance for all. HC3, Σ x x' e²/(1 - h)² between two inverses of X'X, holds when it differs
    between arms or patients and errs on the wide side in small trials. Source: [mackinnon1985].
    """

    CLASSICAL = "ordinary least squares"
    HC3 = "HC3"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Arms weighed against arms, such as two pooled active arms against placebo.

    Args:
        weights: by arm, summing to zero: ``{"low": 0.5, "high": 0.5, "placebo": -1.0}``; arms left out weigh nothing.
    """

    name: str
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        if abs(sum(self.weights.values())) > 1e-9 or not any(self.weights.values()):
            raise InvalidDesign(
                f'The weights of "{self.name}" are {dict(self.weights)}; they must sum to 0, not all 0.'
            )
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AncovaFit:
    """What came out; empty of effects where ``fit`` says why.

    Args:
        n_used: patients analysed, by arm.
        left_out: the others, by reason; a patient counts under the first that applies.
        ls_means: of each arm, at the mean of the covariates.
        residual_sd: on the analysis scale.
    """

    settings: "Ancova"
    fit: Fit
    n_used: Mapping[str, int]
    left_out: tuple[LeftOut, ...]
    effects: tuple[Effect, ...] = ()
    ls_means: tuple[Effect, ...] = ()
    residual_sd: float | None = None

    def effect(self, contrast: str) -> Effect:
        """One contrast, on the analysis scale.

        Raises:
            NotConverged: where the fit failed.
        """
        return self._named(contrast, self.effects, tuple(c.name for c in self.settings.contrasts))

    def ls_mean(self, arm: str) -> Effect:
        """One arm's least-squares mean, on the analysis scale.

        Raises:
            NotConverged: where the fit failed.
        """
        return self._named(arm, self.ls_means, self.settings.arms)

    def ratio(self, contrast: str, level: float = 0.95) -> Ratio:
        """One contrast as a ratio of geometric means.

        Raises:
            InvalidInput: where the response wasn't analysed as a logarithm.
        """
        if self.settings.scale is not Scale.LOG:
            raise InvalidInput(f'The response was analysed as it is, so "{contrast}" is a difference; use effect().')
        return as_ratio(self.effect(contrast), level)

    def _named(self, name: str, found: tuple[Effect, ...], names: tuple[str, ...]) -> Effect:
        if name not in names:
            raise InvalidInput(f'"{name}" was not asked for; there are {", ".join(names)}.')
        if not found:
            raise NotConverged(f"No estimate ({self.fit.status.value}). {self.fit.message}")
        return found[names.index(name)]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ancova:
    """A linear model of one response per patient.

    y = Σ_a μ_a 1(arm = a) + Σ_c β_c (x_c - mean of x_c) + factors + e, so that μ_a is arm a's least-squares mean and a
    contrast is Σ w_a μ_a. Student's t with n - p degrees of freedom, for either standard error.

    Args:
        arms: all arms of the model, in the order of the table.

    Source: docs/theory/ancova.md.
    """

    arms: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    scale: Scale = Scale.IDENTITY
    standard_error: StandardError = StandardError.CLASSICAL
    margins: Margins = Margins.EQUAL

    def __post_init__(self) -> None:
        if len(set(self.arms)) != len(self.arms) or len(self.arms) < 2:
            raise InvalidDesign(f"The arms are {self.arms}; give at least two, each once.")
        if len({c.name for c in self.contrasts}) != len(self.contrasts):
            raise InvalidDesign("Two contrasts have the same name; give each its own.")
        for contrast in self.contrasts:
            unknown = set(contrast.weights) - set(self.arms)
            if unknown:
                raise InvalidDesign(f'Contrast "{contrast.name}" weighs {sorted(unknown)}; the arms are {self.arms}.')

    def fit(
        self,
        response: ArrayLike,
        arm: ArrayLike,
        *,
        covariates: Mapping[str, ArrayLike] = MappingProxyType({}),
        factors: Mapping[str, ArrayLike] = MappingProxyType({}),
    ) -> AncovaFit:
        """Fits the model to those patients of whom everything is known.

        Args:
            response: on its own scale (the logarithm is taken here); nan where it was not observed.
            covariates: by name, baseline among them; nan where not observed. Take logarithms before.
            factors: by name, as labels; empty where not observed.
        """
        columns = Columns.checked(self.arms, response, arm, covariates, factors)
        used, left_out = columns.complete()
        n_used = MappingProxyType({a: int((columns.arm[used] == a).sum()) for a in self.arms})

        def failed(status: Status, message: str) -> AncovaFit:
            return AncovaFit(settings=self, fit=Fit(status=status, message=message), n_used=n_used, left_out=left_out)

        empty = [a for a, n in n_used.items() if n == 0]
        if empty:
            return failed(Status.NOT_ESTIMABLE, f"No patient could be analysed in {', '.join(empty)}.")
        y = columns.response
        if self.scale is Scale.LOG:
            y, _ = logarithms("response", np.where(np.isnan(y), 1.0, y))
        y = y[used]
        design = columns.design(self.arms, self.margins, used)
        n, p = design.shape
        if n <= p:
            return failed(Status.TOO_FEW, f"{n} patients for {p} parameters; leave covariates out.")
        length = np.sqrt((design**2).sum(axis=0))
        length[length == 0.0] = 1.0
        u, s, vt = np.linalg.svd(design / length, full_matrices=False)
        if s[-1] <= RANK_TOLERANCE * s[0]:
            return failed(Status.SINGULAR, "Some covariate or factor is a combination of the others; leave it out.")
        estimate = (vt.T @ ((u.T @ y) / s)) / length
        residual = y - design @ estimate
        variance = float(residual @ residual) / (n - p)
        if variance <= 1e-24 * float(y @ y) / n:
            return failed(Status.NOT_ESTIMABLE, "The model fits every response exactly; nothing measures the error.")
        bread = (vt.T / s) / length[:, None]  # (parameter, direction); bread @ bread.T is the inverse of X'X
        if self.standard_error is StandardError.CLASSICAL:
            root = np.sqrt(variance) * bread.T
        else:
            leverage = (u**2).sum(axis=1)
            if leverage.max() >= LEVERAGE_LIMIT:
                return failed(
                    Status.NOT_ESTIMABLE,
                    "A patient is the only one of an arm or of a factor's level; HC3 needs two or more.",
                )
            root = (u * (residual / (1.0 - leverage))[:, None]) @ bread.T
        # root.T @ root is the covariance of the parameters, of which the first are the arms' means

        def told(name: str, weights: Numbers) -> Effect:
            k = len(self.arms)
            se = float(np.linalg.norm(root[:, :k] @ weights))
            return Effect(contrast=name, estimate=float(weights @ estimate[:k]), se=se, df=float(n - p))

        effects = tuple(told(c.name, np.array([c.weights.get(a, 0.0) for a in self.arms])) for c in self.contrasts)
        if any(effect.se <= 1e-12 * np.sqrt(variance) for effect in effects):
            return failed(Status.NOT_ESTIMABLE, "The arms' responses are fitted exactly; nothing measures their error.")
        return AncovaFit(
            settings=self,
            fit=Fit(status=Status.OK),
            n_used=n_used,
            left_out=left_out,
            effects=effects,
            ls_means=tuple(
                told(f"least-squares mean, {a}", row) for a, row in zip(self.arms, np.eye(len(self.arms)), strict=True)
            ),
            residual_sd=float(np.sqrt(variance)),
        )
