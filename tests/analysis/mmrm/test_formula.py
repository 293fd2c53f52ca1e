"""The model that a formula describes, against arrays, against SAS and between kinds of data frames."""

import numpy as np
import polars as pl
import pytest
from mmrm_cases import DATASETS

from sevenfold.analysis.mmrm import Covariate, Factor, Margins, Mmrm, formula_model, trial_model
from sevenfold.errors import InvalidDesign, InvalidInput

FORMULA = "FEV1 ~ RACE + SEX + ARMCD * AVISIT"


@pytest.fixture(scope="module")
def fev() -> pl.DataFrame:
    """Simulated lung function of 200 patients at four visits, as R's package mmrm has it."""
    path = DATASETS / "fev_data.csv"
    if not path.exists():
        pytest.skip("the data sets from elsewhere are not beside the project")
    return pl.read_csv(path, null_values=["", "NA"])


def test_the_difference_at_visit_4_is_that_of_sas(fev: pl.DataFrame) -> None:
    """SAS PROC MIXED, ddfm=kr, unstructured: standard error 1.6934 (R mmrm's default gives 1.6585); four decimals."""
    model = formula_model(FORMULA, fev, subject="USUBJID", visit="AVISIT")
    found = Mmrm().fit(model.data).contrast(model.difference("ARMCD", "TRT", "PBO", AVISIT="VIS4"), "arm")
    assert found.se == pytest.approx(1.6934, abs=5e-5)


def test_a_formula_gives_what_arrays_give(fev: pl.DataFrame) -> None:
    """Two ways to the same least-squares means and differences, equal weights over factors."""
    model = formula_model(FORMULA + " + FEV1_BL", fev, subject="USUBJID", visit="AVISIT")
    arms, visits = ("PBO", "TRT"), ("VIS1", "VIS2", "VIS3", "VIS4")

    def codes(name: str, levels: tuple[str, ...]) -> list[int]:
        return [levels.index(word) for word in fev[name]]

    races, sexes = tuple(sorted(set(fev["RACE"]))), tuple(sorted(set(fev["SEX"])))
    arrays = trial_model(
        fev["FEV1"].to_numpy(),
        subject=fev["USUBJID"].rank("dense").to_numpy().astype(int),
        arm=codes("ARMCD", arms),
        visit=codes("AVISIT", visits),
        arms=arms,
        visits=visits,
        covariates=[
            Factor(name="RACE", values=codes("RACE", races), levels=races),
            Factor(name="SEX", values=codes("SEX", sexes), levels=sexes),
            Covariate(name="FEV1_BL", values=fev["FEV1_BL"].to_numpy()),
        ],
        margins=Margins.EQUAL,
    )
    ours, theirs = Mmrm().fit(model.data), Mmrm().fit(arrays.data)
    for arm in arms:
        for visit in visits:
            one = ours.contrast(model.mean(ARMCD=arm, AVISIT=visit), "mean")
            other = theirs.contrast(arrays.mean(arm, visit), "mean")
            assert (one.estimate, one.se, one.df) == pytest.approx((other.estimate, other.se, other.df), rel=1e-6)


def test_polars_and_pandas_give_the_same(fev: pl.DataFrame) -> None:
    """The same numbers reach the same arrays."""
    import pandas as pd

    other = pd.DataFrame({name: fev[name].to_list() for name in fev.columns})
    one = formula_model(FORMULA, fev, subject="USUBJID", visit="AVISIT")
    two = formula_model(FORMULA, other, subject="USUBJID", visit="AVISIT")
    assert one.data.columns == two.data.columns
    np.testing.assert_array_equal(one.data.design, two.data.design)
    np.testing.assert_array_equal(one.data.response, two.data.response)
    np.testing.assert_array_equal(one.data.subject, two.data.subject)


def test_an_order_of_categories_is_kept(fev: pl.DataFrame) -> None:
    """The first level is the reference, and the order of rows does not matter."""
    turned = fev.with_columns(pl.col("ARMCD").cast(pl.Enum(["TRT", "PBO"]))).sample(fraction=1.0, shuffle=True, seed=1)
    model = formula_model(FORMULA, turned, subject="USUBJID", visit="AVISIT")
    assert model.levels["ARMCD"] == ("TRT", "PBO")
    plain = formula_model(FORMULA, fev, subject="USUBJID", visit="AVISIT")
    found = Mmrm().fit(model.data).contrast(model.difference("ARMCD", "TRT", "PBO", AVISIT="VIS4"), "arm")
    wanted = Mmrm().fit(plain.data).contrast(plain.difference("ARMCD", "TRT", "PBO", AVISIT="VIS4"), "arm")
    assert (found.estimate, found.se, found.df) == pytest.approx((wanted.estimate, wanted.se, wanted.df), rel=1e-6)


def test_rows_left_out_are_counted_by_reason(fev: pl.DataFrame) -> None:
    """263 of 800 have no response; taking a covariate from ten that have one leaves these out for it."""
    holed = fev.with_columns(
        pl.when(pl.col("FEV1").is_not_null().cum_sum() <= 10).then(None).otherwise(pl.col("WEIGHT")).alias("WEIGHT")
    )
    n_before = int(fev["FEV1"].is_null().sum())
    counts = formula_model("FEV1 ~ ARMCD * AVISIT + WEIGHT", holed, subject="USUBJID", visit="AVISIT").data.left_out
    assert {one.reason: one.n_observations for one in counts} == {
        "response missing": n_before,
        "covariate missing": 10,
    }


def test_a_main_effect_is_tested_at_equal_weights(fev: pl.DataFrame) -> None:
    """With one difference the joint F is the square of its t."""
    model = formula_model(FORMULA, fev, subject="USUBJID", visit="AVISIT")
    fit = Mmrm().fit(model.data)
    joint = fit.joint(model.equal("SEX"), "SEX")
    single = fit.contrast(model.difference("SEX", "Male", "Female"), "SEX")
    assert joint.statistic == pytest.approx(single.statistic**2, rel=1e-8)
    assert fit.joint(model.alike("ARMCD", "AVISIT"), "by visit").df_numerator == 3


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("FEV1 ~ ARMC * AVISIT", "no column 'ARMC'"),
        ("FEV1 ~ (", "is no formula"),
        ("~ ARMCD", "has no response"),
    ],
)
def test_what_is_wrong_with_a_formula_is_said(fev: pl.DataFrame, formula: str, said: str) -> None:
    with pytest.raises((InvalidInput, InvalidDesign), match=said):
        formula_model(formula, fev, subject="USUBJID", visit="AVISIT")


def test_a_level_that_is_not_there_is_named(fev: pl.DataFrame) -> None:
    model = formula_model(FORMULA, fev, subject="USUBJID", visit="AVISIT")
    with pytest.raises(InvalidInput, match="no level 'VIS5'"):
        model.mean(AVISIT="VIS5")
