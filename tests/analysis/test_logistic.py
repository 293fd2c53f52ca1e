"""Logistic regression: closed forms, and separation told apart from what only looks like it."""

import numpy as np
import pytest

from sevenfold.analysis.effect import Fit, Status
from sevenfold.analysis.logistic import LogisticFit, fit_logistic


def test_two_groups_have_the_log_odds_of_their_shares() -> None:
    """Closed form: log(a/b) with variance 1/a + 1/b in each group."""
    group = np.repeat([0, 1], [30, 50])
    event = np.concatenate([np.arange(30) < 12, np.arange(50) < 35])
    fit = fit_logistic(np.eye(2)[group], event)
    assert isinstance(fit, LogisticFit)
    assert fit.coefficients == pytest.approx([np.log(12 / 18), np.log(35 / 15)], rel=1e-12)
    assert np.diag(fit.covariance) == pytest.approx([1 / 12 + 1 / 18, 1 / 35 + 1 / 15], rel=1e-10)
    assert fit.fitted[[0, 40]] == pytest.approx([0.4, 0.7], rel=1e-12)


def test_the_score_is_nothing_at_the_maximum_whatever_the_columns_scales() -> None:
    """X'(y - p̂) = 0, with a covariate in millions and one in millionths."""
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(200), 1e6 * rng.normal(size=200), 1e-6 * rng.normal(size=200)])
    event = rng.uniform(size=200) < 0.3
    fit = fit_logistic(x, event)
    assert isinstance(fit, LogisticFit)
    score = x.T @ (event - fit.fitted) / np.abs(x).sum(axis=0)
    assert score == pytest.approx(np.zeros(3), abs=1e-13)
    information = (x * (fit.fitted * (1 - fit.fitted))[:, None]).T @ x
    size = np.sqrt(np.diag(information))
    assert size[:, None] * (fit.covariance @ information) / size == pytest.approx(np.eye(3), abs=1e-9)


@pytest.mark.parametrize(
    "event",
    [
        [0, 0, 0, 0, 1, 1, 1, 1],  # the covariate tells all
        [0, 0, 0, 1, 1, 1, 1, 1],  # likewise
        [0, 0, 0, 0, 0, 0, 0, 0],  # nobody had it
    ],
)
def test_separation_is_a_status(event: list[int]) -> None:
    """The likelihood rises for ever; Newton's method would stop somewhere on the way and print a number."""
    x = np.column_stack([np.ones(8), np.arange(8.0)])
    fit = fit_logistic(x, np.array(event, dtype=bool))
    assert isinstance(fit, Fit)
    assert fit.status is Status.SEPARATED


def test_separation_of_some_only_is_a_status_too() -> None:
    """Quasi-separation: one level of a factor has no event, the other both."""
    x = np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4)])
    fit = fit_logistic(x, np.array([0, 0, 0, 0, 1, 0, 1, 0], dtype=bool))
    assert isinstance(fit, Fit)
    assert fit.status is Status.SEPARATED


def test_nearly_separated_is_not_separated() -> None:
    """One patient on the wrong side and there is a maximum, however steep."""
    x = np.column_stack([np.ones(40), np.arange(40.0)])
    event = np.arange(40) >= 20
    event[[19, 20]] = event[[20, 19]]
    fit = fit_logistic(x, event)
    assert isinstance(fit, LogisticFit)
    assert fit.coefficients[1] > 1.0


def test_too_few_and_aliased_are_statuses() -> None:
    """Neither is left to the linear algebra."""
    few = fit_logistic(np.eye(3), np.array([True, False, True]))
    assert isinstance(few, Fit)
    assert few.status is Status.TOO_FEW
    aliased = fit_logistic(np.ones((9, 2)), np.arange(9) % 2 == 0)
    assert isinstance(aliased, Fit)
    assert aliased.status is Status.SINGULAR
