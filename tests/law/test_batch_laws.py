"""A batch equals its trials one at a time: the same status, and the same numbers to 1e-9, for every estimator.

Among the trials are those that simulations produce and nobody plans: an arm of one or of none, a visit that all missed,
a covariate that is constant, patients who died or were never measured, responses that are all the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pytest
from numpy.typing import NDArray

from sevenfold.analysis.ancova import Ancova, Contrast, Scale, StandardError
from sevenfold.analysis.answer import Test
from sevenfold.analysis.batch.ancova import ancova_batch
from sevenfold.analysis.batch.ending import CODE, Codes
from sevenfold.analysis.batch.exact_test import exact_test_batch
from sevenfold.analysis.batch.log_rank import log_rank_batch
from sevenfold.analysis.batch.mmrm import Questions, mmrm_batch
from sevenfold.analysis.batch.repeated import RepeatedTrials
from sevenfold.analysis.batch.responders import difference_batch, rate_batch
from sevenfold.analysis.batch.tables import MissingResponse, counted
from sevenfold.analysis.design_matrix import Margins
from sevenfold.analysis.effect import Status
from sevenfold.analysis.exact_test import barnard, boschloo, fisher, fisher_mid_p
from sevenfold.analysis.mmrm import (
    PRESPECIFIED,
    Antedependence,
    Autoregressive,
    Covariate,
    Empirical,
    Estimation,
    Factor,
    Information,
    KenwardRoger,
    Mmrm,
    Satterthwaite,
    Toeplitz,
    fit_with_fallback,
)
from sevenfold.analysis.proportion import clopper_pearson
from sevenfold.analysis.proportion_difference import newcombe
from sevenfold.analysis.time_to_event.follow_up import FollowUp
from sevenfold.analysis.time_to_event.log_rank import log_rank
from sevenfold.analysis.two_binomials import Table
from sevenfold.errors import InvalidDesign, InvalidInput, NotConverged

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

N_SUBJECTS, N_VISITS = 18, 4
EQUAL = 1e-9
"""Relative, or absolute for what is below 1: what rounding may do where the Hessian is far from singular."""


@dataclass(frozen=True)
class Trials:
    """Columns of the trials of one batch."""

    names: tuple[str, ...]
    response: Array  # (trial, subject, visit)
    arm: Whole  # (trial, subject)
    baseline: Array  # (trial, subject)
    country: Whole  # (trial, subject)

    def __len__(self) -> int:
        return len(self.names)


@cache
def trials() -> Trials:
    """Ordinary trials, then awkward ones; the last of each kind is named."""
    made = list(_each())
    return Trials(
        names=tuple(one[0] for one in made),
        response=np.stack([one[1] for one in made]),
        arm=np.stack([one[2] for one in made]),
        baseline=np.stack([one[3] for one in made]),
        country=np.stack([one[4] for one in made]),
    )


def _each() -> Iterator[tuple[str, Array, Whole, Array, Whole]]:
    for seed, name in enumerate([*["ordinary"] * 12, *["many lost"] * 8, *AWKWARD]):
        rng = np.random.default_rng([71, seed])
        each = np.arange(N_VISITS)
        covariance = 0.6 ** np.abs(each[:, None] - each[None, :]) * np.outer(1.0 + 0.1 * each, 1.0 + 0.1 * each)
        baseline = rng.normal(size=N_SUBJECTS)
        arm = rng.permutation((np.arange(N_SUBJECTS) % 3 > 0).astype(np.int64))
        response = rng.multivariate_normal(np.zeros(N_VISITS), covariance, size=N_SUBJECTS)
        response += 0.5 * baseline[:, None] + 0.4 * arm[:, None]
        response[rng.random(response.shape) < 0.05] = np.nan
        country = rng.integers(0, 3, size=N_SUBJECTS)
        if name == "many lost":
            last = rng.integers(0, N_VISITS + 1, size=N_SUBJECTS)
            response[each[None, :] >= last[:, None]] = np.nan
        if name in AWKWARD:
            AWKWARD[name](response, arm, baseline, country)
        yield name, response, arm, baseline, country


def _arm_of_one(response: Array, arm: Whole, *_: object) -> None:
    arm[:] = 1
    arm[3] = 0
    response[3] = 1.0


def _arm_of_none(response: Array, arm: Whole, *_: object) -> None:
    response[arm == 0] = np.nan


def _all_missing_at_a_visit(response: Array, *_: object) -> None:
    response[:, 2] = np.nan


def _constant_baseline(response: Array, arm: Whole, baseline: Array, *_: object) -> None:
    baseline[:] = 2.0


def _dead_patients(response: Array, *_: object) -> None:
    response[:5, 1:] = np.nan


def _never_measured(response: Array, *_: object) -> None:
    response[4] = np.nan


def _all_alike(response: Array, *_: object) -> None:
    response[:] = 3.0


def _alike_within_arms(response: Array, arm: Whole, *_: object) -> None:
    response[:] = arm[:, None]


def _nothing_at_all(response: Array, *_: object) -> None:
    response[:] = np.nan


def _visit_copied(response: Array, *_: object) -> None:
    response[:, 3] = response[:, 2]


def _never_together(response: Array, *_: object) -> None:
    response[:9, 0] = np.nan
    response[9:, 3] = np.nan


def _few_places_taken(response: Array, arm: Whole, *_: object) -> None:
    arm[10:] = -1


def _hardly_anybody(response: Array, arm: Whole, *_: object) -> None:
    arm[:] = -1
    arm[:4] = [0, 0, 1, 1]


def _baseline_missing(response: Array, arm: Whole, baseline: Array, country: Whole) -> None:
    baseline[[1, 6]] = np.nan
    country[[2, 6]] = -1


def _large_numbers(response: Array, *_: object) -> None:
    response *= 1e6
    response += 1e8


def _one_country(response: Array, arm: Whole, baseline: Array, country: Whole) -> None:
    country[:] = 1


AWKWARD: dict[str, Callable[..., None]] = {
    function.__name__.removeprefix("_"): function
    for function in (
        _arm_of_one,
        _arm_of_none,
        _all_missing_at_a_visit,
        _constant_baseline,
        _dead_patients,
        _never_measured,
        _all_alike,
        _alike_within_arms,
        _nothing_at_all,
        _visit_copied,
        _never_together,
        _few_places_taken,
        _hardly_anybody,
        _baseline_missing,
        _large_numbers,
        _one_country,
    )
}


def assert_alike(
    names: Sequence[str], status: Codes, found: Array, alone: list[tuple[Status, tuple[float, ...]]]
) -> None:
    """Status by status; numbers where there are any, nan where there are none.

    Args:
        found: of the batch  # (trial, number).
        alone: of each trial.
    """
    said = {status: code for code, status in enumerate(Status)}
    assert [(n, int(s)) for n, s in zip(names, status, strict=True)] == [
        (n, said[s]) for n, (s, _) in zip(names, alone, strict=True)
    ]
    for name, code, row, (_, numbers) in zip(names, status, found, alone, strict=True):
        if code == CODE[Status.OK]:
            assert row == pytest.approx(numbers, rel=EQUAL, abs=EQUAL), name
        else:
            assert np.isnan(row).all(), name


PLANS: dict[str, tuple[Mmrm, ...]] = {
    "unstructured, Kenward-Roger": (Mmrm(),),
    "unstructured, Satterthwaite": (Mmrm(freedom=Satterthwaite()),),
    "unstructured, expected information": (Mmrm(freedom=KenwardRoger(information=Information.EXPECTED)),),
    "Toeplitz, linear": (Mmrm(covariance=Toeplitz(is_heterogeneous=True), freedom=KenwardRoger(is_linear=True)),),
    "Toeplitz": (Mmrm(covariance=Toeplitz(is_heterogeneous=True)),),
    "autoregressive": (Mmrm(covariance=Autoregressive(is_heterogeneous=True)),),
    "compound symmetry, CR2": PRESPECIFIED[3:],
    "compound symmetry, CR0": (
        Mmrm(covariance=PRESPECIFIED[3].covariance, freedom=Satterthwaite(), empirical=Empirical.CR0),
    ),
    "the plan": PRESPECIFIED,
    "not compiled": (
        Mmrm(covariance=Antedependence(is_heterogeneous=True)),
        Mmrm(freedom=Satterthwaite(), estimation=Estimation.ML),
    ),
}


@cache
def repeated(*, with_country: bool = False) -> RepeatedTrials:
    """The batch as repeated measures, adjusted for baseline by visit."""
    all_of_them = trials()
    covariates: list[Covariate | Factor] = [Covariate(name="baseline", values=all_of_them.baseline, is_by_visit=True)]
    if with_country:
        covariates = [
            Factor(name="country", values=all_of_them.country, levels=("a", "b", "c")),
            Covariate(name="baseline", values=all_of_them.baseline),
        ]
    return RepeatedTrials.of(
        all_of_them.response,
        arm=all_of_them.arm,
        arms=("placebo", "il7"),
        visits=("v1", "v2", "v3", "v4"),
        covariates=covariates,
    )


@pytest.mark.parametrize("plan", PLANS)
def test_repeated_measures(plan: str) -> None:
    """Each attempt's ending, and the contrast at the last visit and over all visits."""
    batch = repeated()
    rows = {"last": batch.difference("il7", "placebo", "v4"), "all": batch.difference("il7", "placebo")}
    found = mmrm_batch(batch, Questions(contrasts=rows), PLANS[plan])
    for name, row in rows.items():
        effect = found.effect(name)
        alone = [mmrm_alone(batch, trial, row, PLANS[plan]) for trial in range(batch.n_trials)]
        assert [tuple(ended) for ended in found.tried.T.tolist()] == [tried for tried, _, _ in alone]
        numbers = np.stack([effect.estimate, effect.se, effect.df, effect.p_value], axis=1)
        assert_alike(trials().names, effect.status, numbers, [(status, told) for _, status, told in alone])
    assert len(set(found.status.tolist())) > 1


def mmrm_alone(
    batch: RepeatedTrials, trial: int, row: Array, plan: tuple[Mmrm, ...]
) -> tuple[tuple[int, ...], Status, tuple[float, ...]]:
    """How the attempts ended, -1 where none was needed; how the contrast ended; its numbers."""
    try:
        tried = fit_with_fallback(batch.one(trial).data, plan)
    except (InvalidDesign, InvalidInput):
        return tuple(CODE[Status.SINGULAR] for _ in plan), Status.SINGULAR, ()
    ended = [CODE[fit.status] for fit in (*tried.failed, tried.fit)]
    ended += [-1] * (len(plan) - len(ended))
    if not tried.fit.is_ok:
        return tuple(ended), tried.fit.status, ()
    try:
        effect = tried.fit.contrast(row, "difference")
    except NotConverged:
        return tuple(ended), Status.NOT_ESTIMABLE, ()
    return tuple(ended), Status.OK, (effect.estimate, effect.se, effect.df, effect.p_value)


@pytest.mark.parametrize("freedom", [KenwardRoger(), Satterthwaite()])
def test_joint_tests_of_repeated_measures(freedom: KenwardRoger | Satterthwaite) -> None:
    """All visits together, two of them, and two rows of which one says it all."""
    batch = repeated(with_country=True)
    at = [batch.difference("il7", "placebo", visit) for visit in batch.visits]
    asked = {"all visits": np.stack(at), "the last two": np.stack(at[2:]), "one twice": np.stack([at[3], 2.0 * at[3]])}
    plan = (Mmrm(freedom=freedom),)
    found = mmrm_batch(batch, Questions(joint=asked), plan)
    for test, rows in zip(found.joint, asked.values(), strict=True):
        alone: list[tuple[Status, tuple[float, ...]]] = []
        for trial in range(batch.n_trials):
            try:
                fit = plan[0].fit(batch.one(trial).data)
            except (InvalidDesign, InvalidInput):
                alone.append((Status.SINGULAR, ()))
                continue
            if not fit.is_ok:
                alone.append((fit.status, ()))
                continue
            try:
                one = fit.joint(rows, test.name)
                alone.append((Status.OK, (one.statistic, one.df_numerator, one.df_denominator, one.p_value)))
            except NotConverged:
                alone.append((Status.NOT_ESTIMABLE, ()))
        df = np.where(test.is_ok, test.df, np.nan)
        numbers = np.stack([test.statistic, df, test.df_denominator, test.p_value], axis=1)
        assert_alike(trials().names, test.status, numbers, alone)


def test_the_rows_of_a_batch_are_those_of_its_trials() -> None:
    """``RepeatedTrials.difference`` against ``TrialModel.difference``."""
    for batch in (repeated(), repeated(with_country=True)):
        model = batch.one(0)
        assert batch.n_columns == len(model.data.columns)
        for visit in (*batch.visits, None):
            for pair in (("il7", "placebo"), ("placebo", "il7")):
                assert batch.difference(*pair, visit) == pytest.approx(model.difference(*pair, visit), abs=1e-14)


@pytest.mark.parametrize("error", StandardError)
@pytest.mark.parametrize("margins", Margins)
@pytest.mark.parametrize("scale", Scale)
def test_ancova(scale: Scale, margins: Margins, error: StandardError) -> None:
    """Contrast, least-squares means and residual spread of the last visit."""
    all_of_them = trials()
    arms = ("placebo", "il7")
    settings = Ancova(
        arms=arms,
        contrasts=(Contrast(name="difference", weights={"il7": 1.0, "placebo": -1.0}),),
        scale=scale,
        standard_error=error,
        margins=margins,
    )
    response = all_of_them.response[:, :, 3]
    if scale is Scale.LOG:
        response = np.exp(np.minimum(response, 20.0))
    found = ancova_batch(
        settings,
        response,
        all_of_them.arm,
        covariates={"baseline": all_of_them.baseline},
        factors={"country": all_of_them.country},
    )
    answers = (*found.effects, *found.ls_means)
    numbers = np.stack([*(x for e in answers for x in (e.estimate, e.se, e.df)), found.residual_sd], axis=1)
    alone: list[tuple[Status, tuple[float, ...]]] = []
    for trial in range(len(all_of_them)):
        here = all_of_them.arm[trial] >= 0
        fit = settings.fit(
            response[trial, here],
            np.array(arms)[all_of_them.arm[trial, here]],
            covariates={"baseline": all_of_them.baseline[trial, here]},
            factors={"country": np.array(["a", "b", "c", ""])[all_of_them.country[trial, here]]},
        )
        told = [x for e in (*fit.effects, *fit.ls_means) for x in (e.estimate, e.se, e.df)]
        alone.append((fit.fit.status, (*told, fit.residual_sd or np.nan)))
        assert found.n_used[trial].tolist() == list(fit.n_used.values())
    assert_alike(all_of_them.names, found.status, numbers, alone)
    assert len(set(found.status.tolist())) > 1


@pytest.mark.parametrize("is_stratified", [False, True])
@pytest.mark.parametrize("n_groups", [2, 3])
def test_log_rank(n_groups: int, is_stratified: bool) -> None:
    """Times with ties; a trial without events, one whose patients are all in one group, one without patients."""
    rng = np.random.default_rng(72)
    shape = (40, N_SUBJECTS)
    time = rng.integers(0, 12, size=shape).astype(np.float64)
    time[rng.random(shape) < 0.1] = np.nan
    is_event = rng.random(shape) < 0.6
    group, strata = rng.integers(-1, n_groups, size=shape), rng.integers(0, 2, size=shape)
    is_event[0], group[1], group[2], time[3] = False, 1, -1, 4.0
    is_event[4], time[4] = group[4] == 0, np.where(group[4] == 0, 9.0, 1.0)  # events when only one group is left
    found = log_rank_batch(time, is_event, group, strata if is_stratified else None)
    alone: list[tuple[Status, tuple[float, ...]]] = []
    for trial in range(shape[0]):
        here = (group[trial] >= 0) & ~np.isnan(time[trial])
        try:
            one = log_rank(
                FollowUp.of(time[trial, here], is_event[trial, here]),
                group[trial, here],
                strata[trial, here] if is_stratified else None,
            )
        except InvalidInput:  # one group, or none
            alone.append((Status.NOT_ESTIMABLE, ()))
            continue
        if one.tested is None:
            alone.append((one.fit.status, ()))
            continue
        assert one.test.df is not None
        alone.append((one.fit.status, (one.test.statistic, one.test.df, one.test.p_value)))
        seen = [int(g) for g in one.groups]
        assert found.observed[trial, seen] == pytest.approx(one.observed, abs=EQUAL)
        assert found.expected[trial, seen] == pytest.approx(one.expected, abs=EQUAL)
        assert found.covariance[trial][np.ix_(seen, seen)] == pytest.approx(one.covariance, abs=EQUAL)
        assert found.n[trial, seen] == pytest.approx(one.n)
    numbers = np.stack([found.test.statistic, found.test.df, found.test.p_value], axis=1)
    names = [str(trial) for trial in range(shape[0])]
    assert_alike(names, found.test.status, numbers, alone)
    assert [found.test.status[trial] for trial in (0, 1, 2)] == [CODE[Status.NOT_ESTIMABLE]] * 3


def responded(missing: MissingResponse) -> tuple[Array, Whole, list[Table | None]]:
    """Who rose above nothing at the last visit, and each trial's table counted by hand."""
    all_of_them = trials()
    last = all_of_them.response[:, :, 3]
    response = np.where(np.isnan(last), np.nan, (last > 0.3).astype(np.float64))
    tables: list[Table | None] = []
    for trial in range(len(all_of_them)):
        counts = {}
        for name, place in (("a", 1), ("b", 0)):
            own = response[trial, all_of_them.arm[trial] == place]
            known = own[~np.isnan(own)] if missing is MissingResponse.LEFT_OUT else np.nan_to_num(own, nan=0.0)
            counts[f"events_{name}"], counts[f"n_{name}"] = int(known.sum()), len(known)
        tables.append(Table(**counts) if counts["n_a"] and counts["n_b"] else None)
    return response, all_of_them.arm, tables


TESTS: dict[str, Callable[[Table], Test]] = {
    "boschloo": boschloo,
    "fisher": fisher,
    "mid-p": fisher_mid_p,
    "barnard": partial(barnard, berger_boos=1e-3),
}


@pytest.mark.parametrize("missing", MissingResponse)
@pytest.mark.parametrize("test", TESTS)
def test_exact_tests(test: str, missing: MissingResponse) -> None:
    """Every trial's table."""
    response, arm, tables = responded(missing)
    found = exact_test_batch(counted(response, arm, missing), TESTS[test])
    alone: list[tuple[Status, tuple[float, ...]]] = []
    for table in tables:
        one = None if table is None else TESTS[test](table)
        alone.append((Status.NOT_ESTIMABLE, ()) if one is None else (Status.OK, (one.statistic, one.p_value)))
    assert_alike(trials().names, found.status, np.stack([found.statistic, found.p_value], axis=1), alone)


@pytest.mark.parametrize("missing", MissingResponse)
def test_responder_rates(missing: MissingResponse) -> None:
    """Each arm's rate with Clopper and Pearson's interval, and the difference with Newcombe's."""
    response, arm, tables = responded(missing)
    counts = counted(response, arm, missing)
    alone: list[tuple[Status, tuple[float, ...]]] = []
    for table in tables:
        if table is None:
            alone.append((Status.NOT_ESTIMABLE, ()))
            continue
        told = (
            clopper_pearson(table.events_a, table.n_a),
            clopper_pearson(table.events_b, table.n_b),
            newcombe(table),
        )
        alone.append((Status.OK, tuple(x for o in told for x in (o.estimate, o.interval.lower, o.interval.upper))))
    batches = (*rate_batch(counts), difference_batch(counts))
    numbers = np.stack([x for o in batches for x in (o.estimate, o.lower, o.upper)], axis=1)
    for one in batches:
        assert_alike(trials().names, one.status, numbers, alone)
