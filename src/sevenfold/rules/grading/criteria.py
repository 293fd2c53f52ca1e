"""The laboratory terms of a version of the CTCAE, each with the limits at which its grades begin. Source: [ctcae403],
[ctcae5], [ctcae6].
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal, final

from sevenfold.errors import InvalidInput
from sevenfold.rules.grading.limit import Limit, read_limit

__all__ = ["VERSIONS", "Criterion", "criteria", "criteria_for"]

VERSIONS: Final = ("4.03", "5.0", "6.0")

Direction = Literal["low", "high"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A term and when a value of one variable has which grade of it.

    Args:
        name: as the NCI spells it.
        system: organ class.
        variable: what is measured, by its name in a protocol.
        direction: which way is worse.
        limits: grade -> any one of these; a value has the highest grade of which one is met.
        beyond: what the term asks besides the value, in its own words; empty where the value tells all.
    """

    name: str
    system: str
    variable: str
    direction: Direction
    limits: Mapping[int, tuple[Limit, ...]]
    beyond: str

    def is_stated_in(self, unit: str) -> bool:
        """Whether values in this unit can be graded."""
        return all(limit.is_stated_in(unit) for limits in self.limits.values() for limit in limits)


@cache
def criteria(version: str) -> dict[str, Criterion]:
    """Every laboratory term of a version that a value can grade, by name.

    Raises:
        InvalidInput: there is no table of this version.
    """
    if version not in VERSIONS:
        raise InvalidInput(f"There is no table of CTCAE {version!r}; there is {', '.join(VERSIONS)}.")
    text = files(__package__).joinpath(f"ctcae-{version}.toml").read_text(encoding="utf-8")
    return {
        term["name"]: Criterion(
            name=term["name"],
            system=term["system"],
            variable=term["variable"],
            direction=term["direction"],
            limits={
                grade: tuple(read_limit(line) for line in term[f"grade_{grade}"])
                for grade in range(1, 5)
                if f"grade_{grade}" in term
            },
            beyond=term.get("beyond", ""),
        )
        for term in tomllib.loads(text)["term"]
    }


def criteria_for(variable: str, version: str) -> tuple[Criterion, ...]:
    """The terms that a variable is graded by, in the table's order; none where the version has none."""
    return tuple(criterion for criterion in criteria(version).values() if criterion.variable == variable)
