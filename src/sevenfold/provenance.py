"""Where a number comes from and how far it can be trusted."""

from dataclasses import dataclass
from enum import StrEnum
from typing import final

__all__ = ["Provenance", "Sourced"]


class Provenance(StrEnum):
    """How far a number can be trusted."""

    LITERATURE = "literature"  # read in the source named
    CALIBRATED = "calibrated"  # fitted to published summaries
    ASSUMED = "assumed"  # chosen, with the reason
    RECALLED = "recalled"  # remembered, not read; never shown as fact


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """A named number with its unit, its status and its source."""

    name: str
    value: float
    unit: str
    status: Provenance
    source: str
