"""What an analysis is adjusted for or stratified by: baseline, what is known of everybody, and the protocol's own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.variable import Kind

__all__ = ["Adjustment", "adjustment", "strata_of"]

_NUMBERS: Final = {"age": "age_year", "weight": "weight_kg"}
_WORDS: Final = ("country", "site", "sex")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """Covariates of the subjects of an analysis, baseline apart.

    Args:
        numbers: name -> (subject,), nan where it is not known.
        factors: name -> (subject,), empty where it is not known; those with one level among the analysed are left out.
        has_baseline: whether the plan adjusts for baseline too.
        notes: what was left out, and why.
    """

    numbers: dict[str, NDArray[np.float64]]
    factors: dict[str, NDArray[np.str_]]
    has_baseline: bool
    notes: tuple[str, ...]

    @property
    def is_known(self) -> NDArray[np.bool_] | None:
        """(subject,) whether every covariate is known; None where there is none."""
        known = [np.isfinite(column) for column in self.numbers.values()]
        known += [column != "" for column in self.factors.values()]
        return np.logical_and.reduce(known) if known else None

    def taken(self, chosen: NDArray[np.bool_]) -> "Adjustment":
        """The covariates of some of these subjects."""
        return replace(
            self,
            numbers={name: column[chosen] for name, column in self.numbers.items()},
            factors={name: words[chosen] for name, words in self.factors.items()},
        )


def adjustment(
    names: Sequence[str], cohort: Cohort, protocol: Protocol, place: NDArray[np.intp], is_used: NDArray[np.bool_]
) -> Adjustment:
    """The covariates of a plan for some subjects.

    Args:
        place: of the subjects in the cohort.
        is_used: which of them have a response.
    """
    numbers: dict[str, NDArray[np.float64]] = {}
    factors: dict[str, NDArray[np.str_]] = {}
    notes = []
    for name in (name for name in names if name != "baseline"):
        if _is_number(name, protocol):
            numbers[name] = np.array([_number(cohort, i, name) for i in place])
            continue
        words = np.array([_word(cohort, i, name) for i in place], dtype=np.str_)
        if len(set(words[is_used].tolist())) > 1:
            factors[name] = words
        else:
            notes.append(f"Only one {name} is left among those analysed, so it is not in the model.")
    return Adjustment(numbers=numbers, factors=factors, has_baseline="baseline" in names, notes=tuple(notes))


def strata_of(names: Sequence[str], cohort: Cohort, place: NDArray[np.intp]) -> NDArray[np.str_] | None:
    """(subject,) the stratum that the named words put each subject in; None where none is named."""
    if not names:
        return None
    return np.array([" / ".join(_word(cohort, i, name) for name in names) for i in place], dtype=np.str_)


def _is_number(name: str, protocol: Protocol) -> bool:
    if name in _NUMBERS:
        return True
    return name not in _WORDS and protocol.known_variables[name].kind is not Kind.CATEGORY


def _number(cohort: Cohort, place: int, name: str) -> float:
    one = cohort.subjects[place]
    return float(getattr(one, _NUMBERS[name]) if name in _NUMBERS else one.covariates.get(name, np.nan))


def _word(cohort: Cohort, place: int, name: str) -> str:
    one = cohort.subjects[place]
    value = getattr(one, name) if name in _WORDS else one.covariates.get(name, "")
    return "" if value != value else str(value)  # noqa: PLR0124  a fact that is not known is nan
