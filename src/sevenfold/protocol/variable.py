"""What a trial can talk about: the catalogue of facts, numbers and assessments, with units and what betrays the arm.

A protocol names things from here, and may add its own. A name that stands nowhere is an error with its nearest
neighbour.
"""

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from sevenfold.protocol.part import Id, Part, Text

__all__ = ["Kind", "Variable", "catalogue"]


class Kind(StrEnum):
    """How something is known."""

    FACT = "fact"  # true or false, from the history or the bedside
    NUMBER = "number"  # measured or counted once, at screening
    LABORATORY = "laboratory"  # measured in a sample
    SCORE = "score"  # worked out from other assessments
    BEDSIDE = "bedside"  # observed at the bedside at a visit
    INFUSION = "infusion"  # a drug given at a rate over a time
    CATEGORY = "category"  # one of several words, known before the first dose: a stratum, a race
    EVENT = "event"  # something that may happen to a subject, such as progression


class Variable(Part):
    """Something that can be observed in a subject.

    Args:
        id: its name in the protocol.
        label: what people call it.
        kind: how it is known.
        unit: in which it is held and reported.
        domain: the table it belongs to in the exported data.
        betrays: whether seeing it after randomisation tells the arm about as surely as a label would.
        components: of a score: what it is worked out from, assessed and recorded with it.
        lower: below this a value is impossible.
        upper: above this a value is impossible.
        is_yes_or_no: 1 stands for found and 0 for not found.
    """

    id: Id
    label: Text
    kind: Annotated[Kind, Field(strict=False)]
    unit: Text | None = None
    domain: Text = "labs"
    betrays: bool = False
    components: tuple[Id, ...] = ()
    lower: float | None = None
    upper: float | None = None
    is_yes_or_no: bool = False


@cache
def catalogue() -> dict[str, Variable]:
    """The variables that every protocol may name, by name."""
    text = files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {
        name: Variable.model_validate({"id": name, **entry, "components": tuple(entry.get("components", ()))})
        for name, entry in tomllib.loads(text).items()
    }
