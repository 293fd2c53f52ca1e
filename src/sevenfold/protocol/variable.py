"""What a trial can talk about: the catalogue of facts, numbers and assessments, with units and what betrays the arm.

A protocol names things from here, and may add its own. A name that stands nowhere is an error with its nearest
neighbour.
"""

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from sevenfold.protocol.part import Id, Part, Text, contradiction

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
        plausible: from and to; a value outside is possible and so rare that the site is asked about it.
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
    plausible: tuple[float | None, float | None] | None = None
    is_yes_or_no: bool = False

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        low, high = self.plausible or (None, None)
        if low is not None and high is not None and low > high:
            raise contradiction(f"{self.id!r} is plausible from {low:g} to {high:g}, which is nowhere", "plausible")
        return self


@cache
def catalogue() -> dict[str, Variable]:
    """The variables that every protocol may name, by name."""
    text = files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {
        name: Variable.model_validate({"id": name, **entry, **_tuples(entry)})
        for name, entry in tomllib.loads(text).items()
    }


def _tuples(entry: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The entry's lists, as the frozen values have them."""
    return {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
