"""ANCOVA against R (lm, sandwich, emmeans), statsmodels on ACTG 175, closed forms and its laws."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sevenfold.analysis.ancova import Ancova, Contrast, Scale, StandardError
from sevenfold.analysis.design_matrix import LeftOut, Margins
from sevenfold.analysis.effect import Status
from sevenfold.errors import InvalidDesign, InvalidInput, NotConverged

ROOT = Path(__file__).parents[2]
REFERENCE: dict[str, Any] = json.loads((ROOT / "tests/reference/analysis/analysis.json").read_text())["ancova"]
ACTG = ROOT.parent / "shared/datasets/rct/ACTG175.csv.gz"
DATA = REFERENCE["data"]
STRATUM = "strat"  # codespell:ignore strat
ACTIVE = Contrast(name="active", weights={"high": 0.5, "low": 0.5, "placebo": -1.0})
DOSE = Contrast(name="dose", weights={"high": 1.0, "low": -1.0})
ARMS = ("high", "low", "placebo")
TWO = Ancova(arms=("a", "b"), contrasts=(Contrast(name="a - b", weights={"a": 1.0, "b": -1.0}),))


@pytest.mark.parametrize("error", StandardError)
@pytest.mark.parametrize("scale", Scale)
def test_means_and_contrasts_agree_with_r(scale: Scale, error: StandardError) -> None:
    """R 4.2.2 lm, sandwich 3.0-2 vcovHC, emmeans 1.8.4 (tests/reference/analysis/analysis.R), 15 digits printed."""
    key = ("linear" if scale is Scale.IDENTITY else "log") + ("" if error is StandardError.CLASSICAL else "_hc3")
    known = REFERENCE[key]
    base = np.array(DATA["base"], dtype=float)
    fit = Ancova(arms=ARMS, contrasts=(ACTIVE, DOSE), scale=scale, standard_error=error).fit(
        DATA["count"],
        DATA["arm"],
        covariates={"baseline": np.log(base) if scale is Scale.LOG else base},
        factors={"sex": DATA["sex"]},
    )
    assert fit.fit.is_ok
    assert [m.estimate for m in fit.ls_means] == pytest.approx(known["mean"], rel=1e-11)
    assert [m.se for m in fit.ls_means] == pytest.approx(known["mean_se"], rel=1e-11)
    assert [e.estimate for e in fit.effects] == pytest.approx(known["contrast"], rel=1e-11)
    assert [e.se for e in fit.effects] == pytest.approx(known["contrast_se"], rel=1e-11)
    assert [e.p_value for e in fit.effects] == pytest.approx(known["p"], rel=1e-9)
    assert fit.effect("active").df == known["df"]


def test_means_over_observed_margins_agree_with_emmeans() -> None:
    """Weights 'proportional' in emmeans; contrasts don't move."""
    fits = [
        Ancova(arms=ARMS, contrasts=(ACTIVE,), margins=margins).fit(
            DATA["count"], DATA["arm"], covariates={"base": DATA["base"]}, factors={"sex": DATA["sex"]}
        )
        for margins in Margins
    ]
    observed = fits[list(Margins).index(Margins.OBSERVED)]
    assert [m.estimate for m in observed.ls_means] == pytest.approx(REFERENCE["observed_margins"], rel=1e-11)
    assert fits[0].effect("active").estimate == pytest.approx(fits[1].effect("active").estimate, rel=1e-12)


def test_without_covariates_it_is_students_t() -> None:
    """Closed form: equal variances, n - 2 degrees of freedom."""
    a, b = np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 2.0, 0.0])
    effect = TWO.fit([*a, *b], ["a"] * 3 + ["b"] * 4).effect("a - b")
    pooled = (2 * a.var(ddof=1) + 3 * b.var(ddof=1)) / 5
    assert effect.estimate == pytest.approx(a.mean() - b.mean(), rel=1e-14)
    assert effect.se == pytest.approx(np.sqrt(pooled * (1 / 3 + 1 / 4)), rel=1e-14)
    assert effect.df == 5.0


def test_hc3_of_two_arms_is_the_sum_of_jackknife_variances() -> None:
    """Closed form: h = 1/n in an arm, so HC3 gives s²/n · n²(n - 1)/(n(n - 1)²) = s²/(n - 1) per arm."""
    a, b = np.array([3.0, 5.0, 4.0, 9.0]), np.array([1.0, 2.0, 2.0, 0.0, 3.0])
    robust = Ancova(arms=("a", "b"), contrasts=TWO.contrasts, standard_error=StandardError.HC3)
    effect = robust.fit([*a, *b], ["a"] * 4 + ["b"] * 5).effect("a - b")
    assert effect.se == pytest.approx(np.sqrt(a.var(ddof=1) / 3 + b.var(ddof=1) / 4), rel=1e-13)


def _actg() -> pl.DataFrame:
    if not ACTG.exists():
        pytest.skip("shared/datasets/rct/ACTG175.csv.gz is not beside this checkout")
    return pl.read_csv(gzip.decompress(ACTG.read_bytes()), null_values=["NA", ""], infer_schema_length=3000)


@pytest.mark.parametrize("error", StandardError)
def test_cd4_of_actg_175_agrees_with_statsmodels(error: StandardError) -> None:
    """By statsmodels 0.15 OLS (tests/reference/analysis/actg175.py): change in CD4 to week 20, and its logarithm."""
    known = json.loads((ROOT / "tests/reference/analysis/actg175.json").read_text())
    key = "classical" if error is StandardError.CLASSICAL else "hc3"
    trial = _actg()
    names = ("0", "1", "2", "3")
    pooled = Contrast(name="active", weights={"1": 1 / 3, "2": 1 / 3, "3": 1 / 3, "0": -1.0})
    change = Ancova(arms=names, contrasts=(pooled,), standard_error=error).fit(
        trial["cd420"] - trial["cd40"],
        trial["arms"],
        covariates={"cd4": trial["cd40"], "age": trial["age"]},
        factors={"stratum": trial[STRATUM]},
    )
    told = change.effect("active")
    assert [told.estimate, told.se, told.p_value] == pytest.approx(known["change"][key], rel=1e-8)

    kept = trial.filter((pl.col("cd40") > 0) & (pl.col("cd420") > 0))
    logs = Ancova(arms=names, contrasts=(pooled,), scale=Scale.LOG, standard_error=error).fit(
        kept["cd420"], kept["arms"], covariates={"cd4": kept["cd40"].log()}, factors={"stratum": kept[STRATUM]}
    )
    told = logs.effect("active")
    assert sum(logs.n_used.values()) == known["log"]["n"]
    assert [told.estimate, told.se, told.p_value] == pytest.approx(known["log"][key], rel=1e-8)
    assert logs.ratio("active").estimate == pytest.approx(np.exp(known["log"][key][0]), rel=1e-10)


def test_who_is_left_out_is_counted_by_the_first_reason() -> None:
    """Counting: used and left out make up everybody."""
    fit = TWO.fit(
        [1.0, np.nan, 2.0, 4.0, np.nan, 3.0, 7.0],
        list("aaabbbb"),
        covariates={"baseline": [1.0, np.nan, 5.0, 2.0, 1.0, np.nan, 2.0]},
        factors={"site": ["x", "x", "", "x", "x", "x", "x"]},
    )
    assert fit.left_out == (
        LeftOut(reason="response not observed", n=2),
        LeftOut(reason="baseline not observed", n=1),
        LeftOut(reason="site not observed", n=1),
    )
    assert dict(fit.n_used) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("response", "arm", "covariate", "status"),
    [
        ([1.0, 2.0, 3.0], "abb", [1.0, 2.0, 4.0], Status.TOO_FEW),
        ([1.0, 2.0, 3.0, 5.0], "aabb", [1.0, 1.0, 2.0, 2.0], Status.SINGULAR),
        ([1.0, 2.0, np.nan, np.nan], "aabb", [1.0, 2.0, 2.0, 1.0], Status.NOT_ESTIMABLE),
        ([1.0, 1.0, 1.0, 1.0], "aabb", [1.0, 2.0, 2.0, 3.0], Status.NOT_ESTIMABLE),
    ],
)
def test_a_failed_fit_is_a_status_that_raises_when_asked(
    response: list[float], arm: str, covariate: list[float], status: Status
) -> None:
    """Nothing becomes nan."""
    fit = TWO.fit(response, list(arm), covariates={"x": covariate})
    assert fit.fit.status is status
    assert fit.effects == ()
    with pytest.raises(NotConverged):
        fit.effect("a - b")


def test_hc3_needs_two_patients_of_each_kind() -> None:
    """A lone patient has leverage 1 and no residual."""
    robust = Ancova(arms=("a", "b"), contrasts=TWO.contrasts, standard_error=StandardError.HC3)
    assert robust.fit([1.0, 2.0, 4.0, 3.0], list("abbb")).fit.status is Status.NOT_ESTIMABLE


def test_what_cannot_be_is_refused_with_the_way_out() -> None:
    """A wrong model can't be built, a wrong column is named."""
    with pytest.raises(InvalidDesign, match="sum to 0"):
        Contrast(name="x", weights={"a": 1.0})
    with pytest.raises(InvalidDesign, match="the arms are"):
        Ancova(arms=("a", "b"), contrasts=(Contrast(name="x", weights={"a": 1.0, "c": -1.0}),))
    with pytest.raises(InvalidInput, match="arms of this model"):
        TWO.fit([1.0, 2.0], ["a", "c"])
    with pytest.raises(InvalidInput, match="positions 1"):
        Ancova(arms=("a", "b"), contrasts=(), scale=Scale.LOG).fit([np.nan, 0.0, 2.0], ["a", "a", "b"])
    with pytest.raises(InvalidInput, match="not asked for"):
        TWO.fit([1.0, 2.0, 4.0], ["a", "b", "b"]).effect("b - a")


finite = st.floats(-50, 50).map(lambda x: round(x, 3))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("ab"), finite, finite), min_size=8, max_size=30),
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(0.01, 100),
    error=st.sampled_from(StandardError),
)
def test_laws(rows: list[tuple[str, float, float]], seed: int, scale: float, error: StandardError) -> None:
    """Reordering patients changes nothing, scaling scales, swapping the arms' names mirrors."""
    arm, y, x = (np.array(c) for c in zip(*rows, strict=True))
    model = Ancova(arms=("a", "b"), contrasts=TWO.contrasts, standard_error=error)
    fit = model.fit(y, arm, covariates={"x": x})
    order = np.random.default_rng(seed).permutation(len(y))
    others = (
        (model.fit(y[order], arm[order], covariates={"x": x[order]}), 1.0),
        (model.fit(scale * y, arm, covariates={"x": x}), scale),
        (model.fit(y, np.where(arm == "a", "b", "a"), covariates={"x": x}), -1.0),
    )
    assume(fit.fit.is_ok)
    effect = fit.effect("a - b")
    assume(effect.se > 1e-6 * np.abs(y).max())
    for other, factor in others:
        assert other.effect("a - b").estimate == pytest.approx(factor * effect.estimate, rel=1e-6, abs=1e-8 * scale)
        assert other.effect("a - b").se == pytest.approx(abs(factor) * effect.se, rel=1e-6)
