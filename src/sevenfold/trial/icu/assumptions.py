"""The numbers behind the virtual ICU, with their provenance, and the few that a user may set otherwise."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, final

from sevenfold.errors import InvalidInput
from sevenfold.provenance import Provenance, Sourced
from sevenfold.trial.icu.ranges import check_range

__all__ = ["Assay", "Assumptions", "BackgroundEvent", "assays", "background", "shipped"]


@final
@dataclass(frozen=True, slots=True)
class Assumptions:
    """All of them; an attribute gives the value."""

    by_name: Mapping[str, Sourced]

    def __getattr__(self, name: str) -> float:
        if name.startswith("__") or name not in self.by_name:
            raise AttributeError(name)
        return self.by_name[name].value

    def changed(self, values: Mapping[str, float]) -> "Assumptions":
        """The same with some values set otherwise, marked as assumed by the user.

        Raises:
            InvalidInput: no such assumption, or a value that it cannot have.
        """
        changed = dict(self.by_name)
        for name, value in values.items():
            if name not in changed:
                near = get_close_matches(name, changed, n=1, cutoff=0.0)
                raise InvalidInput(
                    f"The virtual ICU has no assumption {name!r}. Did you mean {near[0]!r}? `sevenfold run PROTOCOL "
                    "--assume list` prints them all."
                )
            old = changed[name]
            check_range(old, value)
            changed[name] = Sourced(
                name=name,
                value=value,
                unit=old.unit,
                status=Provenance.ASSUMED,
                source=f"set for this run (shipped: {old.value:g})",
            )
        return Assumptions(changed)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Assay:
    """How a laboratory measures.

    Args:
        log_sd: biological and analytical variation of one measurement, as a standard deviation of the logarithm.
        digits: to which a value is rounded, as Python's ``round`` counts them.
        lloq: lower limit of quantification; below it ``< lloq`` is reported.
    """

    log_sd: float
    digits: int
    lloq: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundEvent:
    """An adverse event that has nothing to do with the study drug."""

    term: str
    system: str
    per_day: float
    on_ward: float
    grades: tuple[float, ...]


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def shipped() -> Assumptions:
    """What the package ships."""
    return Assumptions(
        {
            name: Sourced(name=name, **{**entry, "status": Provenance(entry["status"])})
            for name, entry in _table("parameters.toml").items()
        }
    )


@cache
def assays() -> dict[str, Assay]:
    """Every laboratory test's assay, by the catalogue's name."""
    return {name: Assay(**entry) for name, entry in _table("assays.toml").items()}


@cache
def background() -> tuple[BackgroundEvent, ...]:
    """What happens in intensive care anyway."""
    return tuple(
        BackgroundEvent(term=term, **{**entry, "grades": tuple(entry["grades"])})
        for term, entry in _table("background.toml").items()
    )
