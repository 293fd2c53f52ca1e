"""Who is blind to what: to the treatment, and to the assessments that would betray it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from sevenfold.protocol.part import Id, Part, Text, contradiction

__all__ = ["Masking", "Randomisation"]


class Masking(Part):
    """The blind.

    Args:
        blind: roles that must not learn the treatment.
        unblinded: roles outside the trial team that may.
        assessments: measured after randomisation but kept sealed until the planned unblinding.
    """

    blind: tuple[Text, ...] = Field(min_length=1)
    unblinded: tuple[Text, ...] = ()
    assessments: tuple[Id, ...] = ()
    note: Text | None = None

    @model_validator(mode="after")
    def _one_side_each(self) -> Self:
        both = sorted(set(self.blind) & set(self.unblinded))
        if both:
            raise contradiction(f"role {both[0]!r} is listed as blind and as unblinded", "unblinded")
        return self


class Randomisation(Part):
    """Permuted blocks of random length within strata.

    Args:
        ratio: how many of each arm stand in the shortest block.
        block_repeats: a block is the ratio over again, one of these many times, drawn afresh.
        strata: what the lists are separate for: ``country``, ``site``, or a category known at screening.
    """

    ratio: dict[Id, Annotated[int, Field(ge=1, le=100)]] = Field(min_length=2)
    block_repeats: tuple[Annotated[int, Field(ge=1, le=20)], ...] = Field(default=(1,), min_length=1)
    strata: tuple[Id, ...] = ()
