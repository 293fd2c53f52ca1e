"""The analyses of the plan, two ways, and what they are called."""

import dataclasses
import math

import numpy as np
import pytest

from rehearsals import Rehearsed
from sevenfold.analysis.effect import Status
from sevenfold.analysis.trial.analyse import analyse
from sevenfold.analysis.trial.answering import answer
from sevenfold.analysis.trial.estimates import Answer, Estimates
from sevenfold.analysis.trial.measures import measures
from sevenfold.analysis.trial.response import responses
from sevenfold.cohort.cohort import Cohort
from sevenfold.evidence.compare import Agreement, Reading, compare


@pytest.fixture(scope="module")
def estimates(whole_trial: Rehearsed) -> Estimates:
    return analyse(whole_trial.cohort, whole_trial.history, whole_trial.file.protocol, 1)


def of(estimates: Estimates, name: str) -> Answer:
    return next(a for a in estimates.answers if a.estimand == name)


def test_every_planned_analysis_is_answered_in_order(whole_trial: Rehearsed, estimates: Estimates) -> None:
    planned = whole_trial.file.protocol.analyses
    assert [a.estimand for a in estimates.answers] == [p.estimand for p in planned]
    assert all(a.status is Status.OK for a in estimates.answers)


def test_the_primary_estimate_is_that_of_ordinary_least_squares(whole_trial: Rehearsed, estimates: Estimates) -> None:
    """Two ways: the normal equations written out here. Both are rounding away from the same answer."""
    found = responses(whole_trial.file.protocol.primary, whole_trial.cohort, whole_trial.file.protocol)
    used = found.is_used
    y = np.log(found.value[used])
    x = np.column_stack(
        [
            np.ones(used.sum()),
            found.is_active[used],
            np.log(found.baseline[used]),
            np.array([whole_trial.cohort.subjects[i].country for i in found.place])[used] == "United States",
        ]
    ).astype(float)
    beta, residual, *_ = np.linalg.lstsq(x, y, rcond=None)
    variance = residual[0] / (len(y) - 4) * np.linalg.inv(x.T @ x)[1, 1]
    primary = estimates.primary
    assert primary.value == pytest.approx(math.exp(beta[1]), rel=1e-9)
    half = math.log(primary.upper or 0) - math.log(primary.value or 1)
    from scipy.special import stdtrit

    assert half == pytest.approx(stdtrit(len(y) - 4, 0.975) * math.sqrt(variance), rel=1e-9)


def test_the_exact_test_is_its_definition(whole_trial: Rehearsed, estimates: Estimates) -> None:
    """Two ways: Fisher's two-sided p orders the tables; the largest probability of those as extreme, over a fine grid
    of the common proportion, is the p-value. A grid of 2 000 finds it to 1e-5. (SciPy doubles the smaller one-sided
    value instead.)
    """
    from scipy.stats import binom, fisher_exact

    grid = np.linspace(0.0, 1.0, 2001)
    for name in ("alc-response", "death-28"):
        a, b = of(estimates, name).groups
        assert a.n_events is not None
        assert b.n_events is not None

        def fisher(x: int, y: int, n: int = a.n_used, m: int = b.n_used) -> float:
            return float(fisher_exact(np.array([[x, y], [n - x, m - y]])).pvalue)

        observed = fisher(a.n_events, b.n_events)
        extreme = [
            (x, y) for x in range(a.n_used + 1) for y in range(b.n_used + 1) if fisher(x, y) <= observed * (1 + 1e-7)
        ]
        chance = sum(binom.pmf(x, a.n_used, grid) * binom.pmf(y, b.n_used, grid) for x, y in extreme)
        assert of(estimates, name).p_value == pytest.approx(float(np.max(chance)), abs=1e-5)


def test_a_model_that_takes_the_dead_as_living_says_so(estimates: Estimates) -> None:
    hypothetical = of(estimates, "alc-29-had-they-lived")
    assert hypothetical.is_hypothetical
    assert "death: hypothetical" in hypothetical.strategy
    assert not estimates.primary.is_hypothetical
    assert estimates.primary.role == "primary"


def test_survivors_are_bounded_and_the_estimate_in_those_alive_lies_within(estimates: Estimates) -> None:
    """The comparison of survivors as they are is one of the mixtures that the bounds span (up to adjustment)."""
    bounds = of(estimates, "alc-29-survivors").bounds
    assert bounds is not None
    assert bounds[0] < (estimates.primary.value or 0.0) < bounds[1]


def test_a_repeated_measures_model_shows_its_own_means_and_everybody_in_it(
    whole_trial: Rehearsed, estimates: Estimates
) -> None:
    """Its contrast is the ratio of the two means beside it; n counts who has a value after baseline at any visit."""
    found = of(estimates, "alc-29-had-they-lived")
    a, b = found.groups
    assert a.value is not None
    assert b.value is not None
    assert a.value / b.value == pytest.approx(found.value, rel=1e-9)
    cohort, protocol = whole_trial.cohort, whole_trial.file.protocol
    later = [v.id for v in protocol.schedule.visits if "alc" in v.assessments and 1 < v.day <= 29]
    has_later = np.any([np.isfinite(cohort.at("alc", visit)[0]) for visit in later], axis=0)
    for group in (a, b):
        members = cohort.revealed().is_in(protocol.groups[group.group])[0]
        assert group.n_used == (members & has_later).sum()
    assert a.n_used + b.n_used > sum(group.n_used for group in estimates.primary.groups), "the dead had values before"
    assert sum((found.left_out or {}).values()) == a.n + b.n - a.n_used - b.n_used


def test_survivors_bounds_count_the_dead_among_those_they_rest_on(estimates: Estimates) -> None:
    found = of(estimates, "alc-29-survivors")
    n_dead = (estimates.primary.left_out or {})["dead"]
    assert sum(g.n_used for g in found.groups) == sum(g.n_used for g in estimates.primary.groups) + n_dead
    assert sum(g.n for g in found.groups) == sum(g.n_used for g in found.groups) + sum((found.left_out or {}).values())


def test_a_p_value_stands_beside_the_day_it_is_of(estimates: Estimates) -> None:
    """The test of a difference by a day rejects where its interval leaves out 0; the test of the curves stands once."""
    found = [of(estimates, f"infection-{day}") for day in (28, 42, 90)]
    assert len({a.p_value for a in found}) > 1
    for a in found:
        assert a.p_value is not None
        assert a.value is not None
        assert a.upper is not None
        se = (a.upper - a.value) / 1.959963984540054
        assert a.p_value == pytest.approx(math.erfc(abs(a.value) / se / math.sqrt(2.0)), rel=1e-9)
    assert [sum("Gray" in note for note in a.notes) for a in found] == [0, 0, 1]


def test_patients_used_and_left_out_close(whole_trial: Rehearsed, estimates: Estimates) -> None:
    for found in estimates.answers:
        if found.method == "ancova":
            assert sum(g.n for g in found.groups) == sum(g.n_used for g in found.groups) + sum(
                (found.left_out or {}).values()
            )


def test_each_group_s_share_of_adverse_events_counts_subjects_once(
    whole_trial: Rehearsed, estimates: Estimates
) -> None:
    for row in estimates.description.events:
        assert max(row.n_severe, row.n_related, row.n_serious) <= row.n_subjects <= row.n
        assert row.lower <= row.share <= row.upper


def test_a_condition_is_told_with_what_was_found(whole_trial: Rehearsed) -> None:
    from sevenfold.protocol.plan import OnlyIf

    protocol = whole_trial.file.protocol
    planned = protocol.analyses[0]
    for share, holds in ((0.01, True), (50.0, False)):
        only_if = OnlyIf.model_construct(group="placebo", endpoint="alc-fold-42", rise_at_least=share)
        found = answer(planned.model_copy(update={"only_if": only_if}), whole_trial.cohort, protocol, 1)
        assert found.condition is not None
        assert found.condition[1] is holds
        assert "Placebo rose by" in found.condition[0]


def test_an_empty_group_is_a_status_and_not_a_nan(whole_trial: Rehearsed) -> None:
    """Everybody on CYT107: no comparison, said in words."""
    cohort = whole_trial.cohort
    assignment = dataclasses.replace(cohort.revealed(), arm=np.zeros_like(cohort.revealed().arm))
    alone: Cohort = dataclasses.replace(cohort, assignment=assignment)
    for planned in whole_trial.file.protocol.analyses:
        if planned.method in ("ancova", "exact unconditional test", "repeated measures"):
            found = answer(planned, alone, whole_trial.file.protocol, 1)
            assert found.status is not Status.OK, planned.estimand
            assert found.value is None


def test_what_is_put_in_is_never_called_predicted(whole_trial: Rehearsed, estimates: Estimates) -> None:
    """The folds were calibrated on; the report must not read agreement as confirmation."""
    protocol = whole_trial.file.protocol
    made = compare("IRIS-7", measures(estimates, whole_trial.cohort, protocol))
    readings = {c.figure.id: c.reading for c in made}
    for name in ("iris7_fold_alc", "iris7_fold_cd4", "iris7_fold_cd8"):
        assert readings[name] is Reading.CALIBRATED
    assert readings["iris7_cytokine_storm"] is Reading.ASSUMED
    assert readings["iris7_n_total"] is Reading.DESIGN
    folds = [c for c in made if c.figure.id == "iris7_fold_alc"]
    assert len(folds) == 4, "against baseline and against placebo, at days 29 and 42"
    for c in folds:
        assert c.measure is not None
        assert c.measure.value is not None
        is_inside = 3.0 <= c.measure.value <= 4.0
        assert (c.agreement is Agreement.INSIDE) == is_inside
