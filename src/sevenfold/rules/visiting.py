"""Whether a visit can be recorded as it is said: planned, in its window, with values that can be what they say."""

from collections.abc import Mapping
from math import isfinite

from sevenfold.errors import InvalidInput
from sevenfold.protocol.protocol import Protocol

__all__ = ["check_visit"]


def check_visit(
    protocol: Protocol, subject: str, visit: str, study_day: int | None, results: Mapping[str, tuple[float, str]]
) -> None:
    """Refuse a visit that the protocol does not know, a day outside its window, and values that are none.

    Args:
        study_day: None before randomisation, when the first dose's day is not known yet.
        results: value and unit by the variable's name.

    Raises:
        InvalidInput: naming subject, visit, what was found and what would be right.
    """
    schedule = protocol.schedule
    if visit not in schedule.names:
        raise InvalidInput(f"{subject}: no visit {visit!r} is planned; planned are {', '.join(schedule.names)}.")
    planned = schedule.visit(visit)
    last_day = planned.last_day + (1 if planned.hours_after_dose is not None else 0)  # hours may pass midnight
    if study_day is not None and not planned.first_day <= study_day <= last_day:
        raise InvalidInput(
            f"{subject}: visit {visit!r} is planned for days {planned.first_day} to {planned.last_day} and cannot be "
            f"recorded for day {study_day}; record what was done under the visit whose window it lies in."
        )
    variables = protocol.known_variables
    for name, (value, unit) in results.items():
        if name not in variables:
            raise InvalidInput(f"{subject}, visit {visit!r}: nothing called {name!r} is measured in this trial.")
        if not isfinite(value):
            raise InvalidInput(f"{subject}, visit {visit!r}: {name} is {value}, which is not a measured value.")
        if unit != (variables[name].unit or ""):
            raise InvalidInput(
                f"{subject}, visit {visit!r}: {name} came in {unit!r}; it is recorded in "
                f"{variables[name].unit or ''!r}."
            )
