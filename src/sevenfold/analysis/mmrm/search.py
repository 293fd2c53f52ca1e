"""Newton's search for the covariance parameters, on a scale where every step stays a covariance."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.effect import Fit, Status
from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.covariance.by_group import Stack
from sevenfold.analysis.mmrm.covariance.structure import correlation_of
from sevenfold.analysis.mmrm.likelihood import Derivatives, Estimation, Point, derivatives, evaluate
from sevenfold.analysis.mmrm.panel import Panel

__all__ = ["Optimum", "search"]


CONVERGED = 1e-8
"""A step that promises to lower -2 log-likelihood by less than this is small enough to end with."""

POLISHED = 1e-14
"""A step that promises less than this is the last one in any case. The search is quadratic there, so it ends where only
rounding is left, and the same model fitted in another order of sums (a batch) ends there too."""

MAX_STEPS = 100
MAX_HALVINGS = 30
LONGEST_STEP = 2.0  # on the log or atanh scale: variances change by less than e² at once
SINGULAR = 1e-9
"""Smallest eigenvalue of a correlation matrix, or of a scaled Hessian, that counts as positive."""

NO_EFFECT = 1e-4
"""A parameter whose unit step on the log or atanh scale changes no correlation or relative variance by more is at its
bound, such as the range of an exponential covariance whose visits are not correlated at all."""

PERFECT = 1e-24
"""Residual sum of squares, as a share of the fitted, that is only rounding."""

NEARLY_SINGULAR = 1e-3
"""Where the search gets stuck, a correlation matrix with a smaller eigenvalue than this is taken to be the reason."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optimum:
    """Where the likelihood is highest, with its derivatives there.

    Args:
        theta: θ̂, of the groups one after another  # (parameter,).
        names: names of θ.
        sigma: Σ̂ of each group  # (group, visit, visit).
        slopes: ∂Σ/∂θ of each group by its own parameters  # (group, own parameter, visit, visit).
        curvatures: ∂²Σ/∂θ∂θ likewise, None where zero.
        n_steps: Newton steps taken.
    """

    panel: Panel
    point: Point
    derivatives: Derivatives
    theta: Array
    names: tuple[str, ...]
    sigma: Array
    slopes: Array
    curvatures: Array | None
    n_steps: int


def search(panel: Panel, stack: Stack, estimation: Estimation) -> Optimum | Fit:
    """The optimum, or why there is none.

    Newton steps with the exact Hessian carried to the unbounded scale, J'HJ (what the curvature of the scale itself
    would add vanishes with the gradient); with the expected Hessian where J'HJ is not positive definite; halved until
    the likelihood rises.
    """
    trouble = _hopeless(panel, stack)
    if trouble is not None:
        return trouble
    ground = _Ground(panel=panel, stack=stack, estimation=estimation)
    moments = np.stack([_moments(panel, group) for group in range(panel.n_groups)])
    place = ground.at(stack.free(stack.start(moments)))
    if place is None:
        return Fit(status=Status.SINGULAR, message="The starting values are no covariance; look for extreme values.")
    is_last = False
    for n_steps in range(MAX_STEPS):
        trouble = _degenerate(place.sigma, stack.groups)
        if trouble is not None:
            return trouble
        slopes, curvatures = stack.slopes(place.theta), stack.curvatures(place.theta)
        at = derivatives(panel, place.point, slopes, curvatures, estimation)
        if is_last:
            return (
                _saturated(place, slopes, stack)
                or _undetermined(at, place.sigma, slopes)
                or Optimum(
                    panel=panel,
                    point=place.point,
                    derivatives=at,
                    theta=place.theta,
                    names=stack.names,
                    sigma=place.sigma,
                    slopes=slopes,
                    curvatures=curvatures,
                    n_steps=n_steps,
                )
            )
        step, promised = _step(place.jacobian, at)
        lower = _descend(ground, place, step, promised)
        is_last = promised < POLISHED or (promised < CONVERGED and lower is None)
        if lower is None and not is_last:
            height = f"{place.point.deviance:.6f}"
            return _stuck(place, stack, f"No step lowers -2 log-likelihood from {height}, after {n_steps} steps.")
        place = lower or place
    return _stuck(place, stack, f"The likelihood still rises after {MAX_STEPS} steps.")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Place:
    """A point of the search."""

    free: Array
    theta: Array
    jacobian: Array  # ∂θ/∂free
    sigma: Array
    point: Point


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ground:
    """What is searched."""

    panel: Panel
    stack: Stack
    estimation: Estimation

    def at(self, free: Array) -> _Place | None:
        """The place with these unbounded parameters; None where rounding leaves no covariance."""
        theta, jacobian = self.stack.bound(free)
        sigma = self.stack.sigma(theta)
        point = evaluate(self.panel, sigma, self.estimation) if np.all(np.isfinite(sigma)) else None
        if point is None:
            return None
        return _Place(free=free, theta=theta, jacobian=jacobian, sigma=sigma, point=point)


def _hopeless(panel: Panel, stack: Stack) -> Fit | None:
    """What can be known before the first step to have no answer."""
    names = stack.names
    n_columns = panel.design.shape[2]
    if panel.n_observations - n_columns < len(names):
        message = (
            f"{panel.n_observations} measurements cannot determine {n_columns} coefficients and {len(names)} "
            "covariance parameters; choose a structure with fewer."
        )
        return Fit(status=Status.TOO_FEW, message=message)
    slopes = stack.slopes(stack.start(np.stack([np.eye(panel.seen.shape[1])] * panel.n_groups)))
    for group in range(panel.n_groups):
        touches_nothing = ~np.any(slopes[group] != 0.0, axis=(1, 2), where=panel.together(group))
        if np.any(touches_nothing):
            name = names[group * slopes.shape[1] + int(np.flatnonzero(touches_nothing)[0])]
            message = (
                f"No patient was seen at the visits that would tell {name}, or the design fits all who were exactly; "
                "choose a structure with fewer parameters."
            )
            return Fit(status=Status.NOT_ESTIMABLE, message=message)
    left, fitted = float((panel.response**2).sum()), float(panel.least_squares @ panel.least_squares)
    if left <= PERFECT * fitted:
        return Fit(status=Status.SINGULAR, message="The design fits every measurement exactly; no variance is left.")
    return None


def _moments(panel: Panel, group: int) -> Array:
    """Residual moments of one group from least squares, visit pair by visit pair, drawn together until they fit."""
    residual = panel.response[panel.blocks(group)[1]]
    patterns = panel.blocks(group)[0]
    seen = panel.seen[patterns].astype(np.float64)
    n_pairs = np.maximum((seen * panel.n_in[patterns, None]).T @ seen, 1.0)
    moments = residual.T @ residual / n_pairs
    overall = float((panel.response**2).sum()) / panel.n_observations
    variance = np.maximum(np.diagonal(moments), 1e-3 * overall)
    np.fill_diagonal(moments, variance)
    moments = np.clip(correlation_of(moments), -1.0, 1.0)
    while np.linalg.eigvalsh(moments)[0] < 0.05:
        moments = 0.8 * moments + 0.2 * np.eye(variance.size)
    return moments * np.sqrt(variance)[:, None] * np.sqrt(variance)[None, :]


def _step(jacobian: Array, at: Derivatives) -> tuple[Array, float]:
    """A step downhill on the unbounded scale, and by how much it promises to lower -2 log-likelihood."""
    gradient = jacobian.T @ at.gradient
    for hessian in (at.observed, at.expected):
        carried = jacobian.T @ hessian @ jacobian
        scale = np.sqrt(np.maximum(np.diagonal(carried), 1e-12 * np.abs(carried).max() + 1e-300))
        try:
            factor = np.linalg.cholesky(carried / scale[:, None] / scale[None, :])
        except np.linalg.LinAlgError:
            continue
        step = -np.linalg.solve(factor.T, np.linalg.solve(factor, gradient / scale)) / scale
        promised = float(-gradient @ step)
        return step * min(1.0, LONGEST_STEP / float(np.abs(step).max(initial=1e-300))), promised
    return -gradient / max(1.0, float(np.linalg.norm(gradient))), float(gradient @ gradient)


def _descend(ground: _Ground, place: _Place, step: Array, promised: float) -> _Place | None:
    """The longest of the halved steps that lowers -2 log-likelihood, or keeps it where the rest is rounding."""
    rounding = 1e-11 * (1.0 + abs(place.point.deviance)) if promised < 1e-4 else 0.0
    share = 1.0
    for _ in range(MAX_HALVINGS):
        tried = ground.at(place.free + share * step)
        if tried is not None and tried.point.deviance <= place.point.deviance - 1e-4 * share * promised + rounding:
            return tried
        share *= 0.5
    return None


def _stuck(place: _Place, stack: Stack, message: str) -> Fit:
    """Why the search ended before its time: at the edge, or for no reason that can be named."""
    edge = _degenerate(place.sigma, stack.groups, NEARLY_SINGULAR)
    return edge or Fit(status=Status.NOT_CONVERGED, message=message)


def _degenerate(sigma: Array, groups: tuple[str, ...], smallest: float = SINGULAR) -> Fit | None:
    """Whether a group's Σ has run to the edge, where visits determine each other or a variance is nothing."""
    largest = float(np.diagonal(sigma, axis1=1, axis2=2).max())
    for group, own in enumerate(sigma):
        variance = np.diagonal(own)
        is_flat = bool(np.any(variance < smallest * largest))
        if is_flat or np.linalg.eigvalsh(correlation_of(own))[0] < smallest:
            where = "" if len(groups) == 1 else f" in group {groups[group]!r}"
            what = "a variance that vanishes" if is_flat else "visits that determine each other"
            message = f"The likelihood leads to {what}{where}; there are too few patients for this structure."
            return Fit(status=Status.BOUNDARY, message=message)
    return None


def _saturated(place: _Place, slopes: Array, stack: Stack) -> Fit | None:
    """Whether a parameter has gone so near its bound that moving it no longer changes Σ."""
    n_own = slopes.shape[1]
    for group, own in enumerate(slopes):
        block = slice(group * n_own, (group + 1) * n_own)
        sd = np.sqrt(np.diagonal(place.sigma[group]))
        effect = np.abs(np.tensordot(place.jacobian[block, block].T, own, axes=1) / np.outer(sd, sd)).max(axis=(1, 2))
        if effect.min() < NO_EFFECT:
            name = stack.names[group * n_own + int(effect.argmin())]
            message = f"The likelihood is highest with {name} at its bound; choose a structure without it."
            return Fit(status=Status.BOUNDARY, message=message)
    return None


def _undetermined(at: Derivatives, sigma: Array, slopes: Array) -> Fit | None:
    """Whether the likelihood is flat in some direction where the search came to rest.

    One patient bends -2 log-likelihood by about 1 where a parameter changes a relative variance by 1; a curvature that
    is nothing beside that is rounding, of either sign.
    """
    diagonal = np.diagonal(at.observed)
    sd = np.sqrt(np.diagonal(sigma, axis1=1, axis2=2))
    effect = np.abs(slopes / (sd[:, None, :, None] * sd[:, None, None, :])).max(axis=(2, 3)).ravel()
    if np.all(diagonal > SINGULAR * effect**2):
        scaled = at.observed / np.sqrt(np.outer(diagonal, diagonal))
        if np.linalg.eigvalsh(scaled)[0] >= SINGULAR:
            return None
    message = "The likelihood is flat at its highest point: these data do not determine all covariance parameters."
    return Fit(status=Status.SINGULAR, message=message)
