"""The mixed model for repeated measures in every trial of a batch, with the plan's fallbacks for those that fail.

The unstructured covariance and the fallbacks of the prespecified order are compiled once; other settings are fitted one
trial at a time. Either way a trial's numbers and status are those it has alone (docs/theory/batches.md).
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtrc

from sevenfold.analysis.batch.ending import CODE, Codes, EffectBatch, TestBatch, effect_of, tally
from sevenfold.analysis.batch.repeated import RepeatedTrials
from sevenfold.analysis.column import Flags, Integers, frozen
from sevenfold.analysis.effect import Status
from sevenfold.analysis.mmrm import (
    Autoregressive,
    ByGroup,
    CompoundSymmetry,
    Empirical,
    Estimation,
    Information,
    KenwardRoger,
    Mmrm,
    MmrmFit,
    Satterthwaite,
    Toeplitz,
    Unstructured,
)
from sevenfold.analysis.mmrm.covariance.structure import Structure
from sevenfold.analysis.mmrm.fit import independent
from sevenfold.errors import InvalidDesign, InvalidInput, NotConverged

__all__ = ["MmrmBatch", "Questions", "mmrm_batch"]

AT_ONCE: Final = 16  # trials a thread takes at a time
NOT_TRIED: Final = -1

_KINDS: Final[dict[Structure | ByGroup, int]] = {
    Unstructured(): 0,
    Toeplitz(is_heterogeneous=True): 1,
    Autoregressive(is_heterogeneous=True): 2,
    CompoundSymmetry(): 3,
}
"""Structures that are compiled, numbered as in ``kernel/family.py``."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What each fit is asked.

    Args:
        contrasts: one row each, by name  # (column,).
        joint: several rows each that are zero together, by name  # (row, column).
    """

    contrasts: Mapping[str, ArrayLike] = field(default_factory=dict)
    joint: Mapping[str, ArrayLike] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MmrmBatch:
    """How each trial's fits ended, and the answers of the first that ended well.

    Args:
        attempts: the estimators, in the order of the plan.
        tried: how each ended, as ``CODE`` has it, -1 where an earlier one ended well  # (attempt, trial).
        effects: one for each contrast asked for. A contrast may fail where the fit did not: its status says so.
        joint: one for each joint test.
    """

    attempts: tuple[Mmrm, ...]
    tried: Codes
    effects: tuple[EffectBatch, ...]
    joint: tuple[TestBatch, ...]

    @property
    def attempt(self) -> Integers:
        """Which attempt is reported: the first that ended well, or the last  # (trial,)."""
        return np.asarray((self.tried != NOT_TRIED).sum(axis=0) - 1, dtype=np.int64)

    @property
    def status(self) -> Codes:
        """How the fit that is reported ended  # (trial,)."""
        return np.asarray(self.tried[self.attempt, np.arange(self.tried.shape[1])], dtype=np.int8)

    @property
    def n_by_status(self) -> Mapping[Status, int]:
        """How many trials ended in which way, all attempts taken together."""
        return tally(self.status)

    def effect(self, contrast: str) -> EffectBatch:
        """One contrast's answers."""
        return effect_of(self.effects, contrast)


def mmrm_batch(
    trials: RepeatedTrials,
    questions: Questions,
    attempts: Sequence[Mmrm] = (Mmrm(),),
    *,
    n_threads: int | None = None,
) -> MmrmBatch:
    """Each trial fitted by each estimator in turn until one ends well, as ``fit_with_fallback`` does.

    A trial over which the model cannot be laid (an arm or a visit without a measurement, columns that others determine)
    ends as singular.

    Args:
        n_threads: of the compiled fits; by default as many as there are processors. The answer does not depend on it.

    Raises:
        InvalidDesign: no attempts, or a structure that cannot be laid over these visits.
        InvalidInput: a row that does not fit the columns or compares nothing.
    """
    if not attempts:
        raise InvalidDesign("mmrm_batch was given no attempts; name at least one Mmrm.")
    answers = _Answers.empty(trials, questions)
    tried = np.full((len(attempts), trials.n_trials), NOT_TRIED, dtype=np.int64)
    is_open = np.ones(trials.n_trials, dtype=np.bool_)
    for place, attempt in enumerate(attempts):
        structure = attempt.covariance.structure if isinstance(attempt.covariance, ByGroup) else attempt.covariance
        structure.on(np.arange(len(trials.visits), dtype=np.float64))  # refused here, once, if it cannot be laid
        if _is_compiled(attempt, answers):
            _fit_compiled(attempt, trials, answers, is_open, tried[place], n_threads)
        else:
            _fit_each(attempt, trials, answers, is_open, tried[place])
        is_open = is_open & (tried[place] != CODE[Status.OK])
    return answers.told(tuple(attempts), tried.astype(np.int8))


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Answers:
    """What is filled in trial by trial."""

    contrasts: tuple[str, ...]
    joint: tuple[str, ...]
    rows: NDArray[np.float64]  # contrasts, then those of the joint tests (row, column)
    begins: Integers  # where each joint test's rows begin, and the last one's end
    ending: Integers  # (trial, contrast)
    numbers: NDArray[np.float64]  # (trial, contrast, 3): estimate, variance, df
    joint_ending: Integers  # (trial, joint)
    joint_numbers: NDArray[np.float64]  # (trial, joint, 3): F, denominator df, scale

    @classmethod
    def empty(cls, trials: RepeatedTrials, questions: Questions) -> "_Answers":
        n, n_columns = trials.n_trials, trials.n_columns
        single = [_rows(name, given, n_columns) for name, given in questions.contrasts.items()]
        for name, rows in zip(questions.contrasts, single, strict=True):
            if len(rows) != 1:
                raise InvalidInput(f"A contrast is one row, got {len(rows)} for {name!r}; ask for it in joint.")
        several = [independent(_rows(name, given, n_columns)) for name, given in questions.joint.items()]
        sizes = [len(rows) for rows in several]
        n_single, n_joint = len(single), len(several)
        return cls(
            contrasts=tuple(questions.contrasts),
            joint=tuple(questions.joint),
            rows=np.concatenate([np.empty((0, n_columns)), *single, *several]),
            begins=n_single + np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            ending=np.full((n, n_single), CODE[Status.NOT_ESTIMABLE], dtype=np.int64),
            numbers=np.full((n, n_single, 3), np.nan),
            joint_ending=np.full((n, n_joint), CODE[Status.NOT_ESTIMABLE], dtype=np.int64),
            joint_numbers=np.full((n, n_joint, 3), np.nan),
        )

    def told(self, attempts: tuple[Mmrm, ...], tried: Codes) -> MmrmBatch:
        """As the caller reads them: a trial whose fits all failed has that status in every answer."""
        last = np.asarray((tried != NOT_TRIED).sum(axis=0) - 1)
        fitted = tried[last, np.arange(tried.shape[1])]
        is_fitted = (fitted == CODE[Status.OK])[:, None]
        ending = np.where(is_fitted, self.ending, fitted[:, None]).astype(np.int8)
        joint_ending = np.where(is_fitted, self.joint_ending, fitted[:, None]).astype(np.int8)
        numbers = np.where((ending == 0)[:, :, None], self.numbers, np.nan)
        joint_numbers = np.where((joint_ending == 0)[:, :, None], self.joint_numbers, np.nan)
        sizes = np.diff(self.begins)
        return MmrmBatch(
            attempts=attempts,
            tried=frozen(tried),
            effects=tuple(
                EffectBatch(
                    contrast=name,
                    status=ending[:, place].copy(),
                    estimate=numbers[:, place, 0].copy(),
                    se=np.sqrt(numbers[:, place, 1]),
                    df=numbers[:, place, 2].copy(),
                )
                for place, name in enumerate(self.contrasts)
            ),
            joint=tuple(
                TestBatch(
                    name=name,
                    status=joint_ending[:, place].copy(),
                    statistic=joint_numbers[:, place, 0].copy(),
                    p_value=np.asarray(
                        fdtrc(sizes[place], joint_numbers[:, place, 1], joint_numbers[:, place, 0]), dtype=np.float64
                    ),
                    df=np.full(len(fitted), float(sizes[place])),
                    df_denominator=joint_numbers[:, place, 1].copy(),
                )
                for place, name in enumerate(self.joint)
            ),
        )


def _is_compiled(attempt: Mmrm, answers: _Answers) -> bool:
    if attempt.covariance not in _KINDS or attempt.estimation is not Estimation.REML:
        return False
    if attempt.empirical is None:
        return isinstance(attempt.freedom, KenwardRoger | Satterthwaite)
    is_known = attempt.empirical in (Empirical.CR0, Empirical.CR2) and isinstance(attempt.freedom, Satterthwaite)
    return is_known and not answers.joint


def _fit_compiled(
    attempt: Mmrm, trials: RepeatedTrials, answers: _Answers, wanted: Flags, fitted: Integers, n_threads: int | None
) -> None:
    """The compiled fits; then, alone, those whose Hessian is so nearly singular that the order of sums would show."""
    from sevenfold.analysis.batch.kernel.run import FRAIL, runner  # loads Numba, which one fit alone can do without

    freedom = attempt.freedom
    is_kenward_roger = isinstance(freedom, KenwardRoger)
    is_expected = isinstance(freedom, KenwardRoger | Satterthwaite) and freedom.information is Information.EXPECTED
    power = 1.0 if attempt.empirical is None else {Empirical.CR0: 0.0, Empirical.CR2: -0.5}[attempt.empirical]
    how = (0 if is_kenward_roger else 1, power, is_expected, isinstance(freedom, KenwardRoger) and freedom.is_linear)
    covariates, is_by_visit = trials.by_subject()
    run = runner()
    asked = (answers.rows, len(answers.contrasts), answers.begins)
    filled = (answers.ending, answers.numbers, answers.joint_ending, answers.joint_numbers)

    def some(first: int) -> None:
        last = min(first + AT_ONCE, trials.n_trials)
        run(
            first,
            last,
            _KINDS[attempt.covariance],
            how,
            trials.response,
            trials.arm,
            covariates,
            is_by_visit,
            len(trials.arms),
            asked,
            wanted,
            fitted,
            filled,
        )

    firsts = range(0, trials.n_trials, AT_ONCE)
    with ThreadPoolExecutor(n_threads or os.cpu_count()) as pool:
        list(pool.map(some, firsts))
    _fit_each(attempt, trials, answers, wanted & (fitted == FRAIL), fitted)


def _fit_each(attempt: Mmrm, trials: RepeatedTrials, answers: _Answers, wanted: Flags, fitted: Integers) -> None:
    for trial in np.flatnonzero(wanted):
        try:
            fit = attempt.fit(trials.one(int(trial)).data)
        except (InvalidDesign, InvalidInput):  # an arm or a visit without a measurement, or a column too many
            fitted[trial] = CODE[Status.SINGULAR]
            continue
        fitted[trial] = CODE[fit.status]
        if fit.is_ok:
            _ask(fit, int(trial), answers)


def _ask(fit: MmrmFit, trial: int, answers: _Answers) -> None:
    for place, name in enumerate(answers.contrasts):
        try:
            found = fit.contrast(answers.rows[place], name)
        except NotConverged:
            continue
        answers.ending[trial, place] = CODE[Status.OK]
        answers.numbers[trial, place] = found.estimate, found.se**2, found.df
    for place, name in enumerate(answers.joint):
        try:
            test = fit.joint(answers.rows[answers.begins[place] : answers.begins[place + 1]], name)
        except NotConverged:
            continue
        answers.joint_ending[trial, place] = CODE[Status.OK]
        answers.joint_numbers[trial, place] = test.statistic, test.df_denominator, test.scale


def _rows(name: str, rows: ArrayLike, n_columns: int) -> NDArray[np.float64]:
    given = np.atleast_2d(np.asarray(rows, dtype=np.float64))
    if given.ndim != 2 or given.shape[1] != n_columns:
        raise InvalidInput(
            f"{name!r} has the shape {given.shape}; each row needs one number for each of {n_columns} columns."
        )
    if not np.all(np.isfinite(given)) or not np.all(np.any(given != 0.0, axis=1)):
        raise InvalidInput(f"{name!r} has a row that is all zero or not finite; it compares nothing.")
    return given
