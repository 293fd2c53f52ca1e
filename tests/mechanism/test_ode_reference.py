"""Six dosing models on which two other integrators agree, at every one of their 282 values.

The reference was computed at absolute tolerance 1e-14, so it says nothing about what has fallen to 1e-7 of the
largest value of its curve; those thirty are held to an absolute 1e-12.
"""

import csv
import json
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from rehearsals import shared
from sevenfold.mechanism.compartments import (
    Effect,
    Elimination,
    compartment_page,
    target_mediated_page,
    with_indirect_response,
    with_myelosuppression,
)
from sevenfold.mechanism.page import Output, Page
from sevenfold.mechanism.solve import Dose, advance, begin

H = 24.0  # the reference counts hours
_DRUG = {"CL": ("clearance_l_per_day", H), "V": ("central_volume_l", 1.0), "KA": ("absorbed_per_day", H)}
_CELLS = ["growing_per_nl", "maturing_1_per_nl", "maturing_2_per_nl", "maturing_3_per_nl", "circulating_per_nl"]


class Case(NamedTuple):
    """Our page, its parameters by the reference's letters, and its states in the reference's order."""

    page: Page
    parameters: dict[str, tuple[str, float]]
    states: list[str]


CASES = {
    "oral1": Case(compartment_page(1, is_absorbed=True), _DRUG, ["depot_ug", "central_ug"]),
    "inf2": Case(
        compartment_page(2),
        {
            "CL": ("clearance_l_per_day", H),
            "V1": ("central_volume_l", 1.0),
            "Q": ("exchange_1_l_per_day", H),
            "V2": ("peripheral_1_volume_l", 1.0),
        },
        ["central_ug", "peripheral_1_ug"],
    ),
    "mm1": Case(
        compartment_page(1, elimination=Elimination.MICHAELIS_MENTEN),
        {
            "VM": ("saturable_max_ug_per_day", H),
            "KM": ("saturable_half_ng_per_ml", 1.0),
            "V": ("central_volume_l", 1.0),
        },
        ["central_ug"],
    ),
    "tmdd_sc": Case(
        target_mediated_page(),
        {
            "KA": ("absorbed_per_day", H),
            "V": ("central_volume_l", 1.0),
            "KEL": ("eliminated_per_day", H),
            "KON": ("binding_l_per_nmol_day", H),
            "KOFF": ("unbinding_per_day", H),
            "KSYN": ("target_made_nmol_per_l_day", H),
            "KDEG": ("target_lost_per_day", H),
            "KINT": ("internalised_per_day", H),
        },
        ["depot_nmol", "central_nmol", "target_nmol_per_l", "complex_nmol_per_l"],
    ),
    "idr3": Case(
        with_indirect_response(compartment_page(1, is_absorbed=True), Effect.STIMULATES_PRODUCTION),
        {
            **_DRUG,
            "KIN": ("response_made_per_day", H),
            "KOUT": ("response_lost_per_day", H),
            "SMAX": ("effect_max", 1.0),
            "SC50": ("effect_half", 1.0),
        },
        ["depot_ug", "central_ug", "response"],
    ),
    "friberg": Case(
        with_myelosuppression(compartment_page(1)),
        {
            "CL": ("clearance_l_per_day", H),
            "V": ("central_volume_l", 1.0),
            "MTT": ("mean_maturation_day", 1.0 / H),
            "CIRC0": ("circulating_at_rest_per_nl", 1.0),
            "GAM": ("feedback", 1.0),
            "SLOPE": ("killed_per_concentration", 1.0),
        },
        ["central_ug", *_CELLS],
    ),
}


def showing_states(page: Page) -> Page:
    """The same model with its states as outputs."""
    names = [state.name for state in page.states]
    return replace(
        page,
        outputs=tuple(Output(name=name, unit="", what="") for name in names),
        observe=lambda _time_day, y, _p: {name: getattr(y, name) for name in names},
    )


@pytest.fixture(scope="module")
def reference() -> tuple[dict[str, Any], list[tuple[str, float, str, float]]]:
    """Models, and (model, time, compartment, value) rows."""
    models = json.loads(shared("reference", "ode_reference_models.json").read_text())
    with shared("reference", "ode_reference.csv").open() as file:
        rows = [(name, float(t), place, float(x)) for name, t, place, x in list(csv.reader(file))[1:]]
    return models, rows


@pytest.mark.parametrize("model", CASES)
def test_every_value_agrees_to_a_millionth(
    reference: tuple[dict[str, Any], list[tuple[str, float, str, float]]], model: str
) -> None:
    case, said = CASES[model], reference[0][model]
    rows = [row for row in reference[1] if row[0] == model]
    times = sorted({t for _, t, _, _ in rows})
    entry = {entry.state: entry.route for entry in reversed(case.page.entries)}
    doses = [
        Dose(time_day=t / H, amount=amount, route=entry[case.states[place]], duration_day=duration / H)
        for t, place, amount, duration in said["doses"]
    ]
    parameters = {ours: said["par"][letter] * factor for letter, (ours, factor) in case.parameters.items()}
    patients = begin(showing_states(case.page), parameters)
    looks = [t / H for t in times]
    seen = advance(patients, [doses], [looks], [looks[-1]], tolerance=1e-9).seen
    for place, state in zip(said["cmts"], case.states, strict=True):
        ours = seen[state][0]
        if model == "tmdd_sc" and place == "L":
            ours = ours / said["par"]["V"]  # it counts free ligand in nmol/L, we in nmol
        theirs = np.array([x for _, _, where, x in rows if where == place])
        is_said = np.abs(theirs) > 1e-7 * np.abs(theirs).max()
        assert ours[is_said] == pytest.approx(theirs[is_said], rel=1e-6), place
        assert ours[~is_said] == pytest.approx(theirs[~is_said], abs=1e-12), place


def test_all_the_reference_is_compared(
    reference: tuple[dict[str, Any], list[tuple[str, float, str, float]]],
) -> None:
    assert {name for name, *_ in reference[1]} == set(CASES)
    assert len(reference[1]) == 282
