"""Predictions for a protocol, and of published figures."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from sevenfold.calibrate.draw import population_draw
from sevenfold.calibrate.evidence_file import evidence
from sevenfold.calibrate.experiments import Use
from sevenfold.calibrate.predict import Predicted, ProtocolPrediction, predict_protocol
from sevenfold.calibrate.published import Lies, _lies, mixture_quantiles, predict_published
from sevenfold.calibrate.shipped import about_shipped, shipped_posterior
from sevenfold.mechanism.il7 import il7_page
from sevenfold.population.sampling import centred
from sevenfold.protocol.load import load
from sevenfold.trial.icu.assumptions import shipped

FEW = replace(shipped_posterior("held out"), draws=shipped_posterior("held out").draws[:12])


@pytest.fixture(scope="module")
def iris7() -> ProtocolPrediction:
    return predict_protocol(load("iris-7").protocol, FEW)


def test_every_arm_visit_and_variable_is_predicted(iris7: ProtocolPrediction) -> None:
    assert {row.arm for row in iris7.rows} == {"high", "low", "placebo"}
    assert {row.variable for row in iris7.rows} == {"alc", "cd4", "cd8"}
    assert {29, 42, 90} <= {row.study_day for row in iris7.rows}
    assert iris7.entry_alc_at_most == 900.0
    assert (iris7.which, iris7.n_draws) == ("held out", 12)
    assert iris7.left_out == ()


def test_intervals_hold_their_median_and_grow_with_what_they_include(iris7: ProtocolPrediction) -> None:
    def width(one: Predicted) -> tuple[float, float]:
        return one.upper / one.lower, one.study_upper / one.study_lower

    for row in iris7.rows:
        for one in (row.over_baseline, row.over_control):
            if one is not None:
                assert one.study_lower <= one.median <= one.study_upper
                assert width(one)[0] <= width(one)[1] * 1.1
        patient = row.over_baseline
        assert patient.patient_lower is not None
        assert patient.patient_upper is not None
        assert patient.patient_upper / patient.patient_lower > patient.study_upper / patient.study_lower


def test_placebo_is_compared_with_nothing_and_more_injections_do_more(iris7: ProtocolPrediction) -> None:
    at = {(row.arm, row.variable, row.study_day): row for row in iris7.rows}
    assert at["placebo", "alc", 29].over_control is None
    high, low = at["high", "cd4", 29].over_control, at["low", "cd4", 29].over_control
    assert high is not None
    assert low is not None
    assert high.median > low.median > 1.0


def test_the_same_draws_give_the_same_digits_at_any_number_of_threads(iris7: ProtocolPrediction) -> None:
    assert predict_protocol(load("iris-7").protocol, FEW, threads=2) == iris7


def test_a_mixture_of_one_normal_has_its_quantiles() -> None:
    """41 points within a draw: the outer quantile is good to a per cent or two of a standard deviation."""
    low, middle, high = mixture_quantiles(np.array([1.0]), np.array([0.5]), (0.1, 0.5, 0.9))
    assert (low, middle, high) == pytest.approx(1.0 + 0.5 * norm.ppf([0.1, 0.5, 0.9]), abs=0.03)


@pytest.mark.parametrize(
    ("published", "low", "high", "lies"),
    [
        ((3.0, 4.0), 2.0, 5.0, Lies.INSIDE),
        ((3.0, 4.0), 3.2, 3.8, Lies.INSIDE),
        ((3.0, 4.0), 3.5, 6.0, Lies.PARTLY),
        ((3.0, 4.0), 4.5, 6.0, Lies.OUTSIDE),
        ((2.0, 2.0), 1.0, 3.0, Lies.INSIDE),
        ((2.0, 2.0), 2.5, 3.0, Lies.OUTSIDE),
        ((1.5, np.inf), 0.9, 2.0, Lies.INSIDE),
        ((1.5, np.inf), 0.5, 1.2, Lies.OUTSIDE),
        (None, 0.0, 1.0, Lies.IN_WORDS),
    ],
)
def test_where_a_published_value_lies(
    published: tuple[float, float] | None, low: float, high: float, lies: Lies
) -> None:
    assert _lies(published, low, high) is lies


def test_every_published_figure_is_predicted_by_both_posteriors() -> None:
    for which in ("held out", "all"):
        stated = about_shipped()[which]["predictions"]
        assert [one["figure"] for one in stated] == [one.id for one in evidence().experiments for _ in one.readings]
        for one in stated:
            assert one["study_lower"] <= one["median"] <= one["study_upper"], one


def test_covid_is_predicted_and_its_misfit_is_not_hidden() -> None:
    """ILIAD-7 saw no significant difference; the model, which knows no steroids, gives that little chance."""
    ours = evidence()
    figure = tuple(one for one in ours.of(Use.CHECK) if one.id == "iliad_alc")
    (one,) = predict_published(ours, figure, shipped_posterior("all").draws[:40])
    assert one.chance is not None
    assert one.chance < 0.2
    assert one.median > 1.3


def test_a_population_is_drawn_by_the_seed_and_fits_what_it_is_for() -> None:
    one, again = (population_draw(shipped_posterior("all"), 5) for _ in range(2))
    other = population_draw(shipped_posterior("all"), 6)
    assert one == again
    assert one.number != other.number
    page = centred(il7_page(), one.values)
    assert page.typical["clearance_l_per_day"] == one.values["clearance_l_per_day"]
    assumed = shipped().changed(one.assumptions)
    assert assumed.pool_at_entry_median == one.assumptions["pool_at_entry_median"]
    assert "posterior B" in one.words
