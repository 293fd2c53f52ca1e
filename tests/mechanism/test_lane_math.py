"""The kernel's own exp and log, through a page that shows nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.mechanism.expression import exp, log, power
from sevenfold.mechanism.page import Entry, Output, Page, Parameter, State
from sevenfold.mechanism.solve import advance, begin
from sevenfold.provenance import Provenance

FUNCTIONS = Page(
    name="functions",
    title="exp, log and power of a state, so that nothing is folded",
    states=(State(name="x", unit="", scale=1.0, what="the argument, at rest"),),
    parameters=(Parameter(name="a", symbol="a", value=1.0, unit="", cv=0.0, status=Provenance.ASSUMED, source="test"),),
    entries=(Entry(route="IN", state="x", fraction=None, first_step_day=1e-3),),
    outputs=tuple(Output(name=name, unit="", what=name) for name in ("exp", "log", "power")),
    derive=lambda _p: {},
    start=lambda p: {"x": p.a},
    rates=lambda _t, y, _p: {"x": 0.0 * y.x},
    observe=lambda _t, y, _p: {"exp": exp(y.x), "log": log(y.x), "power": power(y.x, 0.6)},
)


def seen(x: np.ndarray) -> dict[str, np.ndarray]:
    n = len(x)
    none: list[float] = []
    patients = replace(begin(FUNCTIONS, {}, n), states=x.reshape(n, 1))  # a page would refuse what is no number
    looked = advance(patients, [none] * n, [[0.0]] * n, [0.0] * n).seen  # type: ignore[list-item]
    return {name: np.concatenate(lines) for name, lines in looked.items()}


def test_exp_is_right_to_a_few_units_in_the_last_place() -> None:
    """100,001 points; the reduced argument carries one rounding, the polynomial 1.2e-15."""
    x = np.linspace(-690.0, 690.0, 100_001)
    assert np.max(np.abs(seen(x)["exp"] / np.exp(x) - 1.0)) < 3e-15


def test_log_and_power_are_right_to_a_few_units_in_the_last_place() -> None:
    """100,001 points over 600 decades, and as many around 1, where the logarithm vanishes."""
    for x in (np.geomspace(1e-300, 1e300, 100_001), np.linspace(0.5, 2.0, 100_001)):
        found = seen(x)
        near = np.where(np.abs(np.log(x)) > 1e-300, np.log(x), 1.0)
        assert np.max(np.abs(found["log"] - np.log(x)) / np.maximum(np.abs(near), 1e-12)) < 3e-15
        assert np.max(np.abs(found["power"] / np.power(x, 0.6) - 1.0)) < 3e-13  # 0.6 ln x, to 2e-16 of its size 414


@given(x=st.floats(-1e300, 1e300, allow_nan=False))
def test_what_is_out_of_range_is_held_or_said(x: float) -> None:
    """Exp is held within [-700, 700]; the logarithm of 0 is minus infinity, of a negative number NaN."""
    found = seen(np.array([x, 0.0, -1.0, np.nan]))
    with np.errstate(invalid="ignore"):
        assert found["exp"][0] == pytest.approx(np.exp(np.clip(x, -700.0, 700.0)), rel=1e-14)
    assert found["log"][1] == -np.inf
    assert found["power"][1] == pytest.approx(0.0, abs=1e-300)
    assert np.isnan(found["log"][2])
    assert np.isnan(found["exp"][3])
