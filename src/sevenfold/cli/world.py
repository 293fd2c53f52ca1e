"""The world of a rehearsal as the command line asks for it: the virtual ICU's assumptions, its patients' population."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from sevenfold.calibrate.draw import PopulationDraw, population_draw
from sevenfold.calibrate.shipped import shipped_posterior
from sevenfold.errors import InvalidInput
from sevenfold.trial.icu.assumptions import Assumptions, shipped

__all__ = ["World", "assumptions_of", "world_of"]


@final
@dataclass(frozen=True, slots=True)
class World:
    """What the virtual patients live in.

    Args:
        population: a draw of the posterior; None for the shipped typical values.
    """

    assume: Assumptions
    population: PopulationDraw | None

    @property
    def typical(self) -> Mapping[str, float]:
        """Parameters of the typical virtual patient, where they are not those shipped."""
        return self.population.values if self.population is not None else {}


def world_of(chosen: argparse.Namespace) -> World:
    """The shipped virtual ICU, with the draw of the posterior that the seed chooses if asked for, and what was set."""
    is_typical = getattr(chosen, "parameters", "typical") == "typical"
    drawn = None if is_typical else population_draw(shipped_posterior("all"), chosen.seed)
    given = {**(drawn.assumptions if drawn is not None else {}), **assumptions_of(chosen.assume)}
    return World(shipped().changed(given), drawn)


def assumptions_of(given: list[str]) -> dict[str, float]:
    """``NAME=VALUE`` as given, by name.

    Raises:
        InvalidInput: not so written.
    """
    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        try:
            values[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise InvalidInput(
                f"--assume {text!r}: write NAME=VALUE with a number, such as treatment_effect_through_alc=1."
            )
    return values
