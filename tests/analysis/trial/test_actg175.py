"""ACTG 175 through its protocol and mapping, each number against an independent program on the same data.

The data set holds 2,139 of the trial's patients, so Hammer et al. 1996 gives the direction only: every alternative was
better than zidovudine alone.
"""

import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sevenfold.analysis.rank_sum import hodges_lehmann, van_elteren
from sevenfold.analysis.trial.analyse import analyse
from sevenfold.analysis.trial.estimates import Answer, Estimates
from sevenfold.cohort.from_frame import from_frame
from sevenfold.cohort.imported.mapping import load_mapping
from sevenfold.protocol.load import load

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "datasets" / "rct" / "ACTG175.csv.gz"
EXAMPLE = ROOT / "examples" / "actg-175"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the data sets from elsewhere are not beside the project")


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return pl.read_csv(DATA, null_values=["", "NA"])


@pytest.fixture(scope="module")
def estimates() -> Estimates:
    """The example's own plan but for the imputation, which its own tests cover."""
    protocol = load(str(EXAMPLE / "protocol.yaml")).protocol
    analyses = tuple(one for one in protocol.analyses if one.assumption is None)
    protocol = protocol.model_copy(update={"analyses": analyses})
    cohort, _ = from_frame(DATA, load_mapping(EXAMPLE / "mapping.yaml")[0], protocol)
    return analyse(cohort, None, protocol, 1)


def _of(estimates: Estimates, name: str, method: str) -> Answer:
    return next(answer for answer in estimates.answers if (answer.estimand, answer.method) == (name, method))


ARMS = {"cd4-20": None, "cd4-20-ddi": 3, "cd4-20-zdv-ddi": 1, "cd4-20-zdv-zal": 2}


@pytest.mark.parametrize("name", ARMS)
def test_the_change_of_cd4_is_that_of_least_squares(name: str, frame: pl.DataFrame, estimates: Estimates) -> None:
    """statsmodels: ordinary least squares on the arm, the baseline and the stratum; rounding apart."""
    import statsmodels.api as sm

    chosen = frame if ARMS[name] is None else frame.filter(pl.col("arms").is_in([0, ARMS[name]]))
    active = (chosen["arms"] != 0).to_numpy().astype(float)
    strata = [(chosen["strat"] == level).to_numpy().astype(float) for level in (2, 3)]
    x = np.column_stack([np.ones(len(active)), active, chosen["cd40"].to_numpy(), *strata])
    fit = sm.OLS((chosen["cd420"] - chosen["cd40"]).to_numpy(), x).fit()
    answer = _of(estimates, name, "ancova")
    low, high = fit.conf_int()[1]
    assert (answer.value, answer.lower, answer.upper) == pytest.approx((fit.params[1], low, high), rel=1e-8)
    assert answer.p_value == pytest.approx(fit.pvalues[1], rel=1e-5)
    assert (answer.value or 0.0) > 0.0, "better than zidovudine alone (direction: Hammer et al. 1996)"


def test_the_ratio_of_cd4_leaves_out_counts_of_0(frame: pl.DataFrame, estimates: Estimates) -> None:
    """Statsmodels on logarithms; three counts of 0 have no ratio and are told."""
    import statsmodels.api as sm

    kept = frame.filter((pl.col("cd40") > 0) & (pl.col("cd420") > 0))
    strata = [(kept["strat"] == level).to_numpy().astype(float) for level in (2, 3)]
    base = np.log(kept["cd40"].to_numpy())
    x = np.column_stack([np.ones(kept.height), (kept["arms"] != 0).to_numpy().astype(float), base, *strata])
    fit = sm.OLS(np.log(kept["cd420"].to_numpy()) - base, x).fit()
    answer = _of(estimates, "cd4-20-ratio", "ancova")
    assert answer.value == pytest.approx(np.exp(fit.params[1]), rel=1e-8)
    assert answer.left_out == {"a value of 0 has no ratio": frame.height - kept.height}


def test_hazards_are_those_of_lifelines(frame: pl.DataFrame, estimates: Estimates) -> None:
    """Cox with Efron's ties, adjusted and stratified. lifelines stops at a relative step of 1e-7."""
    import pandas as pd
    from lifelines import CoxPHFitter
    from lifelines.statistics import logrank_test

    columns = ["days", "cens", "arms", "strat", "age", "symptom", "karnof"]
    data = pd.DataFrame({name: frame[name].to_list() for name in columns})
    data["active"] = (data.pop("arms") != 0).astype(int)
    with warnings.catch_warnings():  # its own, of versions of pandas that it was not written for
        warnings.simplefilter("ignore")
        stratified = CoxPHFitter().fit(data[["days", "cens", "active", "strat"]], "days", "cens", strata=["strat"])
        adjusted = CoxPHFitter().fit(
            pd.get_dummies(data, columns=["strat"], drop_first=True, dtype=float), "days", "cens"
        )
        plain = [part for _, part in data.groupby("strat")]
        a, b = (data[data.active == group] for group in (1, 0))
        unstratified = logrank_test(a.days, b.days, a.cens, b.cens)
    answer = _of(estimates, "progression", "log-rank")
    assert np.log(answer.value or 0.0) == pytest.approx(stratified.params_["active"], rel=1e-5)
    assert answer.p_value == pytest.approx(_log_rank(plain), rel=1e-6)
    assert answer.p_value == pytest.approx(float(unstratified.p_value), rel=1.0), "of the order of the unstratified"
    cox = _of(estimates, "progression", "proportional hazards")
    assert np.log(cox.value or 0.0) == pytest.approx(adjusted.params_["active"], rel=1e-5)
    half = (np.log(cox.upper or 0.0) - np.log(cox.lower or 0.0)) / 2.0 / 1.959963985
    assert half == pytest.approx(adjusted.standard_errors_["active"], rel=1e-5)
    for name in ("progression-ddi", "progression-zdv-ddi", "progression-zdv-zal"):
        assert (_of(estimates, name, "log-rank").upper or 9.0) < 1.0, (
            "better than zidovudine alone (Hammer et al. 1996)"
        )


def _log_rank(strata: list) -> float:  # type: ignore[type-arg]
    """Slow and obvious: observed less expected and its hypergeometric variance, summed over strata."""
    from scipy.stats import chi2

    score = variance = 0.0
    for part in strata:
        for day in np.unique(part.days[part.cens == 1]):
            at_risk = part.days >= day
            n, n_active = at_risk.sum(), (at_risk & (part.active == 1)).sum()
            died = (part.days == day) & (part.cens == 1)
            d, d_active = died.sum(), (died & (part.active == 1)).sum()
            score += d_active - d * n_active / n
            if n > 1:
                variance += d * (n_active / n) * (1 - n_active / n) * (n - d) / (n - 1)
    return float(chi2.sf(score**2 / variance, 1))


def test_days_free_of_progression_are_the_area_under_kaplan_meier(frame: pl.DataFrame, estimates: Estimates) -> None:
    """Lifelines' curve, its area up to day 900 summed here."""
    from lifelines import KaplanMeierFitter

    areas = []
    for is_active in (True, False):
        part = frame.filter((pl.col("arms") != 0) == is_active)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            curve = KaplanMeierFitter().fit(part["days"].to_list(), part["cens"].to_list()).survival_function_
        days = curve.index.to_numpy()
        inside = days < 900
        edges = np.append(days[inside], 900.0)
        areas.append(float((curve.to_numpy()[inside, 0] * np.diff(edges)).sum()))
    answer = _of(estimates, "days-free", "restricted mean")
    assert answer.value == pytest.approx(areas[0] - areas[1], rel=1e-9)


def test_ranks_are_van_elterens_and_the_interval_inverts_the_test(frame: pl.DataFrame, estimates: Estimates) -> None:
    """Just within each limit the test keeps the shift, just beyond it rejects it."""
    answer = _of(estimates, "cd4-20-shift", "stratified rank sum")
    y = (frame["cd420"] - frame["cd40"]).to_numpy().astype(float)
    active, strata = (frame["arms"] != 0).to_numpy(), frame["strat"].cast(pl.String).to_numpy()
    assert answer.p_value == pytest.approx(van_elteren(y, active, strata).test.p_value, rel=1e-9)
    for limit, outward in ((answer.lower or 0.0, -1.0), (answer.upper or 0.0, 1.0)):
        kept = van_elteren(y - (limit - 0.5 * outward) * active, active, strata).test.p_value
        rejected = van_elteren(y - (limit + 0.5 * outward) * active, active, strata).test.p_value
        assert kept > 0.05 >= rejected


def test_a_shift_without_strata_is_the_median_of_all_differences() -> None:
    """Hodges and Lehmann's own definition, and every candidate tried for the limits."""
    rng = np.random.default_rng(3)
    y, active = rng.normal(size=31).round(2), rng.random(31) < 0.5
    found = hodges_lehmann(y + 0.4 * active, active)
    shifted = y + 0.4 * active
    differences = np.subtract.outer(shifted[active], shifted[~active]).ravel()
    assert found.estimate == pytest.approx(np.median(differences), abs=1e-12)
    steps = np.unique(differences)
    between = (steps[1:] + steps[:-1]) / 2.0
    kept = [van_elteren(shifted - shift * active, active).test.p_value > 0.05 for shift in between]
    inside = np.flatnonzero(kept)
    assert found.interval.lower == pytest.approx(steps[inside[0]], abs=1e-12)
    assert found.interval.upper == pytest.approx(steps[inside[-1] + 1], abs=1e-12)
