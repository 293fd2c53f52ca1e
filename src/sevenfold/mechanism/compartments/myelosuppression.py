"""Cells that grow, mature through three compartments and circulate, with a feedback; a drug kills those that grow."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from sevenfold.mechanism.compartments.entering import assumed
from sevenfold.mechanism.expression import maximum, power
from sevenfold.mechanism.page import Named, Output, Page, State

__all__ = ["with_myelosuppression"]

_MATURING: Final = ("maturing_1_per_nl", "maturing_2_per_nl", "maturing_3_per_nl")
_CELLS: Final = ("growing_per_nl", *_MATURING, "circulating_per_nl")
_FLOOR: Final = 1e-12  # of the resting count: keeps the feedback finite


@cache
def with_myelosuppression(page: Page) -> Page:
    """A page of the drug's disposition, with the cells that it suppresses.

    With k = 4/MTT, the feedback φ = (N₀/N)^γ of circulating cells N and E = slope·C (C is the page's first output):
    dG/dt = k·G·((1 - E)·φ - 1), dM₁/dt = k·(G - M₁), … dN/dt = k·(M₃ - N). All rest at N₀.

    Source: [friberg2002].
    """
    driver = page.outputs[0]

    def rates(time_day: Any, y: Named, p: Named) -> Mapping[str, Any]:
        concentration = page.observe(time_day, y, p)[driver.name]
        passed = 4.0 / p.mean_maturation_day
        count = maximum(y.circulating_per_nl, _FLOOR * p.circulating_at_rest_per_nl)
        feedback = power(p.circulating_at_rest_per_nl / count, p.feedback)
        killed = p.killed_per_concentration * concentration
        change = {"growing_per_nl": passed * y.growing_per_nl * ((1.0 - killed) * feedback - 1.0)}
        before = y.growing_per_nl
        for name in (*_MATURING, "circulating_per_nl"):
            here = getattr(y, name)
            change[name] = passed * (before - here)
            before = here
        return {**page.rates(time_day, y, p), **change}

    return replace(
        page,
        name=f"{page.name}_myelosuppression",
        title=f"{page.title}; suppression of a blood cell",
        states=(
            *page.states,
            State(name="growing_per_nl", unit="10^9/L", scale=1e-6, what="cells that divide"),
            *(State(name=name, unit="10^9/L", scale=1e-6, what="cells that mature") for name in _MATURING),
            State(name="circulating_per_nl", unit="10^9/L", scale=1e-6, what="cells in blood"),
        ),
        parameters=(
            *page.parameters,
            assumed("mean_maturation_day", "MTT", 5.0, "day", "from division to blood", is_positive=True),
            assumed("circulating_at_rest_per_nl", "N0", 5.0, "10^9/L", is_positive=True),
            assumed("feedback", "γ", 0.16, "ratio"),
            assumed("killed_per_concentration", "slope", 0.1, "/".join(reversed(driver.unit.split("/")))),
        ),
        outputs=(*page.outputs, Output(name="circulating_per_nl", unit="10^9/L", what="cells in blood")),
        start=lambda p: {**page.start(p), **dict.fromkeys(_CELLS, p.circulating_at_rest_per_nl)},
        rates=rates,
        observe=lambda time_day, y, p: {
            **page.observe(time_day, y, p),
            "circulating_per_nl": y.circulating_per_nl,
        },
    )
