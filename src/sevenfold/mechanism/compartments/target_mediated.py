"""Target-mediated drug disposition: drug binds a target that is made, lost, and lost faster together with it."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from sevenfold.mechanism.compartments.entering import (
    ABSORBED,
    INTRAVENOUS,
    assumed,
    dose_parameters,
    entries,
)
from sevenfold.mechanism.page import Named, Output, Page, State

__all__ = ["target_mediated_page"]

_SCALE: Final = 1e-6  # nmol, and nmol/L


@cache
def target_mediated_page(*, has_tissue: bool = False) -> Page:
    """The full model: no assumption of equilibrium or of a steady state of the complex.

    With L = A/V the free drug, R the free target and P the complex [nmol/L], b = kon·L·R - koff·P:
    dA/dt = ka·D - kel·A - V·b (and exchange with tissue), dR/dt = ksyn - kdeg·R - b, dP/dt = b - kint·P. Without drug
    R rests at ksyn/kdeg.

    Args:
        has_tissue: whether free drug also spreads into a peripheral compartment.

    Source: [mager2001].
    """

    def rates(_time_day: Any, y: Named, p: Named) -> Mapping[str, Any]:
        free = y.central_nmol / p.central_volume_l
        bound = p.binding_l_per_nmol_day * free * y.target_nmol_per_l - p.unbinding_per_day * y.complex_nmol_per_l
        absorbed = p.absorbed_per_day * y.depot_nmol
        change = {
            "depot_nmol": -absorbed,
            "central_nmol": absorbed - p.eliminated_per_day * y.central_nmol - p.central_volume_l * bound,
            "target_nmol_per_l": p.target_made_nmol_per_l_day - p.target_lost_per_day * y.target_nmol_per_l - bound,
            "complex_nmol_per_l": bound - p.internalised_per_day * y.complex_nmol_per_l,
        }
        if has_tissue:
            outward = p.exchange_l_per_day * (free - y.peripheral_nmol / p.peripheral_volume_l)
            change["central_nmol"] = change["central_nmol"] - outward
            change["peripheral_nmol"] = outward
        return change

    def start(p: Named) -> Mapping[str, Any]:
        nothing = 0.0 * p.central_volume_l
        resting = p.target_made_nmol_per_l_day / p.target_lost_per_day
        return {state.name: resting if state.name == "target_nmol_per_l" else nothing for state in states}

    states: tuple[State, ...] = (
        State(name="depot_nmol", unit="nmol", scale=_SCALE, what="drug where it was given"),
        State(name="central_nmol", unit="nmol", scale=_SCALE, what="free drug in plasma"),
        State(name="target_nmol_per_l", unit="nmol/L", scale=_SCALE, what="free target"),
        State(name="complex_nmol_per_l", unit="nmol/L", scale=_SCALE, what="drug bound to target"),
    )
    tissue = State(name="peripheral_nmol", unit="nmol", scale=_SCALE, what="free drug in tissue")
    states = (*states, tissue) if has_tissue else states
    exchange = (
        assumed("exchange_l_per_day", "Q", 1.0, "L/day"),
        assumed("peripheral_volume_l", "V2", 3.0, "L", is_positive=True),
    )
    return Page(
        name="target_mediated_tissue" if has_tissue else "target_mediated",
        title="target-mediated drug disposition",
        states=states,
        parameters=(
            assumed("absorbed_per_day", "ka", 1.0, "/day"),
            assumed("central_volume_l", "V", 3.0, "L", is_positive=True),
            assumed("eliminated_per_day", "kel", 0.2, "/day"),
            assumed("binding_l_per_nmol_day", "kon", 10.0, "L/nmol/day"),
            assumed("unbinding_per_day", "koff", 1.0, "/day"),
            assumed("target_made_nmol_per_l_day", "ksyn", 5.0, "nmol/L/day"),
            assumed("target_lost_per_day", "kdeg", 1.0, "/day", is_positive=True),
            assumed("internalised_per_day", "kint", 3.0, "/day"),
            *(exchange if has_tissue else ()),
            *dose_parameters("depot", "nmol", "nmol"),
            *dose_parameters("central", "nmol", "nmol"),
        ),
        entries=(*entries("depot", ABSORBED, "nmol"), *entries("central", INTRAVENOUS, "nmol")),
        outputs=(
            Output(name="free_drug_nmol_per_l", unit="nmol/L", what="free drug in plasma"),
            Output(name="free_target_nmol_per_l", unit="nmol/L", what="free target"),
            Output(name="complex_nmol_per_l", unit="nmol/L", what="drug bound to target"),
        ),
        derive=lambda _p: {},
        start=start,
        rates=rates,
        observe=lambda _time_day, y, p: {
            "free_drug_nmol_per_l": y.central_nmol / p.central_volume_l,
            "free_target_nmol_per_l": y.target_nmol_per_l,
            "complex_nmol_per_l": y.complex_nmol_per_l,
        },
    )
