"""IL-7 and T cells in septic shock: sixteen states of one patient.

IL-7 is absorbed, spreads, is cleared and is taken up by its receptor (CD127) on T cells, so that the sink grows with
them. Bound receptor is lost faster. The signal, delayed, brings quiescent cells into cycle (Ki67+), lowers their loss,
and sends them out of the blood for a day; tolerance dampens it. Sepsis kills and hides T cells while its inflammation
lasts.

Pools are blood-equivalent: what blood would show if no cell were hidden. Derivation, letters and limits:
docs/theory/il7.md.
"""

from typing import Any

from sevenfold.mechanism.expression import exp, maximum, minimum, power
from sevenfold.mechanism.page import Entry, Named, Output, State
from sevenfold.mechanism.term import quantity, term

__all__ = ["ENTRIES", "OUTPUTS", "STATES", "derive", "observe", "rates", "start"]

STATES = (
    State(name="depot_ug", symbol="A0", unit="µg", scale=1e-1, group="IL-7", what="IL-7 at the site of injection"),
    State(name="central_ug", symbol="A1", unit="µg", scale=1e-2, group="IL-7", what="IL-7 in plasma"),
    State(
        name="peripheral_ug",
        symbol="A2",
        unit="µg",
        scale=1e-1,
        group="IL-7",
        what="IL-7 in the rest of the extracellular fluid",
    ),
    State(
        name="cd4_receptor",
        symbol="r4",
        unit="fraction",
        scale=1e-1,
        group="Receptor",
        what="CD127 on CD4 cells, against health",
    ),
    State(
        name="cd8_receptor",
        symbol="r8",
        unit="fraction",
        scale=1e-1,
        group="Receptor",
        what="CD127 on CD8 cells, against health",
    ),
    State(
        name="signal_1",
        symbol="E1",
        unit="fraction",
        scale=1e-2,
        group="Effect",
        what="IL-7 signal on its way to the cycle, first half",
    ),
    State(
        name="signal_2",
        symbol="E2",
        unit="fraction",
        scale=1e-2,
        group="Effect",
        what="IL-7 signal that brings cells into cycle",
    ),
    State(name="tolerance", symbol="Z", unit="ratio", scale=1e-1, group="Effect", what="tolerance to repeated IL-7"),
    State(
        name="survival",
        symbol="B",
        unit="fraction",
        scale=1e-2,
        group="Effect",
        what="protection from death (Bcl-2-like)",
    ),
    State(
        name="homing",
        symbol="h",
        unit="ratio",
        scale=5e-2,
        group="Effect",
        what="T cells drawn out of the blood by IL-7",
    ),
    State(
        name="cd4_quiescent_per_ul", symbol="Q4", unit="cells/µL", scale=1.0, group="T cells", what="CD4 cells at rest"
    ),
    State(
        name="cd4_cycling_per_ul",
        symbol="P4",
        unit="cells/µL",
        scale=1.0,
        group="T cells",
        what="CD4 cells in cycle (Ki67+)",
    ),
    State(
        name="cd8_quiescent_per_ul", symbol="Q8", unit="cells/µL", scale=1.0, group="T cells", what="CD8 cells at rest"
    ),
    State(
        name="cd8_cycling_per_ul",
        symbol="P8",
        unit="cells/µL",
        scale=1.0,
        group="T cells",
        what="CD8 cells in cycle (Ki67+)",
    ),
    State(name="b_per_ul", symbol="NB", unit="cells/µL", scale=1.0, group="Other lymphocytes", what="B cells"),
    State(name="nk_per_ul", symbol="NNK", unit="cells/µL", scale=1.0, group="Other lymphocytes", what="NK cells"),
)
ENTRIES = (
    Entry(route="IM", state="depot_ug", fraction="bioavailable_fraction", first_step_day=1e-3),
    Entry(route="SC", state="depot_ug", fraction="bioavailable_fraction", first_step_day=1e-3),
    Entry(route="IV", state="central_ug", fraction=None, first_step_day=1e-4),
)
OUTPUTS = (
    Output(name="il7_ng_per_ml", unit="ng/mL", what="IL-7 in plasma"),
    Output(name="cd4_per_ul", unit="cells/µL", what="CD4 T cells in blood"),
    Output(name="cd8_per_ul", unit="cells/µL", what="CD8 T cells in blood"),
    Output(name="alc_per_ul", unit="cells/µL", what="absolute lymphocyte count"),
    Output(name="ki67_cd4_fraction", unit="fraction", what="Ki67+ share of CD4 cells"),
    Output(name="ki67_cd8_fraction", unit="fraction", what="Ki67+ share of CD8 cells"),
    Output(name="cd127_fraction", unit="fraction", what="CD127 on CD4 cells, against health"),
    Output(name="hladr_fraction", unit="fraction", what="HLA-DR+ share of T cells (activation)"),
    Output(name="b_per_ul", unit="cells/µL", what="B cells in blood"),
    Output(name="nk_per_ul", unit="cells/µL", what="NK cells in blood"),
)
_CELLS = ("cd4", "cd8")
_POOL_FLOOR_PER_UL = quantity(1.0, "cells/µL")  # keeps (T*/T)^gamma finite; no patient of 20,000 comes near it
_DRIVE_CEILING = 6.0  # the homeostatic drive cannot exceed this; reached below 5 % of the set point


def derive(p: Named) -> dict[str, Any]:
    """Loss rates that make health a steady state, the threshold of the signal, and IL-7's production.

    μ0 = (λ + (ρ − μP)·P)/(T* − P) with P = T*·π0/(π0 + ρ + μP); S0 is 5 % and 0.02 above the signal of endogenous
    IL-7, so that homeostasis does not count as drug effect; k0 balances clearance and receptor uptake at Cend.
    """
    resting = term(
        "receptor_at_rest", _receptor_at_rest(p, p.endogenous_il7_ng_per_ml), symbol="r0", unit="fraction",
        what="CD127 under endogenous IL-7",
    )  # fmt: skip
    bound = p.endogenous_il7_ng_per_ml / (p.affinity_ng_per_ml + p.endogenous_il7_ng_per_ml)
    seen = resting * p.endogenous_il7_ng_per_ml
    cleared = p.clearance_l_per_day * p.endogenous_il7_ng_per_ml
    taken_up = p.receptor_turnover_bound_per_day * p.receptor_capacity_ug * resting * bound
    return {
        "cd4_loss_per_day": term("cd4_loss_per_day", _healthy_loss(p, "cd4"), symbol="mu04", unit="/day"),
        "cd8_loss_per_day": term("cd8_loss_per_day", _healthy_loss(p, "cd8"), symbol="mu08", unit="/day"),
        "signal_threshold": term(
            "signal_threshold",
            1.05 * seen / (p.half_signal_ng_per_ml + seen) + 0.02,
            symbol="S0",
            unit="fraction",
            what="signal that does not count as an effect",
        ),
        "produced_ug_per_day": term(
            "produced_ug_per_day",
            p.septic_production_fraction * (cleared + taken_up),
            symbol="k0",
            unit="µg/day",
            what="IL-7 that the body makes",
        ),
        "receptor_at_rest": resting,
    }


def start(p: Named) -> dict[str, Any]:
    """The patient on the day of the first dose: endogenous IL-7, a depleted pool, cycling in balance with it."""
    nothing = 0.0 * p.endogenous_il7_ng_per_ml
    state = {state.name: nothing for state in STATES}
    state["central_ug"] = p.endogenous_il7_ng_per_ml * p.central_volume_l
    state["peripheral_ug"] = p.endogenous_il7_ng_per_ml * p.peripheral_volume_l
    state["cd4_receptor"] = state["cd8_receptor"] = p.receptor_at_rest
    slowed = 1.0 - p.septic_cycling_fall_fraction * p.inflammation_at_entry
    drive = power(1.0 / p.pool_at_entry_fraction, p.homeostatic_exponent)
    for cell in _CELLS:
        pool = p.pool_at_entry_fraction * getattr(p, f"{cell}_setpoint_per_ul")
        entry = term(
            f"{cell}_entry_at_start_per_day", getattr(p, f"{cell}_cycling_per_day") * drive * slowed,
            symbol=f"pi{cell[2:]}_0", unit="/day", what="entry into the cycle at the start",
        )  # fmt: skip
        cycling = term(
            f"{cell}_cycling_at_start_per_ul", pool * entry / (entry + p.division_per_day + p.cycling_loss_per_day),
            symbol=f"P{cell[2:]}_0", unit="cells/µL", what=f"{cell.upper()} cells in cycle at the start",
        )  # fmt: skip
        state[f"{cell}_quiescent_per_ul"], state[f"{cell}_cycling_per_ul"] = pool - cycling, cycling
    state["b_per_ul"] = p.b_pool_at_entry_fraction * p.b_setpoint_per_ul
    state["nk_per_ul"] = p.nk_pool_at_entry_fraction * p.nk_setpoint_per_ul
    return state


def rates(time_day: Any, y: Named, p: Named) -> dict[str, Any]:
    """How every state changes. The letters of docs/theory/il7.md stand in the comments."""
    concentration = _concentration(y, p)
    inflammation = _inflammation(time_day, p)
    cd4, cd8 = _pool("cd4", y), _pool("cd8", y)
    receptors = term(
        "receptors_per_ul", cd4 * y.cd4_receptor + cd8 * y.cd8_receptor, symbol="TR", unit="cells/µL",
        what="T cells times the receptor each carries",
    )  # fmt: skip
    bound = term(
        "bound_fraction", concentration / (p.affinity_ng_per_ml + concentration), symbol="b", unit="fraction",
        what="share of receptor with IL-7 bound",
    )  # fmt: skip
    pool = term(
        "receptor_ug", receptors / (p.cd4_setpoint_per_ul + p.cd8_setpoint_per_ul) * p.receptor_capacity_ug,
        symbol="R", unit="µg", what="receptor that all T cells carry, as the IL-7 it can hold",
    )  # fmt: skip
    taken_up = term(
        "uptake_ug_per_day", p.receptor_turnover_bound_per_day * pool * bound, symbol="U", unit="µg/day",
        what="IL-7 taken up by T cells",
    )  # fmt: skip
    outward = p.exchange_l_per_day * y.central_ug / p.central_volume_l
    inward = p.exchange_l_per_day / p.peripheral_volume_l * y.peripheral_ug
    faster = p.receptor_turnover_bound_per_day - p.receptor_turnover_per_day
    seen = term(
        "seen_ng_per_ml", receptors / (cd4 + cd8) * concentration, symbol="Cr", unit="ng/mL",
        what="IL-7 as a cell sees it: losing receptor shifts EC50 to EC50/r",
    )  # fmt: skip
    signal = term(
        "signal", maximum(seen / (p.half_signal_ng_per_ml + seen) - p.signal_threshold, 0.0), symbol="S",
        unit="fraction", what="IL-7 signal above that of health",
    )  # fmt: skip
    damped = 1.0 / (1.0 + y.tolerance)  # 1/(1 + Z)
    change = {
        "depot_ug": -p.absorbed_per_day * y.depot_ug,
        "central_ug": p.absorbed_per_day * y.depot_ug
        + p.produced_ug_per_day
        - p.clearance_l_per_day * y.central_ug / p.central_volume_l
        - outward
        + inward
        - taken_up,
        "peripheral_ug": outward - inward,
        "cd4_receptor": p.receptor_turnover_per_day * (1.0 - y.cd4_receptor) - faster * bound * y.cd4_receptor,
        "cd8_receptor": p.receptor_turnover_per_day * (1.0 - y.cd8_receptor) - faster * bound * y.cd8_receptor,
        "signal_1": p.signal_delay_per_day * (signal - y.signal_1),
        "signal_2": p.signal_delay_per_day * (y.signal_1 - y.signal_2),
        "tolerance": p.tolerance_on_per_day * y.signal_2 - p.tolerance_off_per_day * y.tolerance,
        "survival": p.survival_on_per_day * signal * (1.0 - y.survival) - p.survival_off_per_day * y.survival,
        "homing": p.homing_per_day * (p.homing_max * signal * damped - y.homing),
        "b_per_ul": p.b_nk_recovery_per_day
        * (p.b_setpoint_per_ul * (1.0 - p.b_septic_fall_fraction * inflammation) - y.b_per_ul),
        "nk_per_ul": p.b_nk_recovery_per_day
        * (
            p.nk_recovered_fraction * p.nk_setpoint_per_ul * (1.0 - p.nk_septic_fall_fraction * inflammation)
            - y.nk_per_ul
        ),
    }
    for cell, total in zip(_CELLS, (cd4, cd8), strict=True):
        change |= _turnover(cell, total, inflammation, y.signal_2 * damped, y, p)
    return change


def observe(time_day: Any, y: Named, p: Named) -> dict[str, Any]:
    """What blood shows: the share f = 1/(1 + h + hsep·I) of the pools that is not hidden."""
    in_blood = term(
        "in_blood_fraction", 1.0 / (1.0 + y.homing + p.sequestration * _inflammation(time_day, p)), symbol="f",
        unit="fraction", what="share of the pools that blood shows",
    )  # fmt: skip
    cd4, cd8 = _pool("cd4", y), _pool("cd8", y)
    return {
        "il7_ng_per_ml": y.central_ug / p.central_volume_l,
        "cd4_per_ul": cd4 * in_blood,
        "cd8_per_ul": cd8 * in_blood,
        "alc_per_ul": (cd4 + cd8) * in_blood + y.b_per_ul + y.nk_per_ul + p.other_lymphocytes_per_ul,
        "ki67_cd4_fraction": y.cd4_cycling_per_ul / cd4,
        "ki67_cd8_fraction": y.cd8_cycling_per_ul / cd8,
        "cd127_fraction": y.cd4_receptor,
        "hladr_fraction": p.activation_at_rest_fraction * (1.0 + p.activation_gain * y.signal_2),
        "b_per_ul": y.b_per_ul,
        "nk_per_ul": y.nk_per_ul,
    }


def _concentration(y: Named, p: Named) -> Any:
    concentration = maximum(y.central_ug, 0.0) / p.central_volume_l
    return term("concentration_ng_per_ml", concentration, symbol="C", unit="ng/mL", what="IL-7 in plasma")


def _inflammation(time_day: Any, p: Named) -> Any:
    inflammation = p.inflammation_at_entry * exp(-time_day / p.inflammation_decay_day)
    return term("inflammation", inflammation, symbol="I", unit="ratio", what="septic inflammation, 1 at entry")


def _pool(cell: str, y: Named) -> Any:
    total = getattr(y, f"{cell}_quiescent_per_ul") + getattr(y, f"{cell}_cycling_per_ul")
    return term(f"{cell}_pool_per_ul", total, symbol=f"T{cell[2:]}", unit="cells/µL", what=f"all {cell.upper()} cells")


def _turnover(cell: str, total: Any, inflammation: Any, drive: Any, y: Named, p: Named) -> dict[str, Any]:
    """DQ = λ + 2ρP − (π + μ)Q, dP = πQ − (ρ + μP + …)P, for one kind of T cell; ``drive`` is E2/(1 + Z)."""

    def of(name: str) -> Any:
        return getattr(p, f"{cell}_{name}")

    quiescent, cycling = getattr(y, f"{cell}_quiescent_per_ul"), getattr(y, f"{cell}_cycling_per_ul")
    shortage = power(of("setpoint_per_ul") / maximum(total, _POOL_FLOOR_PER_UL), p.homeostatic_exponent)
    slowed = 1.0 - p.septic_cycling_fall_fraction * inflammation
    entry = of("cycling_per_day") * minimum(shortage, _DRIVE_CEILING) * slowed + of("cycling_max_per_day") * drive
    entry = term(f"{cell}_entry_per_day", entry, symbol=f"pi{cell[2:]}", unit="/day", what="entry into the cycle")
    kept = term(
        "kept_fraction", 1.0 - p.survival_max_fraction * y.survival, symbol="s", unit="fraction",
        what="share of deaths that protection leaves",
    )  # fmt: skip
    septic = term(
        "septic_death_now_per_day", p.septic_death_per_day * inflammation, symbol="delta", unit="/day",
        what="death by sepsis",
    )  # fmt: skip
    loss = (of("loss_per_day") * (total / of("setpoint_per_ul")) + septic) * kept
    loss = term(f"{cell}_loss_now_per_day", loss, symbol=f"mu{cell[2:]}", unit="/day", what="loss of resting cells")
    return {
        f"{cell}_quiescent_per_ul": of("thymic_per_ul_day")
        + 2.0 * p.division_per_day * cycling
        - (entry + loss) * quiescent,
        f"{cell}_cycling_per_ul": entry * quiescent
        - (p.division_per_day + p.cycling_loss_per_day + 0.5 * septic * kept) * cycling,
    }


def _healthy_loss(p: Named, cell: str) -> Any:
    setpoint, entry = getattr(p, f"{cell}_setpoint_per_ul"), getattr(p, f"{cell}_cycling_per_day")
    cycling = term(
        f"{cell}_cycling_in_health_per_ul", setpoint * entry / (entry + p.division_per_day + p.cycling_loss_per_day),
        symbol=f"P{cell[2:]}*", unit="cells/µL", what=f"{cell.upper()} cells in cycle in health",
    )  # fmt: skip
    made = getattr(p, f"{cell}_thymic_per_ul_day") + (p.division_per_day - p.cycling_loss_per_day) * cycling
    return made / (setpoint - cycling)


def _receptor_at_rest(p: Named, concentration: Any) -> Any:
    bound = concentration / (p.affinity_ng_per_ml + concentration)
    faster = (p.receptor_turnover_bound_per_day - p.receptor_turnover_per_day) * bound
    return p.receptor_turnover_per_day / (p.receptor_turnover_per_day + faster)
