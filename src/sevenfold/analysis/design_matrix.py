"""A trial's columns as a linear model reads them: who can be analysed, and the columns of the design."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sevenfold.analysis.column import Flags, Labels, Numbers, labels, numbers
from sevenfold.errors import InvalidInput

__all__ = ["Columns", "LeftOut", "Margins"]


class Margins(Enum):
    """What a least-squares mean averages factors over; contrasts of arms don't depend on it."""

    EQUAL = "each level alike"
    OBSERVED = "as the analysed patients"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Patients who don't enter the analysis, for one reason."""

    reason: str
    n: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """One trial's columns, checked; nan or an empty label where something was not observed."""

    response: Numbers
    arm: Labels
    covariates: Mapping[str, Numbers] = field(default_factory=dict)
    factors: Mapping[str, Labels] = field(default_factory=dict)

    @classmethod
    def checked(
        cls,
        arms: tuple[str, ...],
        response: ArrayLike,
        arm: ArrayLike,
        covariates: Mapping[str, ArrayLike],
        factors: Mapping[str, ArrayLike],
    ) -> "Columns":
        """Columns of equal length, with arms that the model knows."""
        y = numbers("response", response, missing=True)
        n = len(y)
        arm_of = labels("arm", arm, n)
        unknown = sorted(set(np.unique(arm_of).tolist()) - set(arms))
        if unknown:
            raise InvalidInput(f"Some patients are in {unknown}; the arms of this model are {arms}.")
        return cls(
            response=y,
            arm=arm_of,
            covariates={name: numbers(name, column, n, missing=True) for name, column in covariates.items()},
            factors={name: labels(name, column, n) for name, column in factors.items()},
        )

    def complete(self) -> tuple[Flags, tuple[LeftOut, ...]]:
        """Who can be analysed, and how many can't for which reason."""
        used, left_out = np.ones(len(self.response), dtype=np.bool_), []
        missing = {"response": np.isnan(self.response)}
        missing |= {name: np.isnan(column) for name, column in self.covariates.items()}
        missing |= {name: column == "" for name, column in self.factors.items()}
        for name, is_missing in missing.items():
            n = int((used & is_missing).sum())
            if n:
                left_out.append(LeftOut(reason=f"{name} not observed", n=n))
            used &= ~is_missing
        return used, tuple(left_out)

    def design(self, arms: tuple[str, ...], margins: Margins, used: Flags) -> NDArray[np.float64]:
        """One column per arm, then covariates and factors, centred so that the arms' parameters are means."""
        arm = self.arm[used]
        columns = [(arm == a).astype(np.float64) for a in arms]
        for covariate in self.covariates.values():
            x = covariate[used]
            columns.append(x - x.mean())
        for factor in self.factors.values():
            levels, code = np.unique(factor[used], return_inverse=True)
            indicator = np.eye(len(levels))[code]  # (patient, level)
            centre = indicator.mean(axis=0) if margins is Margins.OBSERVED else 1.0 / len(levels)
            columns.extend((indicator - centre)[:, 1:].T)
        return np.column_stack(columns)
