"""How safety is told: the criteria that grade it, how long after the last dose it counts, and what the dead count
as.
"""

from typing import Annotated, Literal

from pydantic import Field

from sevenfold.protocol.part import In, Part, Text

__all__ = ["Safety"]


class Safety(Part):
    """What the analysis of safety follows.

    Args:
        ctcae: the version of the Common Terminology Criteria for Adverse Events that is pinned; None where none is,
            and then no laboratory value is graded.
        emergent_for_day: an event or a value counts as treatment-emergent until this long after the last dose; None:
            to the end of follow-up.
        support_free_to_day: days alive and free of organ support are counted up to this study day.
        dead_count_as: how many such days somebody has who died by then.
        expected: terms of serious events that the disease brings anyway, which are not reported at once.
    """

    ctcae: Literal["4.03", "5.0", "6.0"] | None = None
    emergent_for_day: Annotated[float, In("day", above=0.0, at_most=3650.0)] | None = Field(
        default=None, alias="emergent_for"
    )
    support_free_to_day: Annotated[int, Field(ge=2, le=3650)] = 28
    dead_count_as: Literal[0, -1] = -1
    expected: tuple[Text, ...] = ()
