"""An IL-15 agonist under the skin, and the NK and CD8 T cells that grow under it and eat it.

The idea is that of IL-7: a cytokine is cleared by the cells that answer it, so that each dose grows the sink which
meets the next. NK cells carry most of the receptor (CD122) and answer most. Loss of cells is constant; under IL-15 they
divide, less and less as they near a ceiling.

For illustration. No value was read in a paper for this file: each is remembered (recalled) or chosen (assumed), and
says so. Look at it with ``sevenfold model show examples/il15_nk.py``.
"""

from sevenfold.mechanism import Entry, Output, Page, Parameter, Provenance, State, maximum, term

CELLS = ("nk", "cd8")

STATES = (
    State(name="depot_ug", symbol="A0", unit="µg", scale=1e-1, group="IL-15 agonist", what="drug under the skin"),
    State(name="central_ug", symbol="A1", unit="µg", scale=1e-2, group="IL-15 agonist", what="drug in plasma"),
    State(name="effect", symbol="E", unit="fraction", scale=1e-2, group="Effect", what="IL-15 signal, delayed"),
    State(name="nk_per_ul", symbol="NK", unit="cells/µL", scale=1.0, group="Lymphocytes", what="NK cells"),
    State(name="cd8_per_ul", symbol="T8", unit="cells/µL", scale=1.0, group="Lymphocytes", what="memory CD8 T cells"),
)

PARAMETERS = (
    Parameter(
        name="absorbed_per_day", symbol="ka", value=1.0, unit="/day", cv=0.3, low=0.0, prior_cv=0.5,
        status=Provenance.ASSUMED, source="a large fusion protein leaves the skin over about a day",
    ),
    Parameter(
        name="bioavailable_fraction", symbol="F", value=0.5, unit="fraction", cv=0.0, low=0.0, high=1.0,
        status=Provenance.ASSUMED, source="middle of what subcutaneous proteins show",
    ),
    Parameter(
        name="clearance_l_per_day", symbol="CL", value=2.0, unit="L/day", cv=0.3, low=0.0, prior_cv=0.5,
        status=Provenance.ASSUMED, source="with the volume, a half-life of about a day where no cell takes the drug up",
    ),
    Parameter(
        name="volume_l", symbol="V", value=3.0, unit="L", cv=0.2, low=0.1, prior_cv=0.3,
        status=Provenance.ASSUMED, source="plasma volume, as for other large proteins",
    ),
    Parameter(
        name="capacity_ug_per_day", symbol="Umax", value=60.0, unit="µg/day", cv=0.3, low=0.0, prior_cv=1.0,
        status=Provenance.ASSUMED, source="chosen so that uptake and clearance are alike at rest",
    ),
    Parameter(
        name="affinity_ng_per_ml", symbol="Kd", value=5.0, unit="ng/mL", cv=0.0, low=1e-6, prior_cv=1.0,
        status=Provenance.ASSUMED, source="order of magnitude of effective concentrations",
    ),
    Parameter(
        name="nk_share_of_sink_fraction", symbol="wNK", value=0.7, unit="fraction", cv=0.0, low=0.0, high=1.0,
        status=Provenance.ASSUMED, source="NK cells carry more CD122 than CD8 T cells; by how much is a guess",
    ),
    Parameter(
        name="half_signal_ng_per_ml", symbol="EC50", value=2.0, unit="ng/mL", cv=0.4, low=1e-6, prior_cv=1.0,
        status=Provenance.ASSUMED, source="below the affinity: few receptors suffice",
    ),
    Parameter(
        name="signal_delay_per_day", symbol="kE", value=0.7, unit="/day", cv=0.0, low=0.0,
        status=Provenance.ASSUMED, source="cells divide a day or two after they were called",
    ),
    Parameter(
        name="nk_setpoint_per_ul", symbol="NK*", value=200.0, unit="cells/µL", cv=0.3, low=1.0, prior_cv=0.2,
        status=Provenance.RECALLED, source="normal adult, remembered",
    ),
    Parameter(
        name="cd8_setpoint_per_ul", symbol="T8*", value=250.0, unit="cells/µL", cv=0.3, low=1.0, prior_cv=0.3,
        status=Provenance.RECALLED, source="memory half of a normal adult's CD8 T cells, remembered",
    ),
    Parameter(
        name="nk_loss_per_day", symbol="muNK", value=0.07, unit="/day", cv=0.0, low=0.0, prior_cv=0.3,
        status=Provenance.RECALLED, source="NK cells live one to two weeks, remembered",
    ),
    Parameter(
        name="cd8_loss_per_day", symbol="mu8", value=0.02, unit="/day", cv=0.0, low=0.0, prior_cv=0.5,
        status=Provenance.RECALLED, source="memory T cells live weeks to months, remembered",
    ),
    Parameter(
        name="nk_division_per_day", symbol="gNK", value=0.6, unit="/day", cv=0.3, low=0.0, prior_cv=0.7,
        status=Provenance.ASSUMED, source="a few doublings within a week at full signal",
    ),
    Parameter(
        name="cd8_division_per_day", symbol="g8", value=0.3, unit="/day", cv=0.3, low=0.0, prior_cv=0.7,
        status=Provenance.ASSUMED, source="half of NK cells' rate",
    ),
    Parameter(
        name="ceiling", symbol="x", value=8.0, unit="ratio", cv=0.0, low=1.01,
        status=Provenance.ASSUMED, source="cells can't exceed this many times their set point", note="A guess.",
    ),
)  # fmt: skip

ENTRIES = (
    Entry(route="SC", state="depot_ug", fraction="bioavailable_fraction", first_step_day=1e-2),
    Entry(route="IV", state="central_ug", fraction=None, first_step_day=1e-3),
)

OUTPUTS = (
    Output(name="il15_ng_per_ml", unit="ng/mL", what="IL-15 agonist in plasma"),
    Output(name="nk_fold", unit="ratio", what="NK cells against their set point"),
    Output(name="cd8_fold", unit="ratio", what="memory CD8 T cells against their set point"),
)


def derive(p):
    """Nothing: there is no drug before the first dose, and cells rest at their set point."""
    return {}


def start(p):
    """Health, without drug."""
    return {
        "depot_ug": 0.0 * p.volume_l,
        "central_ug": 0.0 * p.volume_l,
        "effect": 0.0 * p.volume_l,
        "nk_per_ul": p.nk_setpoint_per_ul,
        "cd8_per_ul": p.cd8_setpoint_per_ul,
    }


def rates(time_day, y, p):
    """Drug is absorbed, cleared and eaten; its delayed effect makes cells divide."""
    concentration = term("il15_now_ng_per_ml", maximum(y.central_ug, 0.0) / p.volume_l, symbol="C", unit="ng/mL",
                         what="drug in plasma")  # fmt: skip
    absorbed = term(
        "absorbed_ug_per_day", p.absorbed_per_day * y.depot_ug, symbol="J", unit="µg/day", what="absorption"
    )
    sink = term(
        "sink",
        p.nk_share_of_sink_fraction * y.nk_per_ul / p.nk_setpoint_per_ul
        + (1.0 - p.nk_share_of_sink_fraction) * y.cd8_per_ul / p.cd8_setpoint_per_ul,
        symbol="N", unit="ratio", what="receptor on all cells, against health",
    )  # fmt: skip
    uptake = term(
        "uptake_ug_per_day",
        p.capacity_ug_per_day * sink * concentration / (p.affinity_ng_per_ml + concentration),
        symbol="U", unit="µg/day", what="uptake by NK and CD8 T cells",
    )  # fmt: skip
    signal = term(
        "signal", concentration / (p.half_signal_ng_per_ml + concentration), symbol="S", unit="fraction",
        what="IL-15 signal",
    )  # fmt: skip
    change = {
        "depot_ug": -absorbed,
        "central_ug": absorbed - p.clearance_l_per_day * concentration - uptake,
        "effect": p.signal_delay_per_day * (signal - y.effect),
    }
    for cell in CELLS:
        count, rest = getattr(y, f"{cell}_per_ul"), getattr(p, f"{cell}_setpoint_per_ul")
        room = 1.0 - count / (p.ceiling * rest)
        divided = term(
            f"{cell}_divided_per_ul_day", getattr(p, f"{cell}_division_per_day") * y.effect * room * count,
            symbol=f"D{cell.upper()}", unit="cells/µL/day", what=f"division of {cell.upper()} cells under IL-15",
        )  # fmt: skip
        change[f"{cell}_per_ul"] = getattr(p, f"{cell}_loss_per_day") * (rest - count) + divided
    return change


def observe(time_day, y, p):
    """Concentration and fold rise."""
    return {
        "il15_ng_per_ml": y.central_ug / p.volume_l,
        "nk_fold": y.nk_per_ul / p.nk_setpoint_per_ul,
        "cd8_fold": y.cd8_per_ul / p.cd8_setpoint_per_ul,
    }


PAGE = Page(
    name="il15_nk",
    title="IL-15 agonist, NK and CD8 T cells",
    states=STATES,
    parameters=PARAMETERS,
    entries=ENTRIES,
    outputs=OUTPUTS,
    derive=derive,
    start=start,
    rates=rates,
    observe=observe,
)
