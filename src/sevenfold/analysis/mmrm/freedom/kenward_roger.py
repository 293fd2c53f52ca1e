"""Kenward and Roger's inference: a covariance of the coefficients freed of its bias, and a scaled F to go with it."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.freedom.information import Information, parameter_covariance
from sevenfold.analysis.mmrm.freedom.reference import Reference, Setting, whitened
from sevenfold.analysis.mmrm.search import Optimum
from sevenfold.analysis.mmrm.wald import wald
from sevenfold.errors import NotConverged

__all__ = ["KenwardRoger", "adjustment", "scaled_f"]


@final
@dataclass(frozen=True, slots=True)
class KenwardRoger:
    """Adjusted standard errors and degrees of freedom for small trials; SAS's ddfm=kr.

    Φ understates the variance of β̂, both as an estimate and because θ is estimated:
    Φ_A = Φ + 2·Φ·{Σ_jk W_jk·(Q_jk - P_j·Φ·P_k - R_jk/4)}·Φ, and λ·F with m degrees of freedom matches two moments.

    Args:
        information: where W, the covariance of θ̂, comes from; observed is SAS's choice, expected that of 1997.
        is_linear: leave out R, the term with second derivatives of Σ; SAS's ddfm=kr(linear). It is zero anyway where Σ
            is linear in θ (unstructured, homogeneous compound symmetry and Toeplitz).

    Source: [kenward1997], [kenward2009], [sasmixed]; docs/theory/mmrm.md.
    """

    information: Information = Information.OBSERVED
    is_linear: bool = False

    @property
    def label(self) -> str:
        """The method in words."""
        return "Kenward-Roger (linear)" if self.is_linear else "Kenward-Roger"

    def refer(self, setting: Setting) -> Reference:
        """The adjusted covariance with its F and t references."""
        optimum = setting.optimum
        parameters = parameter_covariance(optimum, self.information)
        root = whitened(optimum)
        middle = adjustment(optimum, parameters, is_linear=self.is_linear)
        return _Scaled(
            root=root,
            spread=optimum.derivatives.spread,
            parameters=parameters,
            covariance=root @ (np.eye(len(root)) + 2.0 * middle) @ root.T,
        )


def adjustment(optimum: Optimum, parameters: Array, *, is_linear: bool) -> Array:
    """Λ/2 where Φ_A = C·(I + Λ)·C', C·C' = Φ.

    In coordinates where Φ = I, with Z = V⁻¹·X·C, D_j = ∂Σ/∂θ_j and W = ``parameters``:
    Σ_jk W_jk·Q_jk = Σ Z'·(Σ_jk W_jk·D_j·V⁻¹·D_k)·Z, Σ_jk W_jk·P_jΦP_k = Σ_jk W_jk·S_j·S_k and
    Σ_jk W_jk·R_jk = Σ Z'·(Σ_jk W_jk·∂²Σ/∂θ_j∂θ_k)·Z, the sums outside being over patients. The sums over j and k are
    done first, element by element of Σ, so no Q_jk is ever formed.
    """
    panel, point = optimum.panel, optimum.point
    spread = optimum.derivatives.spread
    n_groups, n_own, n_visits, _ = optimum.slopes.shape
    middle = -np.tensordot(np.tensordot(parameters, spread, axes=1), spread, axes=([0, 2], [0, 1]))
    for group in range(n_groups):
        patterns, patients = panel.blocks(group)
        own = parameters[group * n_own : (group + 1) * n_own, group * n_own : (group + 1) * n_own]
        d = optimum.slopes[group].reshape(n_own, n_visits * n_visits)
        by_element = (d.T @ own @ d).reshape(n_visits, n_visits, n_visits, n_visits)  # (a, b, c, d)
        between = np.tensordot(point.precision[patterns], by_element, axes=([1, 2], [1, 2]))  # (pattern, a, d)
        if not is_linear and optimum.curvatures is not None:
            between -= 0.25 * np.tensordot(own, optimum.curvatures[group], axes=2)
        z = point.scaled[patients]
        carried = between[panel.pattern_of[patients] - patterns.start] @ z
        middle += np.tensordot(z, carried, axes=([0, 1], [0, 1]))
    return 0.5 * (middle + middle.T)


def scaled_f(n_rows: int, a1: float, a2: float) -> tuple[float, float]:
    """Scale λ and denominator m that match the mean and variance of the Wald statistic to those of an F.

    With q = ``n_rows``, A₁ = Σ_jk W_jk·tr(ΘΦP_jΦ)·tr(ΘΦP_kΦ), A₂ = Σ_jk W_jk·tr(ΘΦP_jΦ·ΘΦP_kΦ), Θ = L'(LΦL')⁻¹L:
    B = (A₁ + 6A₂)/(2q), g = ((q + 1)A₁ - (q + 4)A₂)/((q + 2)A₂), c = 3q + 2(1 - g), c₁ = g/c, c₂ = (q - g)/c,
    c₃ = (q + 2 - g)/c, E = 1/(1 - A₂/q), V = (2/q)·(1 + c₁B)/((1 - c₂B)²(1 - c₃B)), ρ = V/(2E²),
    m = 4 + (q + 2)/(qρ - 1), λ = m/(E·(m - 2)). For q = 1 this is m = 2/A₂ and λ = 1.

    Source: [kenward1997].
    """
    q = float(n_rows)
    if n_rows == 1:
        return 1.0, 2.0 / a2
    b = (a1 + 6.0 * a2) / (2.0 * q)
    g = ((q + 1.0) * a1 - (q + 4.0) * a2) / ((q + 2.0) * a2)
    c = 3.0 * q + 2.0 * (1.0 - g)
    mean = 1.0 / (1.0 - a2 / q)
    variance = (2.0 / q) * (1.0 + g / c * b) / ((1.0 - (q - g) / c * b) ** 2 * (1.0 - (q + 2.0 - g) / c * b))
    m = 4.0 + (q + 2.0) / (q * variance / (2.0 * mean**2) - 1.0)
    return m / (mean * (m - 2.0)), m


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scaled:
    """The scaled F in coordinates where Φ = I.

    ΦP_jΦ = -C·S_j·C', so with O an orthonormal basis of the rows L·C: tr(ΘΦP_jΦ) = -tr(O'S_jO).
    """

    root: Array  # C (column, column)
    spread: Array  # S (parameter, column, column)
    parameters: Array  # W (parameter, parameter)
    covariance: Array  # Φ_A (column, column)

    def df(self, row: Array) -> float:
        return self._scale(row[None])[1]

    def joint(self, rows: Array, coefficients: Array) -> tuple[float, float, float]:
        scale, df = self._scale(rows)
        return scale * wald(rows, coefficients, self.covariance) / len(rows), df, scale

    def _scale(self, rows: Array) -> tuple[float, float]:
        span = np.linalg.qr((rows @ self.root).T)[0]
        seen = span.T @ self.spread @ span  # (parameter, row, row)
        traces = np.trace(seen, axis1=1, axis2=2)
        flat = seen.reshape(len(seen), -1)
        a1 = float(traces @ self.parameters @ traces)
        a2 = float(np.vdot(self.parameters, flat @ flat.T))
        scale, df = scaled_f(len(rows), a1, a2)
        if len(rows) > 1 and not (df > 2.0 and scale > 0.0):  # an F whose mean could be matched has more than 2
            raise NotConverged(
                f"The data tell the variance of these {len(rows)} contrasts too poorly for a Kenward-Roger F (it would "
                f"have {df:.2f} degrees of freedom); test them singly or choose fewer."
            )
        return scale, df
