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

__all__ = ["ENTRIES", "OUTPUTS", "STATES", "derive", "observe", "rates", "start"]

STATES = (
    State(name="depot_ug", unit="µg", scale=1e-1, what="IL-7 at the site of injection"),
    State(name="central_ug", unit="µg", scale=1e-2, what="IL-7 in plasma"),
    State(name="peripheral_ug", unit="µg", scale=1e-1, what="IL-7 in the rest of the extracellular fluid"),
    State(name="cd4_receptor", unit="fraction", scale=1e-1, what="CD127 on CD4 cells, against health"),
    State(name="cd8_receptor", unit="fraction", scale=1e-1, what="CD127 on CD8 cells, against health"),
    State(name="signal_1", unit="fraction", scale=1e-2, what="IL-7 signal on its way to the cycle, first half"),
    State(name="signal_2", unit="fraction", scale=1e-2, what="IL-7 signal that brings cells into cycle"),
    State(name="tolerance", unit="ratio", scale=1e-1, what="tolerance to repeated IL-7"),
    State(name="survival", unit="fraction", scale=1e-2, what="protection from death (Bcl-2-like)"),
    State(name="homing", unit="ratio", scale=5e-2, what="T cells drawn out of the blood by IL-7"),
    State(name="cd4_quiescent_per_ul", unit="cells/µL", scale=1.0, what="CD4 cells at rest"),
    State(name="cd4_cycling_per_ul", unit="cells/µL", scale=1.0, what="CD4 cells in cycle (Ki67+)"),
    State(name="cd8_quiescent_per_ul", unit="cells/µL", scale=1.0, what="CD8 cells at rest"),
    State(name="cd8_cycling_per_ul", unit="cells/µL", scale=1.0, what="CD8 cells in cycle (Ki67+)"),
    State(name="b_per_ul", unit="cells/µL", scale=1.0, what="B cells"),
    State(name="nk_per_ul", unit="cells/µL", scale=1.0, what="NK cells"),
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
_POOL_FLOOR_PER_UL = 1.0  # keeps (T*/T)^gamma finite; no patient of 20,000 comes near it
_DRIVE_CEILING = 6.0  # the homeostatic drive cannot exceed this; reached below 5 % of the set point


def derive(p: Named) -> dict[str, Any]:
    """Loss rates that make health a steady state, the threshold of the signal, and IL-7's production.

    μ0 = (λ + (ρ − μP)·P)/(T* − P) with P = T*·π0/(π0 + ρ + μP); S0 is 5 % and 0.02 above the signal of endogenous
    IL-7, so that homeostasis does not count as drug effect; k0 balances clearance and receptor uptake at Cend.
    """
    resting = _receptor_at_rest(p, p.endogenous_il7_ng_per_ml)
    bound = p.endogenous_il7_ng_per_ml / (p.affinity_ng_per_ml + p.endogenous_il7_ng_per_ml)
    seen = resting * p.endogenous_il7_ng_per_ml
    cleared = p.clearance_l_per_day * p.endogenous_il7_ng_per_ml
    taken_up = p.receptor_turnover_bound_per_day * p.receptor_capacity_ug * resting * bound
    return {
        "cd4_loss_per_day": _healthy_loss(p, "cd4"),
        "cd8_loss_per_day": _healthy_loss(p, "cd8"),
        "signal_threshold": 1.05 * seen / (p.half_signal_ng_per_ml + seen) + 0.02,
        "produced_ug_per_day": p.septic_production_fraction * (cleared + taken_up),
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
        entry = getattr(p, f"{cell}_cycling_per_day") * drive * slowed
        cycling = pool * entry / (entry + p.division_per_day + p.cycling_loss_per_day)
        state[f"{cell}_quiescent_per_ul"], state[f"{cell}_cycling_per_ul"] = pool - cycling, cycling
    state["b_per_ul"] = p.b_pool_at_entry_fraction * p.b_setpoint_per_ul
    state["nk_per_ul"] = p.nk_pool_at_entry_fraction * p.nk_setpoint_per_ul
    return state


def rates(time_day: Any, y: Named, p: Named) -> dict[str, Any]:
    """How every state changes. The letters of docs/theory/il7.md stand in the comments."""
    concentration = maximum(y.central_ug, 0.0) / p.central_volume_l  # C
    inflammation = p.inflammation_at_entry * exp(-time_day / p.inflammation_decay_day)  # I
    cd4 = y.cd4_quiescent_per_ul + y.cd4_cycling_per_ul  # T4
    cd8 = y.cd8_quiescent_per_ul + y.cd8_cycling_per_ul  # T8
    receptors = cd4 * y.cd4_receptor + cd8 * y.cd8_receptor
    bound = concentration / (p.affinity_ng_per_ml + concentration)  # C/(Kd + C)
    pool = receptors / (p.cd4_setpoint_per_ul + p.cd8_setpoint_per_ul) * p.receptor_capacity_ug  # R
    taken_up = p.receptor_turnover_bound_per_day * pool * bound
    outward = p.exchange_l_per_day * y.central_ug / p.central_volume_l
    inward = p.exchange_l_per_day / p.peripheral_volume_l * y.peripheral_ug
    faster = p.receptor_turnover_bound_per_day - p.receptor_turnover_per_day
    seen = receptors / (cd4 + cd8) * concentration  # r·C: losing receptor shifts EC50 to EC50/r
    signal = maximum(seen / (p.half_signal_ng_per_ml + seen) - p.signal_threshold, 0.0)  # S
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
    inflammation = p.inflammation_at_entry * exp(-time_day / p.inflammation_decay_day)
    in_blood = 1.0 / (1.0 + y.homing + p.sequestration * inflammation)
    cd4 = y.cd4_quiescent_per_ul + y.cd4_cycling_per_ul
    cd8 = y.cd8_quiescent_per_ul + y.cd8_cycling_per_ul
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


def _turnover(cell: str, total: Any, inflammation: Any, drive: Any, y: Named, p: Named) -> dict[str, Any]:
    """DQ = λ + 2ρP − (π + μ)Q, dP = πQ − (ρ + μP + …)P, for one kind of T cell; ``drive`` is E2/(1 + Z)."""

    def of(name: str) -> Any:
        return getattr(p, f"{cell}_{name}")

    quiescent, cycling = getattr(y, f"{cell}_quiescent_per_ul"), getattr(y, f"{cell}_cycling_per_ul")
    shortage = power(of("setpoint_per_ul") / maximum(total, _POOL_FLOOR_PER_UL), p.homeostatic_exponent)
    slowed = 1.0 - p.septic_cycling_fall_fraction * inflammation
    entry = of("cycling_per_day") * minimum(shortage, _DRIVE_CEILING) * slowed + of("cycling_max_per_day") * drive  # π
    kept = 1.0 - p.survival_max_fraction * y.survival
    septic = p.septic_death_per_day * inflammation
    loss = (of("loss_per_day") * (total / of("setpoint_per_ul")) + septic) * kept  # μ
    return {
        f"{cell}_quiescent_per_ul": of("thymic_per_ul_day")
        + 2.0 * p.division_per_day * cycling
        - (entry + loss) * quiescent,
        f"{cell}_cycling_per_ul": entry * quiescent
        - (p.division_per_day + p.cycling_loss_per_day + 0.5 * septic * kept) * cycling,
    }


def _healthy_loss(p: Named, cell: str) -> Any:
    setpoint, entry = getattr(p, f"{cell}_setpoint_per_ul"), getattr(p, f"{cell}_cycling_per_day")
    cycling = setpoint * entry / (entry + p.division_per_day + p.cycling_loss_per_day)
    made = getattr(p, f"{cell}_thymic_per_ul_day") + (p.division_per_day - p.cycling_loss_per_day) * cycling
    return made / (setpoint - cycling)


def _receptor_at_rest(p: Named, concentration: Any) -> Any:
    bound = concentration / (p.affinity_ng_per_ml + concentration)
    faster = (p.receptor_turnover_bound_per_day - p.receptor_turnover_per_day) * bound
    return p.receptor_turnover_per_day / (p.receptor_turnover_per_day + faster)
