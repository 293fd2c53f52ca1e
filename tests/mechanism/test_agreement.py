"""The check of units: it passes what agrees and notices whatever does not."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import ALL

from sevenfold.mechanism.agreement import check_units
from sevenfold.mechanism.compartments import (
    Effect,
    Elimination,
    compartment_page,
    target_mediated_page,
    with_indirect_response,
    with_myelosuppression,
)
from sevenfold.mechanism.expression import power
from sevenfold.mechanism.interpret import interpret
from sevenfold.mechanism.load import load_page
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.place import InvalidModel
from sevenfold.mechanism.trace import trace, trace_whole

PARAMETERS = [(model, p.name) for model in ALL for p in load_page(model).parameters]
STATES = [(model, s.name) for model in ALL for s in load_page(model).states]
OUTPUTS = [(model, o.name) for model in ALL for o in load_page(model).outputs]
FIELD = {"parameter": "parameters", "state": "states", "output": "outputs"}


def with_unit(page: Page, kind: str, name: str, unit: str) -> Page:
    """The page with one unit declared otherwise."""
    items = getattr(page, FIELD[kind])
    changed = tuple(dataclasses.replace(item, unit=unit) if item.name == name else item for item in items)
    return dataclasses.replace(page, **{FIELD[kind]: changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(("model", "name"), PARAMETERS)
@pytest.mark.parametrize("spoilt", ["{}·mmHg", "10^3·{}"], ids=["another dimension", "another size"])
def test_no_parameter_s_unit_can_be_wrong_alone(model: str, name: str, spoilt: str) -> None:
    """Each in turn gets a unit of another dimension, and one of the same dimension and another size."""
    page = load_page(model)
    unit = next(p.unit for p in page.parameters if p.name == name).replace("fraction", "1").replace("ratio", "1")
    wrong = "mmHg" + unit if unit.startswith("/") and "mmHg" in spoilt else spoilt.format(unit)
    wrong = f"10^3{unit}" if unit.startswith("/") and "10^3" in spoilt else wrong
    with pytest.raises(InvalidModel, match="units of"):
        check_units(with_unit(page, "parameter", name, wrong))


@pytest.mark.parametrize(
    ("kind", "model", "name"), [*(("state", *s) for s in STATES), *(("output", *o) for o in OUTPUTS)]
)
def test_no_unit_of_a_state_or_an_output_can_be_wrong_alone(kind: str, model: str, name: str) -> None:
    with pytest.raises(InvalidModel, match="units of"):
        check_units(with_unit(load_page(model), kind, name, "mmHg"))


@pytest.mark.parametrize("model", ALL)
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), day=st.floats(0.0, 60.0))
def test_numbers_and_the_traced_graph_agree(model: str, seed: int, day: float) -> None:
    """At random patients and states, for the kernel's form and for the form that is printed. The bound is rounding: the
    graph reorders products of constants, and the kernel takes powers by logarithms.
    """
    page, rng = load_page(model), np.random.default_rng(seed)
    drawn = {p.name: min(p.value * np.exp(p.cv * rng.standard_normal()), p.high) for p in page.parameters if p.cv > 0}
    values = page.values(drawn)
    states = {state.name: state.scale * 10.0 ** rng.uniform(-2.0, 3.0) for state in page.states}
    direct = page.rates(day, SimpleNamespace(**states), values)
    known = {"state": states, "parameter": vars(values), "time": {"time_day": day}}
    for traced in (trace(page), trace_whole(page).traced):
        variables = [node for node in traced.graph.nodes if node.operation == "variable"]
        at = {v.number: known[kind][v.name] for v in variables for kind in v.kinds if kind in known}
        at |= {node.number: 0.0 for node in traced.inputs.values()}
        found = interpret(traced.rates, at)
        for state, rate in zip(page.states, found, strict=True):
            size = 1e-10 * (state.scale + states[state.name])
            assert float(rate) == pytest.approx(float(direct[state.name]), rel=1e-10, abs=size), state.name


def test_a_broken_power_of_a_unit_is_kept() -> None:
    """A constant exponent multiplies dimensions; only an exponent that differs between patients wants a plain base."""
    page = load_page("il7")

    def spoilt(day: Any, y: Any, p: Any) -> dict[str, Any]:
        return {**page.rates(day, y, p), "depot_ug": -p.absorbed_per_day * power(y.depot_ug, 0.5)}

    with pytest.raises(InvalidModel, match=r"must be in .*µg/day, but .* is in µg\^1/2/day"):
        check_units(dataclasses.replace(page, rates=spoilt))


LIBRARY = {
    "one": compartment_page(1),
    "three, absorbed, both": compartment_page(3, is_absorbed=True, elimination=Elimination.BOTH),
    "transit": compartment_page(2, is_absorbed=True, n_transit=4),
    "target": target_mediated_page(has_tissue=True),
    "turnover": with_indirect_response(compartment_page(1), Effect.INHIBITS_LOSS),
    "myelosuppression": with_myelosuppression(compartment_page(1)),
}


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_agrees_in_its_units(name: str) -> None:
    check_units(LIBRARY[name])


def test_what_says_how_a_dose_arrives_has_its_unit() -> None:
    """A share is a plain number, a lag a time."""
    page = load_page("il7")
    late = dataclasses.replace(page.entries[0], route="late", lag="absorbed_per_day")
    with pytest.raises(InvalidModel, match="absorbed_per_day is a lag and must be in day, but is declared in '/day'"):
        check_units(dataclasses.replace(page, entries=(*page.entries, late)))
