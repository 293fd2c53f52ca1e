"""Parameters of the imputation model drawn with their uncertainty: from the posterior, or by refitting resamples."""

from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from scipy.special import gammaincinv

from sevenfold.analysis.column import Integers
from sevenfold.analysis.effect import Fit, Status
from sevenfold.analysis.imputation.base_model import ImputationModel, Parameters, arm_index, terms
from sevenfold.analysis.imputation.completing import fill
from sevenfold.analysis.imputation.completion import Progress, silent
from sevenfold.analysis.imputation.courses import Courses
from sevenfold.analysis.mmrm.arrays import Array, Flags, Index
from sevenfold.errors import InvalidDesign
from sevenfold.seed import Stream

__all__ = ["Drawing", "Posterior", "Resampled", "resample"]


class Drawing(Protocol):
    """A way to draw parameters."""

    def draw(
        self,
        model: ImputationModel,
        courses: Courses,
        arms: tuple[str, ...],
        n: int,
        root: int,
        progress: Progress = silent,
    ) -> Parameters | Fit:
        """So many sets of parameters, or why there are none."""
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Draws from the posterior by data augmentation, from the fitted model on.

    Each round fills the gaps given the parameters, then draws Σ given coefficients and data, then the coefficients
    given Σ and data. The prior is Jeffreys' for Σ and flat for the coefficients, |Σ|^-(T + 1)/2 for T visits, so that
    Σ is inverse Wishart with as many degrees of freedom as patients, about the residuals' sum of squares. The
    covariance must be unstructured (the same in all arms, or by arm), where these draws are exact.

    Args:
        n_first: rounds before the first draw.
        n_between: rounds from one draw to the next.

    Source: [schafer1997], [carpenter2013]; docs/theory/imputation.md.
    """

    n_first: int = 200
    n_between: int = 5

    def __post_init__(self) -> None:
        """Refuse a chain that cannot move."""
        if self.n_first < 0 or self.n_between < 1:
            raise InvalidDesign(
                f"n_first is {self.n_first} and n_between {self.n_between}; give at least 0 and at least 1 round."
            )

    def draw(
        self,
        model: ImputationModel,
        courses: Courses,
        arms: tuple[str, ...],
        n: int,
        root: int,
        progress: Progress = silent,
    ) -> Parameters | Fit:
        """So many draws, or why the model could not be fitted."""
        start = model.fitted(courses, arms)
        if isinstance(start, Fit):
            return start
        chain = _Chain.started(model, courses, arms, root)
        coefficients, sigma = start.coefficients[0], start.sigma[0] if model.is_by_arm else start.sigma[0][:1]
        drawn_coefficients, drawn_sigma = [], []
        last = self.n_first + self.n_between * (n - 1)
        for round_ in range(last + 1):
            coefficients, sigma = chain.moved(coefficients, sigma, round_)
            progress(round_ + 1, last + 1)
            if round_ >= self.n_first and (round_ - self.n_first) % self.n_between == 0:
                drawn_coefficients.append(coefficients)
                drawn_sigma.append(sigma if model.is_by_arm else np.repeat(sigma, len(arms), axis=0))
        return Parameters(coefficients=np.stack(drawn_coefficients), sigma=np.stack(drawn_sigma))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Resampled:
    """Approximate posterior draws: the model refitted to patients drawn with replacement within arms.

    For any covariance. Other than a posterior draw it needs a fit each time, which may fail; a failed one is drawn
    again.

    Args:
        most_failed: share of failed fits above which there is no answer.

    Source: [little2020]; docs/theory/imputation.md.
    """

    most_failed: float = 0.01

    def draw(
        self,
        model: ImputationModel,
        courses: Courses,
        arms: tuple[str, ...],
        n: int,
        root: int,
        progress: Progress = silent,
    ) -> Parameters | Fit:
        """So many fits, or why there are too few."""
        fits: list[Parameters] = []
        n_failed, tried = 0, 0
        while len(fits) < n:
            found = model.refitted(courses.taken(resample(courses, arms, tried, root)), arms, like=courses)
            tried += 1
            if isinstance(found, Parameters):
                fits.append(found)
                progress(len(fits), n)
                continue
            n_failed += 1
            if n_failed > self.most_failed * n:
                message = f"{n_failed} of {tried} refits to resampled patients failed, the last so: {found.message}"
                return Fit(status=Status.NOT_CONVERGED, message=message)
        return Parameters(
            coefficients=np.concatenate([one.coefficients for one in fits]),
            sigma=np.concatenate([one.sigma for one in fits]),
        )


def resample(courses: Courses, arms: tuple[str, ...], number: int, root: int) -> Integers:
    """As many patients of each arm as there are, drawn with replacement; the same for the same number and root."""
    uniform = Stream(root, use="resampled patients").uniform(trial=number, subject=np.arange(courses.n_patients))
    arm = arm_index(courses, arms)
    picked = np.empty(courses.n_patients, dtype=np.int64)
    for one in range(len(arms)):
        members = np.flatnonzero(arm == one)
        picked[members] = members[(uniform[members] * members.size).astype(np.intp)]
    return picked


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Chain:
    """What the rounds of data augmentation share: patients with a measurement that the model uses.

    Args:
        response: nan where not used  # (patient, visit).
        terms: # (patient, term).
        members: patients of each covariance, all of them where there is one  # (patient of these,) each.
        alike: patients who share covariance and visits used, with both  # (covariance, visits used, patients).
    """

    response: Array
    terms: Array
    members: tuple[Index, ...]
    alike: tuple[tuple[int, Flags, Index], ...]
    root: int

    @classmethod
    def started(cls, model: ImputationModel, courses: Courses, arms: tuple[str, ...], root: int) -> "_Chain":
        used = model.used(courses)
        kept = used.any(axis=1)
        used = used[kept]
        group = arm_index(courses, arms)[kept] if model.is_by_arm else np.zeros(int(kept.sum()), dtype=np.intp)
        patterns, code = np.unique(np.column_stack([group, used]), axis=0, return_inverse=True)
        return cls(
            response=np.where(used, courses.response[kept], np.nan),
            terms=terms(courses, arms)[kept],
            members=tuple(np.flatnonzero(group == one) for one in range(len(arms) if model.is_by_arm else 1)),
            alike=tuple(
                (int(pattern[0]), pattern[1:] == 1, np.flatnonzero(code == one)) for one, pattern in enumerate(patterns)
            ),
            root=root,
        )

    def moved(self, coefficients: Array, sigma: Array, round_: int) -> tuple[Array, Array]:
        """One round."""
        n_patients, n_visits = self.response.shape
        means = self.terms @ coefficients
        noise = Stream(self.root, use="augmented data").normal(
            trial=round_, subject=np.arange(n_patients)[:, None], draw=np.arange(n_visits)
        )
        filled = self.response[None].copy()
        for group, used, rows in self.alike:
            fill(filled, rows, used, ~used, means[None, rows], sigma[group][None], noise[None])
        y = filled[0]

        residual = y - means
        sigma = np.stack(
            [
                _inverse_wishart(residual[rows].T @ residual[rows], rows.size, self.root, round_, group)
                for group, rows in enumerate(self.members)
            ]
        )
        n_terms = self.terms.shape[1]
        information = np.zeros((n_terms * n_visits, n_terms * n_visits))
        score = np.zeros((n_terms, n_visits))
        for own, rows in zip(sigma, self.members, strict=True):
            precision, z = np.linalg.inv(own), self.terms[rows]
            information += np.kron(z.T @ z, precision)
            score += z.T @ y[rows] @ precision
        lower = np.linalg.cholesky(information)
        step = Stream(self.root, use="drawn coefficients").normal(trial=round_, draw=np.arange(n_terms * n_visits))
        drawn = np.linalg.solve(lower.T, np.linalg.solve(lower, score.ravel()) + step)
        return np.asarray(drawn.reshape(n_terms, n_visits), dtype=np.float64), sigma


def _inverse_wishart(squares: Array, df: int, root: int, round_: int, group: int) -> Array:
    """A draw from the inverse Wishart distribution with this sum of squares S, by Bartlett's decomposition.

    S = L·L' and A lower triangular, A_jj² chi-squared with df - j degrees of freedom (j = 0, 1, ...), below it standard
    normal: Σ = (L·A'⁻¹)·(L·A'⁻¹)'.
    """
    n = len(squares)
    place = np.arange(n)
    uniform = Stream(root, use="drawn variances").uniform(trial=round_, subject=group, draw=place)
    bartlett = np.diag(np.sqrt(2.0 * gammaincinv((df - place) / 2.0, uniform)))
    below = np.tril_indices(n, -1)
    bartlett[below] = Stream(root, use="drawn correlations").normal(
        trial=round_, subject=group, draw=np.arange(below[0].size)
    )
    half = np.linalg.solve(bartlett, np.linalg.cholesky(squares).T)  # A⁻¹·L'
    return np.asarray(half.T @ half, dtype=np.float64)
