"""Every page that the project ships, and a small one as text, right in everything, for tests that spoil it."""

from pathlib import Path
from typing import Final

from sevenfold.mechanism.load import BUILT_IN

__all__ = ["ALL", "EXAMPLES", "SMALL"]

EXAMPLES: Final = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
ALL: Final = [*BUILT_IN, *(str(path) for path in EXAMPLES)]
SMALL: Final = '''\
"""T cells made and lost, and a drug that does nothing yet."""

from sevenfold.mechanism import Entry, Output, Page, Parameter, Provenance, State, exp, quantity, term

INVENTED = {"status": Provenance.ASSUMED, "source": "invented"}
STATES = (
    State(name="depot_ug", unit="µg", scale=1e-3, what="drug"),
    State(name="cells_per_ul", unit="cells/µL", scale=1.0, what="T cells"),
)
PARAMETERS = (
    Parameter(name="made_per_ul_day", symbol="p", value=20.0, unit="cells/µL/day", cv=0.0, low=0.0, **INVENTED),
    Parameter(name="lost_per_day", symbol="d", value=0.02, unit="/day", cv=0.0, low=0.0, high=1.0, **INVENTED),
    Parameter(name="absorbed_per_day", symbol="ka", value=2.0, unit="/day", cv=0.0, low=0.0, **INVENTED),
)
ENTRIES = (Entry(route="IM", state="depot_ug", fraction=None, first_step_day=1e-2),)


def rates(time_day, y, p):
    lost = term("lost", p.lost_per_day * y.cells_per_ul, unit="cells/µL/day")
    return {
        "depot_ug": -p.absorbed_per_day * y.depot_ug,
        "cells_per_ul": p.made_per_ul_day - lost,
    }


PAGE = Page(
    name="small",
    title="small",
    states=STATES,
    parameters=PARAMETERS,
    entries=ENTRIES,
    outputs=(Output(name="count", unit="cells/µL", what="count"),),
    derive=lambda p: {},
    start=lambda p: {"depot_ug": 0.0, "cells_per_ul": p.made_per_ul_day / p.lost_per_day},
    rates=rates,
    observe=lambda t, y, p: {"count": y.cells_per_ul},
)
'''
