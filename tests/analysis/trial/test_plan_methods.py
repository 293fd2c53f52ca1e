"""Methods of the plan on a small trial written out here, each against its estimator called by hand."""

from dataclasses import replace

import numpy as np
import pytest
from small_plans import small_cohort

from sevenfold.analysis.ancova import Ancova, Contrast
from sevenfold.analysis.effect import Status
from sevenfold.analysis.imputation import DROPOUT, Assumption, ConditionalMean, Courses, ImputationModel
from sevenfold.analysis.multiplicity import Graph, decide
from sevenfold.analysis.priority import Survived, Valued, win_statistics
from sevenfold.analysis.standardised import RiskVariance, Standardised
from sevenfold.analysis.trial.analyse import analyse
from sevenfold.analysis.trial.estimates import Answer, Estimates
from sevenfold.cohort.cohort import Cohort, Missing
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import parse
from sevenfold.protocol.protocol import Protocol

PROTOCOL = """
format: 1
name: small
title: A small trial
phase: "2"
aim: To try the plan's methods
registered_trials: [{id: S, registry: none, registry_id: S, country: France, sponsor: nobody}]
population:
  description: Adults
  planned: 40
  criteria: [{id: age, kind: inclusion, text: adults, rule: {number: age, at_least: 18 years}}]
variables:
  - {id: score, label: Score, kind: score, unit: points}
arms:
  - {id: drug, label: Drug, treatment: a drug}
  - {id: control, label: Control, treatment: nothing}
groups: {drug: [drug], control: [control]}
masking: {blind: [participant]}
randomisation: {ratio: {drug: 1, control: 1}, block_repeats: [2]}
schedule:
  visits:
    - {id: baseline, day: 1, assessments: [score]}
    - {id: week 4, day: 28, assessments: [score]}
    - {id: week 8, day: 56, assessments: [score]}
baseline: {visit: baseline}
endpoints:
  - {id: change-8, label: Change, change: score, visit: week 8}
  - {id: response, label: Response, responder: score, rise_at_least: 10 %, visit: week 8}
estimands:
  - {id: in-alive, label: A, role: primary, endpoint: change-8, analysis_set: randomised, compare: [drug, control], summary: difference of means, intercurrent: {death: in those alive}}
  - {id: jump, label: B, role: secondary, endpoint: change-8, analysis_set: randomised, compare: [drug, control], summary: difference of means, intercurrent: {death: hypothetical, withdrawal: treatment policy}}
  - {id: wins, label: C, role: secondary, endpoint: change-8, analysis_set: randomised, compare: [drug, control], summary: win ratio, intercurrent: {death: composite}}
  - {id: response, label: D, role: secondary, endpoint: response, analysis_set: randomised, compare: [drug, control], summary: difference of proportions, intercurrent: {death: composite}}
  - {id: shift, label: E, role: secondary, endpoint: change-8, analysis_set: randomised, compare: [drug, control], summary: shift of location, intercurrent: {death: in those alive}}
analyses:
  - {estimand: in-alive, method: ancova, covariates: [baseline]}
  - {estimand: jump, method: conditional mean imputation, assumption: jump to reference, covariates: [baseline]}
  - {estimand: wins, method: win ratio, better: lower}
  - {estimand: response, method: standardised logistic regression, covariates: [baseline]}
  - {estimand: shift, method: randomisation test}
multiplicity:
  procedure: graph
  estimands: [in-alive, jump, response]
  weights: {in-alive: 0.5, jump: 0.5}
  transitions: [{from: in-alive, to: jump, share: 1}, {from: jump, to: response, share: 1}]
"""


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return parse(PROTOCOL, "small.yaml").protocol


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return small_cohort()


@pytest.fixture(scope="module")
def estimates(protocol: Protocol, cohort: Cohort) -> Estimates:
    return analyse(cohort, None, protocol, 1)


def _of(estimates: Estimates, name: str) -> Answer:
    return next(answer for answer in estimates.answers if answer.estimand == name)


def test_imputation_is_the_estimator_called_by_hand(cohort: Cohort, estimates: Estimates) -> None:
    """The courses written out: those not seen at the end jump to the reference from the first visit not seen."""
    values = cohort.values["score"][0]
    base = cohort.baseline["score"][0]
    response = values[:, 1:] - base[:, None]
    seen = np.isfinite(response)
    first_after = np.array([2 if row[1] else 1 if row[0] else 0 for row in seen])
    arm = np.where(cohort.revealed().arm[0] == 0, "drug", "control")
    courses = Courses(
        response=response,
        arm=arm,
        visits=("week 4", "week 8"),
        event=np.where(first_after < 2, DROPOUT, ""),
        first_after=first_after,
        covariates={"baseline": base},
    )
    fit = ConditionalMean(
        model=ImputationModel(assumptions={DROPOUT: Assumption.JUMP_TO_REFERENCE}, reference="control"),
        analysis=Ancova(
            arms=("control", "drug"), contrasts=(Contrast(name="d", weights={"drug": 1.0, "control": -1.0}),)
        ),
    ).fit(courses)
    answer = _of(estimates, "jump")
    assert answer.status is Status.OK
    assert answer.value == pytest.approx(fit.effect("d", "week 8").estimate, rel=1e-12)
    assert answer.p_value == pytest.approx(fit.effect("d", "week 8").p_value, rel=1e-9)


def test_the_dead_lose_and_the_lower_value_wins(cohort: Cohort, estimates: Estimates) -> None:
    values, base = cohort.values["score"][0], cohort.baseline["score"][0]
    death = cohort.death_day[0]
    until = np.minimum(np.minimum(death, cohort.last_day[0]), 55.0)
    wins = win_statistics(
        (Survived.of(until, death <= until), Valued.of(values[:, 2] - base, is_higher_better=False)),
        cohort.revealed().arm[0] == 0,
    )
    answer = _of(estimates, "wins")
    assert answer.value == pytest.approx(wins.win_ratio().estimate, rel=1e-12)
    assert (answer.value or 0.0) > 1.0, "the drug lowers the score"
    assert any("Win odds" in note for note in answer.notes)


def test_standardised_risks_count_the_dead_as_no(cohort: Cohort, estimates: Estimates) -> None:
    values, base = cohort.values["score"][0], cohort.baseline["score"][0]
    dead = np.isfinite(cohort.death_day[0])
    known = np.isfinite(values[:, 2]) | dead
    rose = np.where(dead, False, values[:, 2] >= 1.1 * base)
    arm = np.where(cohort.revealed().arm[0] == 0, "drug", "control")
    fit = Standardised(arms=("drug", "control"), variance=RiskVariance.YE).fit(
        rose[known], arm[known], covariates={"baseline": np.log(base[known])}
    )
    answer = _of(estimates, "response")
    assert answer.value == pytest.approx(fit.difference("drug", "control").estimate, rel=1e-9)


def test_claims_follow_the_graph(estimates: Estimates) -> None:
    """The protocol's weights and transitions, written as the square that the estimator takes."""
    p = {name: _of(estimates, name).p_value or 1.0 for name in ("in-alive", "jump", "response")}
    graph = Graph(weights=(0.5, 0.5, 0.0), transitions=((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)))
    assert estimates.decisions == decide(graph, p)


def test_an_unknown_order_of_randomisation_bars_its_test(protocol: Protocol, cohort: Cohort) -> None:
    """Free shuffles would not be the trial's own scheme."""
    known = _of(analyse(cohort, None, protocol, 1), "shift")
    assert known.status is Status.OK
    unknown = _of(analyse(replace(cohort, is_in_order=False), None, protocol, 1), "shift")
    assert unknown.status is Status.NOT_ESTIMABLE
    assert any("order of randomisation" in note for note in unknown.notes)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("assumption: jump to reference, ", "", "needs its 'assumption'"),
        ("withdrawal: treatment policy", "withdrawal: hypothetical", "as 'treatment policy'"),
        ("method: win ratio, better: lower", "method: ancova", "would"),
        ("weights: {in-alive: 0.5, jump: 0.5}", "weights: {in-alive: 0.7, jump: 0.5}", "more than 1"),
        ("estimands: [in-alive, jump, response]", "estimands: [in-alive, jump, other]", "'response' is not among"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(before: str, after: str, said: str) -> None:
    assert before in PROTOCOL
    with pytest.raises(InvalidInput, match=said):
        parse(PROTOCOL.replace(before, after), "small.yaml")


def test_the_incidence_of_death_is_the_share_that_died(cohort: Cohort) -> None:
    """Nobody is lost before the day, so Aalen-Johansen is the plain share; nothing competes with death."""
    asked = PROTOCOL.replace(
        "estimands:\n",
        "  - {id: dead, label: Dead, event: death, by_day: 56}\nestimands:\n"
        "  - {id: dead, label: F, role: secondary, endpoint: dead, analysis_set: randomised, compare: [drug, control], "
        "summary: difference of proportions, intercurrent: {death: composite}}\n",
        1,
    ).replace("analyses:\n", "analyses:\n  - {estimand: dead, method: cumulative incidence}\n", 1)
    found = _of(analyse(cohort, None, parse(asked, "small.yaml").protocol, 1), "dead")
    is_dead, is_drug = np.isfinite(cohort.death_day[0]), cohort.revealed().arm[0] == 0
    assert found.value == pytest.approx(is_dead[is_drug].mean() - is_dead[~is_drug].mean(), abs=1e-12)
    assert [group.n_events for group in found.groups] == [int(is_dead[is_drug].sum()), int(is_dead[~is_drug].sum())]
    assert not any("competes" in note for note in found.notes)


def test_who_missed_a_visit_and_stayed_is_not_imputed_by_reference(protocol: Protocol, cohort: Cohort) -> None:
    """A completer whose last value is missing is missing at random: turning leavers into such changes the answer."""
    codes = cohort.missing["score"].copy()
    codes[codes == Missing.WITHDRAWN] = int(Missing.MISSED)  # the two dead are left as those who left
    stayed = replace(cohort, missing={"score": codes})
    one, other = (_of(analyse(it, None, protocol, 1), "jump") for it in (cohort, stayed))
    assert one.value != pytest.approx(other.value, abs=1e-3)


def test_a_number_is_no_stratum() -> None:
    with pytest.raises(InvalidInput, match="'age' is a number; strata are"):
        parse(PROTOCOL.replace("method: win ratio,", "method: win ratio, covariates: [age],"), "small.yaml")
