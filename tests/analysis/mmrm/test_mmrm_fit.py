"""What a fit answers when asked well or badly, and the estimators tried in order when one fails."""

import numpy as np
import pytest
from mmrm_cases import simulated

from sevenfold.analysis.effect import Status
from sevenfold.analysis.mmrm import (
    PRESPECIFIED,
    Autoregressive,
    BetweenWithin,
    ByGroup,
    CompoundSymmetry,
    Empirical,
    JointTest,
    Longitudinal,
    Mmrm,
    Satterthwaite,
    Toeplitz,
    Unstructured,
    fit_with_fallback,
)
from sevenfold.errors import InvalidDesign, InvalidInput, NotConverged

DATA = simulated(seed=71).data
N_COLUMNS = len(DATA.columns)


def never_together() -> Longitudinal:
    """Visits 1 and 4 have no patient in common."""
    data = simulated(seed=72, n_patients=60, fraction_missing=0.0).data
    kept = ~((data.subject % 4 < 2) & (data.visit == 0)) & ~((data.subject % 4 >= 2) & (data.visit == 3))
    return Longitudinal(
        data.response[kept],
        data.design[kept],
        columns=data.columns,
        subject=data.subject[kept],
        visit=data.visit[kept],
        visits=data.visits,
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (np.ones(3), "each row needs one number for each of the 9 columns"),
        (np.zeros(9), "all zero or not finite"),
        (np.full(9, np.nan), "all zero or not finite"),
        (np.eye(9)[:2], "A contrast is one row, got 2"),
    ],
)
def test_a_contrast_that_asks_nothing_is_refused(
    row: np.ndarray[tuple[int, ...], np.dtype[np.float64]], message: str
) -> None:
    """Each message names the contrast."""
    with pytest.raises(InvalidInput, match=message):
        Mmrm().fit(DATA).contrast(row, "strange")


def test_settings_read_as_words() -> None:
    """For the line below a table."""
    settings = Mmrm(
        covariance=ByGroup(Toeplitz(is_heterogeneous=True)), freedom=BetweenWithin(), empirical=Empirical.CR2
    )
    assert settings.label == "heterogeneous Toeplitz by group, REML, between-within, CR2 sandwich"
    assert Mmrm().label == "unstructured, REML, Kenward-Roger"


def test_infinite_freedom_is_a_chi_squared_test() -> None:
    """F·q on q degrees of freedom."""
    joint = JointTest(contrast="", statistic=2.0, df_numerator=3, df_denominator=np.inf, scale=1.0)
    nearly = JointTest(contrast="", statistic=2.0, df_numerator=3, df_denominator=1e9, scale=1.0)
    assert joint.p_value == pytest.approx(nearly.p_value, rel=1e-6)


def test_first_estimator_is_used_where_it_converges() -> None:
    """Nothing failed, and the account says what was used."""
    found = fit_with_fallback(DATA)
    assert found.fit.settings is PRESPECIFIED[0]
    assert found.failed == ()
    assert found.account == ("unstructured, REML, Kenward-Roger: ok",)


def test_next_estimator_is_used_where_the_first_fails_and_the_reason_is_kept() -> None:
    """Unstructured and Toeplitz need visits 1 and 4 together; an autoregression does not."""
    found = fit_with_fallback(never_together())
    assert found.fit.is_ok
    assert found.fit.settings.covariance == Autoregressive(is_heterogeneous=True)
    assert [one.status for one in found.failed] == [Status.NOT_ESTIMABLE, Status.NOT_ESTIMABLE]
    assert "UN(4,1)" in found.account[0]
    assert "TOEPH(3)" in found.account[1]
    assert found.account[2].endswith("ok")


def test_last_estimator_comes_with_a_sandwich() -> None:
    """Compound symmetry with CR2 and the degrees of freedom of Bell and McCaffrey."""
    found = fit_with_fallback(never_together(), attempts=(PRESPECIFIED[0], PRESPECIFIED[-1]))
    assert found.fit.settings == Mmrm(covariance=CompoundSymmetry(), freedom=Satterthwaite(), empirical=Empirical.CR2)
    row = np.eye(N_COLUMNS)[4]
    assert 1.0 < found.fit.contrast(row, "arm").df < 60.0


def test_where_all_fail_the_last_failure_is_returned() -> None:
    """A status still, with every reason."""
    found = fit_with_fallback(never_together(), attempts=(Mmrm(), Mmrm(covariance=Toeplitz())))
    assert not found.fit.is_ok
    assert len(found.failed) == 1
    assert len(found.account) == 2


def test_no_attempts_are_refused() -> None:
    """There must be an estimator."""
    with pytest.raises(InvalidDesign, match="no attempts"):
        fit_with_fallback(DATA, attempts=())


def test_kenward_roger_refuses_more_rows_than_a_tiny_trial_can_tell() -> None:
    """Rather than a negative number of degrees of freedom."""
    tiny = simulated(seed=1, n_patients=8, n_visits=3, fraction_missing=0.1).data
    fit = Mmrm(covariance=Unstructured()).fit(tiny)
    rows = np.eye(len(tiny.columns))
    assert fit.joint(rows[:2], "two").df_denominator > 2.0
    for n_rows in (4, 5, 6, 7):
        with pytest.raises(NotConverged, match="too poorly for a Kenward-Roger F"):
            fit.joint(rows[:n_rows], "nearly everything")
