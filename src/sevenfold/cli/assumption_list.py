"""``sevenfold run … --assume list``: every assumption that a run may set, with its value, its range and its source."""

import sys

from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.icu.ranges import range_of

__all__ = ["print_assumptions"]


def print_assumptions() -> int:
    """One a line, in the order in which they are shipped."""
    for one in shipped().by_name.values():
        low, high = range_of(one)
        sys.stdout.write(
            f"{one.name:<34} {one.value:>8g}  {one.unit:<16} {low:g} to {high:g}  ({one.status}: {one.source})\n"
        )
    return 0
