"""Between which values an assumption makes sense, by its unit and by what its name says that it is.

Wide on purpose: they keep out what is impossible (a negative spread, a share above one) or would overflow, not what is
unlikely.
"""

from math import isfinite
from typing import Final

from sevenfold.errors import InvalidInput
from sevenfold.provenance import Sourced

__all__ = ["check_range", "range_of"]

_BY_ENDING: Final = {
    "_correlation": (-1.0, 1.0),
    "_log_sd": (0.0, 3.0),
    "_recovery_ratio": (0.05, 50.0),
    "_sd": (0.0, 50.0),
}
_BY_UNIT: Final = {
    "fraction": (0.0, 1.0),
    "switch": (0.0, 1.0),
    "/day": (0.0, 10.0),
    "day": (0.05, 1000.0),
    "year": (18.0, 97.0),
    "kg/m²": (10.0, 80.0),
    "points": (0.0, 10.0),
    "log hazard": (-5.0, 5.0),
    "ratio": (0.0, 50.0),
    "pg/mL": (0.01, 1e6),
    "antibodies/cell": (1.0, 1e6),
}
_BY_NAME: Final = {
    "pool_at_entry_median": (0.01, 1.3),
    "sequestration_median": (0.01, 50.0),
    "days_free_before_leaving_icu": (0.0, 1000.0),
}


def range_of(assumption: Sourced) -> tuple[float, float]:
    """The lowest and the highest value that an assumption may be set to, in its own unit."""
    if assumption.name in _BY_NAME:
        return _BY_NAME[assumption.name]
    for ending, ends in _BY_ENDING.items():
        if assumption.name.endswith(ending):
            return ends
    return _BY_UNIT[assumption.unit]


def check_range(assumption: Sourced, value: float) -> None:
    """Refuse a value that the assumption cannot have.

    Raises:
        InvalidInput: it is no finite number, or lies outside the range.
    """
    low, high = range_of(assumption)
    if not (isfinite(value) and low <= value <= high):
        unit = "" if assumption.unit in ("ratio", "switch", "fraction") else f" {assumption.unit}"
        raise InvalidInput(
            f"The assumption {assumption.name!r} cannot be {value:g}; it lies between {low:g} and {high:g}{unit} "
            f"(shipped: {assumption.value:g})."
        )
