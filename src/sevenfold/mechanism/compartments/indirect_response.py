"""What a drug does to a turnover: a response that is made and lost, one of which the drug slows or speeds."""

import math
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from functools import cache
from typing import Any

from sevenfold.mechanism.compartments.entering import assumed
from sevenfold.mechanism.page import Named, Output, Page, Parameter, State

__all__ = ["Effect", "with_indirect_response"]


class Effect(Enum):
    """The four models, by the numbers of the paper."""

    INHIBITS_PRODUCTION = 1
    INHIBITS_LOSS = 2
    STIMULATES_PRODUCTION = 3
    STIMULATES_LOSS = 4


@cache
def with_indirect_response(page: Page, effect: Effect) -> Page:
    """A page of the drug's disposition, with a response R that it changes.

    dR/dt = kin·(1 ± E) - kout·R or kin - kout·(1 ± E)·R with E = Emax·C/(EC50 + C), plus for what stimulates; C is the
    page's first output, and R rests at kin/kout. An inhibitor's Emax lies between 0 and 1.

    Source: [dayneka1993].
    """
    driver = page.outputs[0]
    is_stimulated = effect in (Effect.STIMULATES_PRODUCTION, Effect.STIMULATES_LOSS)
    is_production = effect in (Effect.INHIBITS_PRODUCTION, Effect.STIMULATES_PRODUCTION)

    def rates(time_day: Any, y: Named, p: Named) -> Mapping[str, Any]:
        concentration = page.observe(time_day, y, p)[driver.name]
        share = p.effect_max * concentration / (p.effect_half + concentration)
        factor = 1.0 + share if is_stimulated else 1.0 - share
        made, lost = p.response_made_per_day, p.response_lost_per_day * y.response
        change = made * factor - lost if is_production else made - lost * factor
        return {**page.rates(time_day, y, p), "response": change}

    return replace(
        page,
        name=f"{page.name}_{effect.name.lower()}",
        title=f"{page.title}; a response whose turnover the drug changes",
        states=(*page.states, State(name="response", unit="ratio", scale=1e-6, what="the response, in its own unit")),
        parameters=(*page.parameters, *_parameters(driver.unit, is_stimulated=is_stimulated)),
        outputs=(*page.outputs, Output(name="response", unit="ratio", what="the response, in its own unit")),
        start=lambda p: {**page.start(p), "response": p.response_made_per_day / p.response_lost_per_day},
        rates=rates,
        observe=lambda time_day, y, p: {**page.observe(time_day, y, p), "response": y.response},
    )


def _parameters(unit: str, *, is_stimulated: bool) -> tuple[Parameter, ...]:
    return (
        assumed("response_made_per_day", "kin", 10.0, "/day", "in the response's unit a day"),
        assumed("response_lost_per_day", "kout", 0.1, "/day", is_positive=True),
        assumed("effect_max", "Emax", 2.0 if is_stimulated else 0.8, "ratio", high=math.inf if is_stimulated else 1.0),
        assumed("effect_half", "EC50", 1.0, unit, "the driver at half the greatest effect", is_positive=True),
    )
