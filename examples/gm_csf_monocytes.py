"""GM-CSF and monocytes that sepsis has silenced: HLA-DR on monocytes falls with inflammation and rises under GM-CSF.

Marrow makes monocytes and releases them; GM-CSF hastens both. Monocytes take GM-CSF up, so that the sink grows with
them. HLA-DR on a monocyte follows a target that inflammation lowers and GM-CSF raises.

For illustration. No value was read in a paper for this file: each is remembered (recalled) or chosen (assumed), and
says so. Look at it with ``sevenfold model show examples/gm_csf_monocytes.py``.
"""

from sevenfold.mechanism import Entry, Output, Page, Parameter, Provenance, State, exp, maximum, term

STATES = (
    State(name="depot_ug", symbol="A0", unit="µg", scale=1e-1, group="GM-CSF", what="GM-CSF under the skin"),
    State(name="central_ug", symbol="A1", unit="µg", scale=1e-2, group="GM-CSF", what="GM-CSF in plasma"),
    State(
        name="marrow_per_ul", symbol="P", unit="cells/µL", scale=1.0, group="Monocytes",
        what="monocytes in marrow, as blood would count them",
    ),
    State(
        name="monocytes_per_ul", symbol="M", unit="cells/µL", scale=1.0, group="Monocytes", what="monocytes in blood",
    ),
    State(
        name="hladr_per_cell", symbol="H", unit="antibodies/cell", scale=100.0, group="Function",
        what="HLA-DR on a monocyte",
    ),
)  # fmt: skip

PARAMETERS = (
    Parameter(
        name="absorbed_per_day", symbol="ka", value=6.0, unit="/day", cv=0.3, low=0.0, prior_cv=0.4,
        status=Provenance.RECALLED, source="peak two to four hours after an injection under the skin, remembered",
    ),
    Parameter(
        name="bioavailable_fraction", symbol="F", value=0.7, unit="fraction", cv=0.0, low=0.0, high=1.0,
        status=Provenance.ASSUMED, source="most of a small protein arrives",
    ),
    Parameter(
        name="clearance_l_per_day", symbol="CL", value=150.0, unit="L/day", cv=0.3, low=0.0, prior_cv=0.5,
        status=Provenance.ASSUMED, source="with the volume, a half-life of about an hour by the kidneys",
    ),
    Parameter(
        name="volume_l", symbol="V", value=9.0, unit="L", cv=0.2, low=0.1, prior_cv=0.4,
        status=Provenance.ASSUMED, source="plasma and part of the extracellular fluid",
    ),
    Parameter(
        name="capacity_ug_per_day", symbol="Umax", value=100.0, unit="µg/day", cv=0.3, low=0.0, prior_cv=1.0,
        status=Provenance.ASSUMED, source="a share of clearance comparable to the kidneys' at low concentration",
    ),
    Parameter(
        name="affinity_ng_per_ml", symbol="Kd", value=1.0, unit="ng/mL", cv=0.0, low=1e-6, prior_cv=1.0,
        status=Provenance.ASSUMED, source="order of magnitude",
    ),
    Parameter(
        name="half_signal_ng_per_ml", symbol="EC50", value=0.5, unit="ng/mL", cv=0.4, low=1e-6, prior_cv=1.0,
        status=Provenance.ASSUMED, source="half of Kd: not every receptor is needed",
    ),
    Parameter(
        name="monocyte_setpoint_per_ul", symbol="M*", value=500.0, unit="cells/µL", cv=0.3, low=1.0, prior_cv=0.2,
        status=Provenance.RECALLED, source="normal adult, remembered",
    ),
    Parameter(
        name="monocyte_loss_per_day", symbol="muM", value=0.7, unit="/day", cv=0.0, low=0.01, prior_cv=0.3,
        status=Provenance.RECALLED, source="a classical monocyte stays in blood for about a day, remembered",
    ),
    Parameter(
        name="released_per_day", symbol="kR", value=0.5, unit="/day", cv=0.0, low=0.01, prior_cv=0.5,
        status=Provenance.ASSUMED, source="monocytes wait a day or two in the marrow",
    ),
    Parameter(
        name="release_gain", symbol="gR", value=2.0, unit="ratio", cv=0.0, low=0.0, prior_cv=0.7,
        status=Provenance.ASSUMED, source="GM-CSF empties the marrow up to three times as fast",
    ),
    Parameter(
        name="production_gain", symbol="gP", value=1.5, unit="ratio", cv=0.3, low=0.0, prior_cv=0.7,
        status=Provenance.ASSUMED, source="and raises production up to 2.5-fold",
    ),
    Parameter(
        name="hladr_in_health_per_cell", symbol="H*", value=20000.0, unit="antibodies/cell", cv=0.25, low=1.0,
        prior_cv=0.2, status=Provenance.RECALLED, source="healthy people have more than 15 000, remembered",
    ),
    Parameter(
        name="hladr_septic_fall_fraction", symbol="sH", value=0.75, unit="fraction", cv=0.0, low=0.0, high=1.0,
        status=Provenance.RECALLED, source="below 8 000 is called immunoparalysis, remembered",
    ),
    Parameter(
        name="hladr_gain", symbol="gH", value=1.5, unit="ratio", cv=0.3, low=0.0, prior_cv=0.7,
        status=Provenance.ASSUMED, source="chosen so that GM-CSF restores most of what sepsis took",
    ),
    Parameter(
        name="hladr_turnover_per_day", symbol="kH", value=0.8, unit="/day", cv=0.0, low=0.0, prior_cv=0.4,
        status=Provenance.ASSUMED, source="a monocyte's HLA-DR follows within a day or two",
    ),
    Parameter(
        name="inflammation_decay_day", symbol="tauI", value=7.0, unit="day", cv=0.5, low=0.1, prior_cv=0.5,
        status=Provenance.ASSUMED, source="suppression lasts a week or more in those who do badly",
    ),
)  # fmt: skip

ENTRIES = (
    Entry(route="SC", state="depot_ug", fraction="bioavailable_fraction", first_step_day=1e-3),
    Entry(route="IV", state="central_ug", fraction=None, first_step_day=1e-4),
)

OUTPUTS = (
    Output(name="gm_csf_ng_per_ml", unit="ng/mL", what="GM-CSF in plasma"),
    Output(name="monocyte_count_per_ul", unit="cells/µL", what="monocytes in blood"),
    Output(name="monocyte_hladr_per_cell", unit="antibodies/cell", what="HLA-DR on monocytes"),
)


def derive(p):
    """Production that keeps a healthy count, and the marrow that goes with it (both at rest, without GM-CSF)."""
    made = p.monocyte_loss_per_day * p.monocyte_setpoint_per_ul
    return {
        "made_per_ul_day": term("made_per_ul_day", made, symbol="k0", unit="cells/µL/day", what="production at rest"),
        "marrow_at_rest_per_ul": term(
            "marrow_at_rest_per_ul", made / p.released_per_day, symbol="P*", unit="cells/µL", what="marrow at rest"
        ),
    }


def start(p):
    """Sepsis at its height: HLA-DR at its septic target, no drug yet."""
    nothing = 0.0 * p.volume_l
    return {
        "depot_ug": nothing,
        "central_ug": nothing,
        "marrow_per_ul": p.marrow_at_rest_per_ul,
        "monocytes_per_ul": p.monocyte_setpoint_per_ul,
        "hladr_per_cell": p.hladr_in_health_per_cell * (1.0 - p.hladr_septic_fall_fraction),
    }


def rates(time_day, y, p):
    """GM-CSF comes and goes; marrow, blood and HLA-DR follow its signal."""
    concentration = term("gm_csf_now_ng_per_ml", maximum(y.central_ug, 0.0) / p.volume_l, symbol="C", unit="ng/mL",
                         what="GM-CSF in plasma")  # fmt: skip
    absorbed = term(
        "absorbed_ug_per_day", p.absorbed_per_day * y.depot_ug, symbol="J", unit="µg/day", what="absorption"
    )
    uptake = term(
        "uptake_ug_per_day",
        p.capacity_ug_per_day
        * (y.monocytes_per_ul / p.monocyte_setpoint_per_ul)
        * concentration
        / (p.affinity_ng_per_ml + concentration),
        symbol="U", unit="µg/day", what="uptake by monocytes",
    )  # fmt: skip
    signal = term(
        "signal", concentration / (p.half_signal_ng_per_ml + concentration), symbol="S", unit="fraction",
        what="GM-CSF signal",
    )  # fmt: skip
    inflammation = term(
        "inflammation", exp(-time_day / p.inflammation_decay_day), symbol="I", unit="ratio",
        what="septic inflammation, 1 at the start",
    )  # fmt: skip
    released = term(
        "released_per_ul_day", p.released_per_day * (1.0 + p.release_gain * signal) * y.marrow_per_ul, symbol="L",
        unit="cells/µL/day", what="release from marrow",
    )  # fmt: skip
    target = term(
        "hladr_target_per_cell",
        p.hladr_in_health_per_cell
        * (1.0 - p.hladr_septic_fall_fraction * inflammation)
        * (1.0 + p.hladr_gain * signal),
        symbol="HT", unit="antibodies/cell", what="where HLA-DR is heading",
    )  # fmt: skip
    return {
        "depot_ug": -absorbed,
        "central_ug": absorbed - p.clearance_l_per_day * concentration - uptake,
        "marrow_per_ul": p.made_per_ul_day * (1.0 + p.production_gain * signal) - released,
        "monocytes_per_ul": released - p.monocyte_loss_per_day * y.monocytes_per_ul,
        "hladr_per_cell": p.hladr_turnover_per_day * (target - y.hladr_per_cell),
    }


def observe(time_day, y, p):
    """What the laboratory measures."""
    return {
        "gm_csf_ng_per_ml": y.central_ug / p.volume_l,
        "monocyte_count_per_ul": y.monocytes_per_ul,
        "monocyte_hladr_per_cell": y.hladr_per_cell,
    }


PAGE = Page(
    name="gm_csf_monocytes",
    title="GM-CSF, monocytes and their HLA-DR in sepsis",
    states=STATES,
    parameters=PARAMETERS,
    entries=ENTRIES,
    outputs=OUTPUTS,
    derive=derive,
    start=start,
    rates=rates,
    observe=observe,
)
