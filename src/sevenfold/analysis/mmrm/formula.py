"""A repeated-measures model from a formula and a data frame, Polars or pandas, with rows for its questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.longitudinal import Longitudinal, without_missing
from sevenfold.errors import InvalidDesign, InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    from formulaic import ModelSpec

__all__ = ["FormulaModel", "formula_model"]

_MOST_CELLS: Final = 10_000
Value = str | float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FormulaModel:
    """Data with the design that a formula describes, and rows of least-squares means and contrasts for it.

    Args:
        data: what to fit.
        levels: factor -> its levels, the first is the reference of the coding.
        typical: number -> its mean over the measurements used.
    """

    data: Longitudinal
    levels: Mapping[str, tuple[str, ...]]
    typical: Mapping[str, float]
    _spec: "ModelSpec"

    def mean(self, **at: Value) -> Array:
        """The row of a least-squares mean: factors that are not named at equal weights over their levels, numbers at
        their means over the measurements used.

        Args:
            at: factor or number -> where it stands, such as ``mean(ARMCD="TRT", AVISIT="VIS4")``.

        Raises:
            InvalidInput: a name or a level that the model does not have.
        """
        for name, value in at.items():
            if name not in self.levels and name not in self.typical:
                raise InvalidInput(f"The model has no {name!r}; it has {', '.join((*self.levels, *self.typical))}.")
            if name in self.levels and value not in self.levels[name]:
                raise InvalidInput(f"{name!r} has no level {value!r}; it has {', '.join(self.levels[name])}.")
        free = [name for name in self.levels if name not in at]
        cells = list(product(*(self.levels[name] for name in free)))
        if len(cells) > _MOST_CELLS:
            raise InvalidInput(f"{len(cells)} combinations of {', '.join(free)}: say where some of them stand.")
        grid = {name: [cell[place] for cell in cells] for place, name in enumerate(free)}
        fixed = {name: [at.get(name, typical)] * len(cells) for name, typical in self.typical.items()}
        named = {name: [value] * len(cells) for name, value in at.items() if name in self.levels}
        rows = self._spec.get_model_matrix(_pandas({**grid, **fixed, **named}, self.levels))
        return np.asarray(np.asarray(rows, dtype=np.float64).mean(axis=0))

    def difference(self, factor: str, level: str, reference: str, **at: Value) -> Array:
        """The row of the difference of two means: ``difference("ARMCD", "TRT", "PBO", AVISIT="VIS4")``."""
        return np.asarray(self.mean(**{factor: level}, **at) - self.mean(**{factor: reference}, **at))

    def equal(self, factor: str, **at: Value) -> Array:
        """Rows for the joint test that all levels of a factor have one mean (SAS's type 3 test of a main effect)."""
        if factor not in self.levels:
            raise InvalidInput(f"The model has no factor {factor!r}; it has {', '.join(self.levels)}.")
        first, *others = self.levels[factor]
        return np.stack([self.difference(factor, level, first, **at) for level in others])

    def alike(self, factor: str, over: str, **at: Value) -> Array:
        """Rows for the joint test of an interaction: differences between a factor's levels alike over another's."""
        first, *others = self.levels[over]
        base = self.equal(factor, **{over: first}, **at)
        return np.concatenate([self.equal(factor, **{over: level}, **at) - base for level in others])


def formula_model(
    formula: str,
    frame: "pl.DataFrame | pd.DataFrame",
    *,
    subject: str,
    visit: str,
    visits: Sequence[str] | None = None,
    group: str | None = None,
    times_day: Sequence[float] | None = None,
) -> FormulaModel:
    """The model that a formula describes, in R's notation as ``formulaic`` reads it: ``FEV1 ~ RACE + ARMCD * AVISIT``.

    Words and categories are factors in treatment coding; their levels come in the order of the category, else of the
    alphabet. Rows with a missing response or covariate are left out and counted.

    Args:
        frame: one row a measurement.
        subject: column of the patient.
        visit: column of the visit; its order is that of ``visits``, of the category, or of the alphabet.
        group: column whose levels have a covariance of their own (with ``ByGroup``).
        times_day: of the visits, for covariances by time.

    Raises:
        InvalidInput: a column that is not there, or a visit that is missing.
        InvalidDesign: no model, or columns that others determine.
    """
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    try:
        parsed = Formula(formula)
        used = sorted(str(name) for name in parsed.required_variables)
    except FormulaicError as error:
        raise InvalidDesign(f"{formula!r} is no formula: {error}.") from None
    if not hasattr(parsed, "lhs"):
        raise InvalidDesign(f"{formula!r} has no response; write it like 'FEV1 ~ ARMCD * AVISIT'.")
    columns = _columns(frame, [*used, subject, visit, *([group] if group else [])])
    if any(value is None for value in columns[visit].values):
        raise InvalidInput(f"Column {visit!r} is empty in some rows; every measurement belongs to a visit.")
    levels = {name: column.levels for name, column in columns.items() if column.levels is not None}
    order = tuple(visits) if visits is not None else levels.get(visit) or _sorted(columns[visit].values)
    strange = sorted({str(value) for value in columns[visit].values} - set(order))
    if strange:
        raise InvalidInput(f"Column {visit!r} holds {strange[0]!r}, which is not among the visits {', '.join(order)}.")
    complete = np.array(
        [all(value is not None for value in row) for row in zip(*(columns[name].values for name in used), strict=True)]
    )
    if not complete.any():
        raise InvalidInput(f"No row has all of {', '.join(used)}.")
    kept = {
        name: [value for value, is_in in zip(columns[name].values, complete, strict=True) if is_in] for name in used
    }
    present = {name: _present(levels[name], kept[name]) for name in used if name in levels}
    try:
        made = parsed.get_model_matrix(_pandas(kept, present), na_action="raise")
    except (FormulaicError, ValueError, TypeError) as error:
        raise InvalidDesign(f"{formula!r} cannot be laid over these data: {error}.") from None
    spec = made.rhs.model_spec
    design = np.full((len(complete), made.rhs.shape[1]), np.nan)
    design[complete] = np.asarray(made.rhs, dtype=np.float64)
    response = np.full(len(complete), np.nan)
    response[complete] = np.asarray(made.lhs, dtype=np.float64)[:, 0]
    asked_for = columns.get(str(parsed.lhs))
    if asked_for is not None:  # rows left out for a covariate are told apart from those without a response
        response[~complete & np.array([value is not None for value in asked_for.values])] = 0.0
    groups = _sorted(columns[group].values) if group else ("all",)
    data = without_missing(
        response,
        design,
        columns=tuple(str(name) for name in spec.column_names),
        subject=_codes(columns[subject].values, _sorted(columns[subject].values)),
        visit=_codes(columns[visit].values, order),
        visits=order,
        times_day=times_day,
        group=_codes(columns[group].values, groups) if group else None,
        groups=groups,
    )
    asked = {str(name) for name in spec.required_variables}
    return FormulaModel(
        data=data,
        levels={name: found for name, found in present.items() if name in asked},
        typical={name: float(np.mean(kept[name])) for name in used if name in asked and name not in present},
        _spec=spec,
    )


@final
@dataclass(frozen=True, slots=True)
class _Column:
    """A column's values, None where missing, and the levels of a factor; None of a number."""

    values: list[Any]
    levels: tuple[str, ...] | None


def _columns(frame: Any, names: Sequence[str]) -> dict[str, _Column]:
    there = [str(name) for name in frame.columns]
    found = {}
    for name in names:
        if name not in there:
            raise InvalidInput(f"The data frame has no column {name!r}; it has {', '.join(there)}.")
        is_polars = isinstance(frame, pl.DataFrame)
        raw = frame[name].to_list() if is_polars else frame[name].tolist()
        values = [None if value is None or value != value else value for value in raw]  # noqa: PLR0124
        is_word = any(isinstance(value, str) for value in values)
        if is_word:
            values = [None if value is None else str(value) for value in values]
        found[name] = _Column(values, (_ordered(frame[name], is_polars) or _sorted(values)) if is_word else None)
    return found


def _ordered(column: Any, is_polars: bool) -> tuple[str, ...] | None:
    """The levels of a category, in its order."""
    if is_polars:
        return tuple(column.dtype.categories.to_list()) if isinstance(column.dtype, pl.Enum) else None
    categories = getattr(column.dtype, "categories", None)
    return None if categories is None else tuple(str(one) for one in categories)


def _sorted(values: Sequence[Any]) -> tuple[str, ...]:
    """Distinct values in order, numbers by size; the names of groups, visits or patients."""
    return tuple(str(value) for value in sorted({value for value in values if value is not None}))


def _present(levels: Sequence[str], values: Sequence[Any]) -> tuple[str, ...]:
    seen = set(values)
    return tuple(level for level in levels if level in seen)


def _codes(values: Sequence[Any], order: Sequence[str]) -> NDArray[np.intp]:
    place = {name: index for index, name in enumerate(order)}
    return np.array([place[str(value)] for value in values], dtype=np.intp)


def _pandas(columns: Mapping[str, Sequence[Any]], levels: Mapping[str, Sequence[str]]) -> "pd.DataFrame":
    """As formulaic takes it, without the conversion of Polars that would need Arrow."""
    import pandas as pd

    return pd.DataFrame(
        {
            name: pd.Categorical(list(values), categories=list(levels[name])) if name in levels else list(values)
            for name, values in columns.items()
        }
    )
