"""The model that a formula describes, against arrays, against SAS and between kinds of data frames."""

import numpy as np
import polars as pl
import pytest
from mmrm_cases import DATASETS

from sevenfold.analysis.mmrm import Autoregressive, Covariate, Factor, Margins, Mmrm, formula_model, trial_model
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


def _at_visit_4(frame: object, formula: str, visit: str, level: str | float) -> tuple[float, float, float]:
    model = formula_model(formula, frame, subject="USUBJID", visit=visit)  # type: ignore[arg-type]
    found = Mmrm().fit(model.data).contrast(model.difference("ARMCD", "TRT", "PBO", **{visit: level}), "arm")
    return found.estimate, found.se, found.df


def test_a_category_of_numbers_is_a_factor(fev: pl.DataFrame) -> None:
    """Categories are factors, whatever their labels: taken as a number, the visit would be a straight line."""
    import pandas as pd

    other = pd.DataFrame({name: fev[name].to_list() for name in fev.columns})
    other["VISIT"] = pd.Categorical(other["AVISIT"].str[-1].astype(int))
    wanted = _at_visit_4(fev, FORMULA, "AVISIT", "VIS4")
    levels: tuple[str | float, ...] = (4, "4")
    for level in levels:
        found = _at_visit_4(other, FORMULA.replace("AVISIT", "VISIT"), "VISIT", level)
        assert found == pytest.approx(wanted, rel=1e-6)


def test_a_number_coded_as_a_factor_is_averaged_over_its_values(fev: pl.DataFrame) -> None:
    """The overall mean over visits is the same whether the visits are words or numbers under C(); at the mean of the
    numbers there would be no visit at all.
    """
    numbered = fev.with_columns(pl.col("AVISIT").str.slice(-1).cast(pl.Int64).alias("VISIT"))
    words = formula_model(FORMULA, fev, subject="USUBJID", visit="AVISIT")
    coded = formula_model(FORMULA.replace("AVISIT", "C(VISIT)"), numbered, subject="USUBJID", visit="VISIT")
    assert list(coded.levels["VISIT"]) == [1, 2, 3, 4]
    assert "VISIT" not in coded.typical
    wanted = Mmrm().fit(words.data).contrast(words.difference("ARMCD", "TRT", "PBO"), "arm")
    found = Mmrm().fit(coded.data).contrast(coded.difference("ARMCD", "TRT", "PBO"), "arm")
    assert (found.estimate, found.se, found.df) == pytest.approx((wanted.estimate, wanted.se, wanted.df), rel=1e-6)
    with pytest.raises(InvalidInput, match="no level 9"):
        coded.mean(VISIT=9)


def test_visits_follow_the_numbers_in_their_names(fev: pl.DataFrame) -> None:
    """Structures by distance read the order: in that of the alphabet week 12 would come first."""
    weeks = {"VIS1": "Week 2", "VIS2": "Week 4", "VIS3": "Week 8", "VIS4": "Week 12"}
    named = fev.with_columns(pl.col("AVISIT").replace_strict(weeks))
    model = formula_model(FORMULA, named, subject="USUBJID", visit="AVISIT")
    assert model.data.visits == tuple(weeks.values())
    plain = formula_model(FORMULA, fev, subject="USUBJID", visit="AVISIT")
    stated = named.with_columns(pl.col("AVISIT").cast(pl.Enum(sorted(weeks.values()))))
    assert formula_model(FORMULA, stated, subject="USUBJID", visit="AVISIT").data.visits == tuple(
        sorted(weeks.values())
    )
    fits = [Mmrm(covariance=Autoregressive()).fit(one.data) for one in (model, plain)]
    assert fits[0].criteria.deviance == pytest.approx(fits[1].criteria.deviance, rel=1e-9)


def test_a_covariate_may_be_centred(fev: pl.DataFrame) -> None:
    """It moves the intercept and no mean, and rows without it are counted as such."""
    holed = fev.with_columns(
        pl.when(pl.col("FEV1").is_not_null().cum_sum() <= 10).then(None).otherwise(pl.col("WEIGHT")).alias("WEIGHT")
    )
    fits = []
    for covariate in ("WEIGHT", "center(WEIGHT)"):
        model = formula_model(f"FEV1 ~ {covariate} + ARMCD * AVISIT", holed, subject="USUBJID", visit="AVISIT")
        assert [one.n_observations for one in model.data.left_out][1:] == [10]
        fits.append(Mmrm().fit(model.data).contrast(model.mean(ARMCD="TRT", AVISIT="VIS4"), "mean"))
    assert (fits[0].estimate, fits[0].se) == pytest.approx((fits[1].estimate, fits[1].se), rel=1e-8)


def test_decimals_are_numbers(fev: pl.DataFrame) -> None:
    """Databases hold amounts as decimals; four places move the estimate by less than they round."""
    exact = fev.with_columns(pl.col("FEV1").cast(pl.Decimal(10, 4)))
    found = _at_visit_4(exact, FORMULA, "AVISIT", "VIS4")
    assert found[0] == pytest.approx(_at_visit_4(fev, FORMULA, "AVISIT", "VIS4")[0], abs=1e-4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.col("FEV1").cast(pl.String), "holds words"),
        (pl.when(pl.col("FEV1").is_not_null()).then(float("inf")).alias("FEV1"), "USUBJID PT1, visit 'VIS2'"),
        (pl.lit(None, pl.String).alias("USUBJID"), "'USUBJID' is empty in row 0"),
        (pl.lit("VIS1").alias("AVISIT"), "USUBJID PT1 at visit 'VIS1'"),
    ],
)
def test_data_that_cannot_be_are_refused_by_name(fev: pl.DataFrame, change: pl.Expr, said: str) -> None:
    """A patient and a visit can be looked up; a row of what was left after leaving others out cannot."""
    with pytest.raises(InvalidInput, match=said):
        formula_model(FORMULA, fev.with_columns(change), subject="USUBJID", visit="AVISIT")
