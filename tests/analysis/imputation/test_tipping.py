"""The tipping point: shifts move the estimate in proportion, and the point found is where p crosses alpha."""

import numpy as np
import pytest
from imputation_cases import ANALYSIS, SMALL, antidepressant, jump, small_trial

from sevenfold.analysis.effect import Status
from sevenfold.analysis.imputation import Assumption, ConditionalMean, Courses, MultipleImputation, TippingPoint
from sevenfold.analysis.imputation.completion import ImputationFit, Imputer
from sevenfold.errors import InvalidDesign, NotConverged

CONDITIONAL = ConditionalMean(model=jump(reference="control"), analysis=SMALL)
MULTIPLE = MultipleImputation(model=jump(reference="control"), analysis=SMALL, n=20, seed=3)


@pytest.mark.parametrize("estimator", [CONDITIONAL, MULTIPLE])
def test_a_shift_moves_the_estimate_in_proportion(estimator: Imputer) -> None:
    """The analysis is linear in the response: without covariates by the shift times the share imputed in the arm."""
    full = small_trial()
    courses = Courses(
        response=full.response, arm=full.arm, visits=full.visits, event=full.event, first_after=full.first_after
    )
    made = estimator.complete(courses)
    assert not isinstance(made, ImputationFit)
    plain = made.analysed().effect("effect", "3").estimate
    active = courses.arm == "active"
    share = (~courses.is_seen[active, 2]).mean()
    for by in (-2.0, 0.5, 7.0):
        shifted = made.analysed({"active": by})
        assert shifted.effect("effect", "3").estimate == pytest.approx(plain + by * share, rel=1e-10)
        assert dict(shifted.shift) == {"active": by}
    both = made.analysed({"active": 1.0, "control": 1.0}).effect("effect", "3").estimate
    other = (~courses.is_seen[~active, 2]).mean()
    assert both == pytest.approx(plain + share - other, rel=1e-10)


@pytest.mark.parametrize("estimator", [CONDITIONAL, MULTIPLE])
def test_at_the_tipping_point_p_is_alpha(estimator: Imputer) -> None:
    """Just before it the conclusion stands, there it does not."""
    courses = small_trial(n=60, effect=3.0)
    tipping = TippingPoint(
        estimator=estimator,
        contrast="effect",
        visit="3",
        along={"active": -1.0},
        farthest=20.0,
        grid={"active": (0.0, -1.0, -2.0), "control": (0.0, 1.0)},
    )
    fit = tipping.fit(courses)
    assert fit.fit.is_ok
    assert fit.unshifted is not None
    assert fit.unshifted.is_significant
    made = estimator.complete(courses)
    assert not isinstance(made, ImputationFit)
    at = fit.tipping_shift["active"]
    assert not fit.is_unmoved
    assert fit.at is not None
    assert fit.at.told == made.analysed({"active": at}).effect("effect", "3")
    assert made.analysed({"active": at}).effect("effect", "3").p_value == pytest.approx(0.05, abs=1e-4)
    assert made.analysed({"active": at + 1e-3}).effect("effect", "3").p_value <= 0.05
    assert made.analysed({"active": at - 1e-3}).effect("effect", "3").p_value > 0.05
    assert [tuple(row.shift.values()) for row in fit.rows] == [
        (0.0, 0.0),
        (0.0, 1.0),
        (-1.0, 0.0),
        (-1.0, 1.0),
        (-2.0, 0.0),
        (-2.0, 1.0),
    ]
    for row in fit.rows:
        assert row.told == made.analysed(row.shift).effect("effect", "3")
        assert row.told is not None
        assert row.is_significant == (row.told.p_value <= 0.05)


def test_the_antidepressant_trial_tips_where_its_rows_change() -> None:
    """The published p = 0.013 under jump to reference (see test_imputation_published.py) is lost once the drug's unseen
    patients do worse still by some points; the table's rows on either side of the point agree with it.
    """
    fit = TippingPoint(
        estimator=ConditionalMean(model=jump(), analysis=ANALYSIS),
        contrast="trt",
        visit="7",
        along={"DRUG": 1.0},
        farthest=20.0,
        grid={"DRUG": tuple(float(by) for by in range(7))},
    ).fit(antidepressant())
    assert fit.unshifted is not None
    assert fit.unshifted.told is not None
    assert fit.unshifted.told.p_value == pytest.approx(0.013, abs=6e-4)
    assert [row.is_significant for row in fit.rows] == [by < fit.tipping_shift["DRUG"] for by in range(7)]
    assert 0 < fit.tipping_shift["DRUG"] < 6


def test_where_nothing_tips_there_is_a_status_and_still_a_table() -> None:
    """A direction that strengthens the effect never tips it, and asking for the point says so."""
    fit = TippingPoint(
        estimator=CONDITIONAL,
        contrast="effect",
        visit="3",
        along={"active": 1.0},
        farthest=1.0,
        grid={"active": (0.0, 1.0)},
    ).fit(small_trial(n=60, effect=3.0))
    assert fit.fit.status is Status.NOT_ESTIMABLE
    assert fit.is_unmoved
    assert len(fit.rows) == 2
    with pytest.raises(NotConverged, match="stays significant"):
        _ = fit.tipping_shift


def test_an_imputation_that_failed_gives_its_status() -> None:
    """Six patients: no model, no table, no point."""
    fit = TippingPoint(
        estimator=CONDITIONAL, contrast="effect", visit="3", along={"active": 1.0}, farthest=1.0, grid={}
    ).fit(small_trial(n=6, has_gaps=False))
    assert not fit.fit.is_ok
    assert not fit.is_unmoved
    assert fit.rows == ()
    assert fit.unshifted is None


def test_a_search_without_direction_is_refused() -> None:
    """A direction that shifts no arm, or of none, can't find a point."""
    for along, farthest in (({"active": 0.0}, 1.0), ({"active": 1.0}, 0.0), ({"active": 1.0}, np.inf)):
        with pytest.raises(InvalidDesign, match="direction"):
            TippingPoint(estimator=CONDITIONAL, contrast="effect", visit="3", along=along, farthest=farthest, grid={})


def test_shifts_ask_nothing_of_observed_values() -> None:
    """With nothing missing no shift changes anything."""
    courses = small_trial(missing=0.0, has_gaps=False)
    made = ConditionalMean(model=jump(Assumption.MISSING_AT_RANDOM, "control"), analysis=SMALL).complete(courses)
    assert not isinstance(made, ImputationFit)
    assert made.analysed({"active": 100.0}).effect("effect", "3") == made.analysed().effect("effect", "3")
