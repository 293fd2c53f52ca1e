"""Win ratio, win odds and net benefit: every active patient against every control, first by what matters most."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sevenfold.analysis.answer import present
from sevenfold.analysis.column import Flags, Numbers, flags, numbers
from sevenfold.analysis.effect import Effect, Fit, Status
from sevenfold.analysis.geometric import Ratio, as_ratio
from sevenfold.analysis.rank_sum import stratum_labels
from sevenfold.errors import InvalidInput

__all__ = ["Level", "Survived", "Valued", "Wins", "win_statistics"]

Verdicts = NDArray[np.int8]  # (active, control): 1 the active patient wins, -1 loses, 0 undecided


class Level(Protocol):
    """One thing on which two patients can be compared."""

    @property
    def n(self) -> int:
        """Patients."""
        ...

    def verdicts(self, active: Flags, control: Flags) -> Verdicts:
        """Each active patient against each control."""
        ...


@final
@dataclass(frozen=True, slots=True, eq=False)
class Survived:
    """Time to death: the one known to have lived longer wins; undecided where follow-up doesn't tell.

    The other's death must have been seen, and must have come while the winner was still followed alive; someone whose
    follow-up ended on the day of the other's death was alive then.
    """

    time_day: Numbers
    is_dead: Flags

    @classmethod
    def of(cls, time_day: ArrayLike, is_dead: ArrayLike) -> "Survived":
        """Checked columns, one value per patient."""
        time = numbers("time_day", time_day)
        return cls(time, flags("is_dead", is_dead, len(time)))

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.time_day)

    def verdicts(self, active: Flags, control: Flags) -> Verdicts:
        """See ``Level``."""
        a, b = self.time_day[active][:, None], self.time_day[control][None, :]
        dead_a, dead_b = self.is_dead[active][:, None], self.is_dead[control][None, :]
        wins = dead_b & ((a > b) | ((a == b) & ~dead_a))
        losses = dead_a & ((b > a) | ((a == b) & ~dead_b))
        verdicts: Verdicts = np.asarray(wins, dtype=np.int8) - np.asarray(losses, dtype=np.int8)
        return verdicts


@final
@dataclass(frozen=True, slots=True, eq=False)
class Valued:
    """A measurement: the better value wins if better by more than the margin; undecided where one is unknown (nan)."""

    values: Numbers
    margin: float = 0.0
    is_higher_better: bool = True

    @classmethod
    def of(cls, values: ArrayLike, *, margin: float = 0.0, is_higher_better: bool = True) -> "Valued":
        """A checked column, one value per patient."""
        if not 0.0 <= margin < np.inf:
            raise InvalidInput(f"The margin is {margin}; give 0 or a positive difference.")
        return cls(numbers("values", values, missing=True), margin, is_higher_better)

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.values)

    def verdicts(self, active: Flags, control: Flags) -> Verdicts:
        """See ``Level``."""
        sign = 1.0 if self.is_higher_better else -1.0
        better: NDArray[np.float64] = sign * (self.values[active][:, None] - self.values[control][None, :])
        return (better > self.margin).astype(np.int8) - (better < -self.margin).astype(np.int8)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wins:
    """Pairs won and lost by the active arm, over all strata, and what follows from them.

    Args:
        n_wins, n_losses: by level, in the order of priority.
        n_ties: pairs that no level decided.
        net_benefit_estimated: share of pairs won less share lost; strata as for the ratios.
    """

    fit: Fit
    n_wins: tuple[int, ...]
    n_losses: tuple[int, ...]
    n_ties: int
    log_win_ratio: Effect | None
    log_win_odds: Effect | None
    net_benefit_estimated: Effect | None

    def win_ratio(self, level: float = 0.95) -> Ratio:
        """Wins over losses.

        Raises:
            NotConverged: where one of them is 0.
        """
        return as_ratio(present(self.log_win_ratio, self.fit), level)

    def win_odds(self, level: float = 0.95) -> Ratio:
        """Wins over losses, each with half of the ties.

        Raises:
            NotConverged: where one of them is 0.
        """
        return as_ratio(present(self.log_win_odds, self.fit), level)

    @property
    def net_benefit(self) -> Effect:
        """Share of pairs won less share lost.

        Raises:
            NotConverged: where an arm has fewer than two patients in some stratum.
        """
        return present(self.net_benefit_estimated, self.fit)


def win_statistics(levels: Sequence[Level], is_active: ArrayLike, strata: ArrayLike | None = None) -> Wins:
    """Compares all pairs within strata, each by the first level that decides it.

    θ_w and θ_l, the shares of pairs won and lost, are U-statistics. With w_i the share of controls that active patient
    i beats, w_j the share of active patients that beat control j, and likewise l_i and l_j, Cov(θ_w, θ_l) =
    cov_i(w_i, l_i)/n_1 + cov_j(w_j, l_j)/n_0; ratios follow on the log scale by the delta method. Strata are weighed
    by 1/N_s on the counts of pairs. A normal reference.

    Args:
        levels: what matters most first, such as ``Survived`` and then ``Valued``.

    Source: [bebu2016], [dong2018], [brunner2021]; docs/theory/win-ratio.md.
    """
    if not levels:
        raise InvalidInput("There is no level to compare patients on; give at least one.")
    active = flags("is_active", is_active)
    for k, level in enumerate(levels):
        if level.n != len(active):
            raise InvalidInput(
                f"Level {k + 1} has {level.n} patients and is_active {len(active)}; give one value each."
            )
    strata_of = stratum_labels(strata, len(active))
    n_wins, n_losses, n_ties = np.zeros(len(levels), dtype=int), np.zeros(len(levels), dtype=int), 0
    pairs, counts, covariance = 0.0, np.zeros(2), np.zeros((2, 2))
    too_few = []
    for s in np.unique(strata_of):
        inside = strata_of == s
        n_1, n_0 = int((inside & active).sum()), int((inside & ~active).sum())
        if n_1 == 0 or n_0 == 0:
            continue  # no pair to compare
        verdict = np.zeros((n_1, n_0), dtype=np.int8)
        for k, level in enumerate(levels):
            decided = np.where(verdict == 0, level.verdicts(inside & active, inside & ~active), 0)
            n_wins[k] += int((decided > 0).sum())
            n_losses[k] += int((decided < 0).sum())
            verdict += decided.astype(np.int8)
        n_ties += int((verdict == 0).sum())
        if min(n_1, n_0) < 2:
            too_few.append(str(s))
            continue
        won_lost = np.stack((verdict > 0, verdict < 0)).astype(np.float64)  # (won or lost, active, control)
        weight = n_1 * n_0 / (n_1 + n_0)
        pairs += weight
        counts += weight * won_lost.mean(axis=(1, 2))
        covariance += weight**2 * (np.cov(won_lost.mean(axis=2)) / n_1 + np.cov(won_lost.mean(axis=1)) / n_0)
    ratio = odds = net = None
    if too_few or pairs == 0.0:
        where = f" in stratum {', '.join(too_few)}; merge strata" if too_few else " in every stratum; merge strata"
        message = f"An arm has fewer than two patients{where if strata is not None else ''}."
        fit = Fit(status=Status.TOO_FEW, message=message)
    else:
        share, spread = counts / pairs, covariance / pairs**2
        net = _effect("net benefit", float(share[0] - share[1]), np.array([1.0, -1.0]), spread)
        half = 0.5 * (1.0 + float(share[0] - share[1]))  # wins and half of the ties
        if 0.0 < half < 1.0:
            slope = 0.5 / (half * (1.0 - half))
            odds = _effect("log win odds", float(np.log(half / (1.0 - half))), np.array([slope, -slope]), spread)
        if (share > 0.0).all():
            estimate = float(np.log(share[0] / share[1]))
            ratio = _effect("log win ratio", estimate, np.array([1.0 / share[0], -1.0 / share[1]]), spread)
        fit = Fit(status=Status.OK)
        if ratio is None or odds is None or net is None:
            fit = Fit(status=Status.SEPARATED, message="One arm won no pair, or all pairs ended alike.")
    return Wins(
        fit=fit,
        n_wins=tuple(n_wins.tolist()),
        n_losses=tuple(n_losses.tolist()),
        n_ties=n_ties,
        log_win_ratio=ratio,
        log_win_odds=odds,
        net_benefit_estimated=net,
    )


def _effect(name: str, estimate: float, slope: Numbers, spread: NDArray[np.float64]) -> Effect | None:
    """None where nothing varies."""
    variance = float(slope @ spread @ slope)
    if variance <= 0.0:
        return None
    return Effect(contrast=name, estimate=estimate, se=float(np.sqrt(variance)), df=float(np.inf))
