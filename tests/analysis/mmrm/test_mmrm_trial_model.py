"""The usual trial model: its columns, its least-squares means and its differences, against averages done by hand."""

import numpy as np
import pytest

from sevenfold.analysis.mmrm import (
    CompoundSymmetry,
    Covariate,
    Factor,
    LeftOut,
    Margins,
    Mmrm,
    TrialModel,
    Unstructured,
    trial_model,
)
from sevenfold.errors import InvalidDesign, InvalidInput

VISITS = ("day 7", "day 28", "day 42")
SUBJECT, VISIT = (one.ravel() for one in np.indices((30, 3)))
ARM = SUBJECT % 3
AGE = np.random.default_rng(1).normal(60.0, 10.0, size=30)[SUBJECT]
SITE = (SUBJECT // 3) % 4 // 2 + (SUBJECT % 7 == 0)
RESPONSE = np.random.default_rng(2).normal(size=90) + 0.1 * AGE + ARM * VISIT


def made(margins: Margins = Margins.OBSERVED, changes: dict[str, object] | None = None) -> TrialModel:
    parts: dict[str, object] = {
        "response": RESPONSE,
        "subject": SUBJECT,
        "arm": ARM,
        "visit": VISIT,
        "arms": ("placebo", "low", "high"),
        "visits": VISITS,
        "covariates": (
            Covariate(name="age", values=AGE, is_by_visit=True),
            Factor(name="site", values=SITE, levels=("Paris", "Lyon", "Brest")),
        ),
        "margins": margins,
    }
    parts |= changes or {}
    return trial_model(parts.pop("response"), **parts)  # type: ignore[arg-type] # the keys are the arguments


def test_columns_are_in_reference_coding() -> None:
    """The first arm, visit and level are the references."""
    arms_by_visit = ("low", "high", "low × day 28", "low × day 42", "high × day 28", "high × day 42")
    covariates = ("age", "site Lyon", "site Brest", "age × day 28", "age × day 42")
    assert made().data.columns == ("intercept", "day 28", "day 42", *arms_by_visit, *covariates)


@pytest.mark.parametrize("margins", list(Margins))
def test_a_mean_is_the_average_prediction_over_the_margins(margins: Margins) -> None:
    """Two ways: the row, or the coefficients picked by hand."""
    model = made(margins)
    beta = np.random.default_rng(3).normal(size=len(model.data.columns))
    age, lyon, brest = model.data.design[:, 9].mean(), SITE == 1, SITE == 2
    shares = (lyon.mean(), brest.mean()) if margins is Margins.OBSERVED else (1.0 / 3.0, 1.0 / 3.0)
    expected = (
        beta[0] + beta[2] + beta[4] + beta[8] + age * (beta[9] + beta[13]) + shares[0] * beta[10] + shares[1] * beta[11]
    )
    assert model.mean("high", "day 42") @ beta == pytest.approx(expected)
    at_visits = [model.mean("high", visit) @ beta for visit in VISITS]
    assert model.mean("high") @ beta == pytest.approx(np.mean(at_visits))


def test_differences_do_not_depend_on_the_margins() -> None:
    """Covariates do not interact with arms."""
    for visit in (*VISITS, None):
        one, other = (made(margins).difference("high", "low", visit) for margins in Margins)
        assert one == pytest.approx(other)


def test_complete_data_without_covariates_have_their_cell_means() -> None:
    """Closed form: the least-squares mean is the mean of the arm at the visit."""
    model = made(changes={"covariates": ()})
    fit = Mmrm(covariance=Unstructured()).fit(model.data)
    for place, arm in enumerate(model.arms):
        for at, visit in enumerate(VISITS):
            cell = RESPONSE[(place == ARM) & (at == VISIT)].mean()
            assert fit.contrast(model.mean(arm, visit), f"{arm}, {visit}").estimate == pytest.approx(cell, rel=1e-9)


def test_missing_values_are_left_out_and_their_margins_with_them() -> None:
    """Margins are those of the measurements used."""
    response, age, site = RESPONSE.copy(), AGE.copy(), SITE.copy()
    response[5] = age[10] = np.nan
    site[20] = -1
    covariates = (
        Covariate(name="age", values=age),
        Factor(name="site", values=site, levels=("Paris", "Lyon", "Brest")),
    )
    model = made(changes={"response": response, "covariates": covariates})
    used = np.setdiff1d(np.arange(90), [5, 10, 20])
    assert model.data.left_out == (LeftOut("response missing", 1), LeftOut("covariate missing", 2))
    assert model.typical == pytest.approx([AGE[used].mean(), (SITE[used] == 1).mean(), (SITE[used] == 2).mean()])


def test_arms_are_the_groups() -> None:
    """So that ByGroup means by arm."""
    model = made()
    assert model.data.groups == model.arms
    assert model.data.group_of.tolist() == ARM.tolist()


def test_arm_by_visit_is_fitted_with_any_structure() -> None:
    """A row of the model is a contrast of the fit."""
    model = made()
    found = Mmrm(covariance=CompoundSymmetry()).fit(model.data).contrast(model.difference("high", "placebo"), "overall")
    assert found.estimate == pytest.approx(2.0, abs=4.0 * found.se)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arm": ARM + 1}, "arm must index its 3 names"),
        ({"visit": VISIT.astype(float)}, "visit must index its 3 names"),
        ({"covariates": (Covariate(name="age", values=AGE[:5]),)}, "Covariate 'age' has the shape"),
        (
            {"covariates": (Factor(name="site", values=SITE[:5], levels=("a", "b", "c")),)},
            "Factor 'site' has the shape",
        ),
        (
            {"covariates": (Factor(name="site", values=SITE, levels=("a", "b")),)},
            "factor 'site' must index its 2 names",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, object], message: str) -> None:
    """Each message names the thing."""
    with pytest.raises(InvalidInput, match=message):
        made(changes=changes)


def test_one_arm_is_no_trial() -> None:
    """There is nothing to compare."""
    with pytest.raises(InvalidDesign, match="at least two arms"):
        made(changes={"arms": ("placebo",), "arm": np.zeros(90, dtype=int)})


def test_a_name_that_is_none_is_refused() -> None:
    """With the names there are."""
    with pytest.raises(InvalidInput, match="no visit 'day 8'; there are 'day 7', 'day 28', 'day 42'"):
        made().mean("low", "day 8")
