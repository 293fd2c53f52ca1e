"""Analysis of covariance in every trial of a batch: one singular value decomposition of a stack of designs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sevenfold.analysis.ancova import LEVERAGE_LIMIT, RANK_TOLERANCE, Ancova, Scale, StandardError
from sevenfold.analysis.batch.columns import by_trial, codes_by_trial
from sevenfold.analysis.batch.ending import CODE, Codes, EffectBatch, effect_of
from sevenfold.analysis.column import Flags, Integers, Numbers, frozen
from sevenfold.analysis.design_matrix import Margins
from sevenfold.analysis.effect import Status
from sevenfold.errors import InvalidInput

__all__ = ["AncovaBatch", "ancova_batch"]

Stack = NDArray[np.float64]  # (trial, subject) or more axes


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AncovaBatch:
    """What came out of each trial.

    Args:
        status: how each trial's fit ended, as ``CODE`` has it  # (trial,).
        effects: one for each contrast of the settings.
        ls_means: one for each arm.
        residual_sd: nan where the status is not OK  # (trial,).
        n_used: patients analysed  # (trial, arm).
    """

    settings: Ancova
    status: Codes
    effects: tuple[EffectBatch, ...]
    ls_means: tuple[EffectBatch, ...]
    residual_sd: Numbers
    n_used: Integers

    def effect(self, contrast: str) -> EffectBatch:
        """One contrast's answers, on the analysis scale."""
        return effect_of(self.effects, contrast)


def ancova_batch(
    settings: Ancova,
    response: ArrayLike,
    arm: ArrayLike,
    *,
    covariates: Mapping[str, ArrayLike] = MappingProxyType({}),
    factors: Mapping[str, ArrayLike] = MappingProxyType({}),
) -> AncovaBatch:
    """``settings.fit`` for every trial: the same model, checks and numbers.

    Args:
        response: on its own scale; nan where it was not observed  # (trial, subject).
        arm: index into the settings' arms, -1 where a trial has fewer subjects than others  # (trial, subject).
        covariates: by name; nan where not observed  # (trial, subject) each.
        factors: by name, as whole numbers from 0, -1 where not observed  # (trial, subject) each.

    Raises:
        InvalidInput: arrays that do not fit each other; on the log scale, a response that is not positive.
    """
    y = by_trial("response", response)
    arm_of = codes_by_trial("arm", arm, y.shape, below=len(settings.arms))
    numbers = [by_trial(name, column, y.shape) for name, column in covariates.items()]
    codes = [codes_by_trial(name, column, y.shape) for name, column in factors.items()]
    used = (arm_of >= 0) & ~np.isnan(y)
    for column in numbers:
        used &= ~np.isnan(column)
    for code in codes:
        used &= code >= 0
    if settings.scale is Scale.LOG:
        is_wrong = used & ~(np.where(used, y, 1.0) > 0.0)
        if is_wrong.any():
            raise InvalidInput(
                f"response has values that are not positive in {int(is_wrong.any(axis=1).sum())} trials, the first "
                f"{int(np.flatnonzero(is_wrong.any(axis=1))[0])}; they have no logarithm: floor them before."
            )
        y = np.log(np.where(used, y, 1.0))
    y = np.where(used, y, 0.0)

    k = len(settings.arms)
    names = (*(c.name for c in settings.contrasts), *(f"least-squares mean, {a}" for a in settings.arms))
    weights = np.array([*([c.weights.get(a, 0.0) for a in settings.arms] for c in settings.contrasts), *np.eye(k)])
    n_used = np.stack([(used & (arm_of == place)).sum(axis=1) for place in range(k)], axis=1)
    status = np.empty(len(y), dtype=np.int8)
    estimate, se = (np.empty((len(y), len(names))) for _ in range(2))
    sd, df = (np.empty(len(y)) for _ in range(2))
    for some, design in _designs(settings.margins, k, used, arm_of, numbers, codes):
        status[some], estimate[some], se[some], sd[some], df[some] = _fitted(
            settings, weights, y[some], design, n_used[some]
        )
    is_ok = status == CODE[Status.OK]

    def told(place: int) -> EffectBatch:
        return EffectBatch(
            contrast=names[place],
            status=status.copy(),
            estimate=np.where(is_ok, estimate[:, place], np.nan),
            se=np.where(is_ok, se[:, place], np.nan),
            df=np.where(is_ok, df, np.nan),
        )

    return AncovaBatch(
        settings=settings,
        status=frozen(status.copy()),
        effects=tuple(told(place) for place in range(len(settings.contrasts))),
        ls_means=tuple(told(len(settings.contrasts) + place) for place in range(k)),
        residual_sd=frozen(np.where(is_ok, sd, np.nan)),
        n_used=frozen(n_used.astype(np.int64)),
    )


def _designs(
    margins: Margins, n_arms: int, used: Flags, arm: Integers, numbers: list[Stack], codes: list[Integers]
) -> Iterator[tuple[Integers, Stack]]:
    """Trials in which the same levels of the factors were seen, with their designs (trial, subject, column).

    One column per arm, then covariates and factors, centred over those used; zero rows for the others.
    """
    n_trials = len(used)
    seen = [np.stack([(used & (code == level)).any(axis=1) for level in range(code.max(initial=-1) + 1)], axis=1)
            for code in codes]  # fmt: skip
    key = np.concatenate([np.zeros((n_trials, 1), dtype=np.bool_), *seen], axis=1)
    patterns, pattern_of = np.unique(key, axis=0, return_inverse=True)
    for pattern in range(len(patterns)):
        some = np.flatnonzero(pattern_of.ravel() == pattern)
        inside = used[some]
        n = np.maximum(inside.sum(axis=1), 1)[:, None]
        columns = [(inside & (arm[some] == place)).astype(np.float64) for place in range(n_arms)]
        for number in numbers:
            x = np.where(inside, number[some], 0.0)
            columns.append(np.where(inside, x - x.sum(axis=1, keepdims=True) / n, 0.0))
        for code, levels_seen in zip(codes, seen, strict=True):
            levels = np.flatnonzero(levels_seen[some[0]])
            for level in levels[1:]:
                indicator = (inside & (code[some] == level)).astype(np.float64)
                share = indicator.sum(axis=1, keepdims=True) / n
                centre = share if margins is Margins.OBSERVED else np.full_like(share, 1.0 / len(levels))
                columns.append(np.where(inside, indicator - centre, 0.0))
        yield some, np.stack(columns, axis=2)


def _fitted(
    settings: Ancova, weights: Stack, y: Stack, design: Stack, n_used: Integers
) -> tuple[Codes, Stack, Stack, Stack, Stack]:
    """Endings; estimates and standard errors of the weighted means (trial, row); residual sd; degrees of freedom.

    Each check overrules those after it, as where they are made one after another.
    """
    n, p, k = n_used.sum(axis=1), design.shape[2], n_used.shape[1]
    is_empty = (n_used == 0).any(axis=1)
    if design.shape[1] < p:  # no trial has as many patients as parameters
        nowhere = np.full((len(y), len(weights)), np.nan)
        status = np.where(is_empty, CODE[Status.NOT_ESTIMABLE], CODE[Status.TOO_FEW]).astype(np.int8)
        return status, nowhere, nowhere, nowhere[:, 0], nowhere[:, 0]
    length = np.sqrt((design**2).sum(axis=1))  # (trial, column)
    length[length == 0.0] = 1.0
    u, s, vt = np.linalg.svd(design / length[:, None], full_matrices=False)
    with np.errstate(all="ignore"):  # trials that fail divide by nothing; none of their numbers is kept
        bread = vt.swapaxes(1, 2) / s[:, None] / length[:, :, None]  # (trial, parameter, direction)
        parameters = (bread @ (u.swapaxes(1, 2) @ y[:, :, None]))[:, :, 0]
        residual = y - (design @ parameters[:, :, None])[:, :, 0]
        variance = (residual**2).sum(axis=1) / (n - p)
        leverage = (u**2).sum(axis=2)
        if settings.standard_error is StandardError.CLASSICAL:
            root = np.sqrt(variance)[:, None, None] * bread.swapaxes(1, 2)
        else:
            root = (u * (residual / (1.0 - leverage))[:, :, None]) @ bread.swapaxes(1, 2)
        # root'·root is the covariance of the parameters, of which the first are the arms' means
        se = np.linalg.norm(root[:, :, :k] @ weights.T, axis=1)
        estimate, sd = parameters[:, :k] @ weights.T, np.sqrt(variance)
        is_alone = leverage.max(axis=1) >= LEVERAGE_LIMIT
        refusals = (
            (is_empty, Status.NOT_ESTIMABLE),
            (n <= p, Status.TOO_FEW),
            (s[:, -1] <= RANK_TOLERANCE * s[:, 0], Status.SINGULAR),
            (variance <= 1e-24 * (y**2).sum(axis=1) / n, Status.NOT_ESTIMABLE),
            (is_alone & (settings.standard_error is StandardError.HC3), Status.NOT_ESTIMABLE),
            (
                (se[:, : len(settings.contrasts)] <= 1e-12 * sd[:, None]).any(axis=1),
                Status.NOT_ESTIMABLE,
            ),
        )
    status = np.select([where for where, _ in refusals], [CODE[why] for _, why in refusals], CODE[Status.OK])
    return status.astype(np.int8), estimate, se, sd, (n - p).astype(np.float64)
