"""A repeated-measures model from a formula and a data frame, Polars or pandas, with rows for its questions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.frame_columns import codes, frame_columns, in_order, in_time, seen
from sevenfold.analysis.mmrm.longitudinal import Longitudinal, without_missing
from sevenfold.errors import InvalidDesign, InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    from formulaic import ModelSpec

__all__ = ["FormulaModel", "formula_model"]

_MOST_CELLS: Final = 10_000
_NAME: Final = re.compile(r"`([^`]+)`|\b([A-Za-z_]\w*)\b(?!\s*(?:\(|\.|=[^=]))")  # not a function's or an argument's
_CODED: Final = re.compile(r"C\(\s*(?P<name>.+?)\s*[,)]")  # a number taken as a factor
Value = str | float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FormulaModel:
    """Data with the design that a formula describes, and rows of least-squares means and contrasts for it.

    Args:
        data: what to fit.
        levels: factor -> its levels, the first is the reference of the coding; of a number under ``C()`` its values.
        typical: number -> its mean over the measurements used.
    """

    data: Longitudinal
    levels: Mapping[str, tuple[Value, ...]]
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
            if name in self.levels and self._level(name, value) not in self.levels[name]:
                raise InvalidInput(f"{name!r} has no level {value!r}; it has {', '.join(map(str, self.levels[name]))}.")
        free = [name for name in self.levels if name not in at]
        cells = list(product(*(self.levels[name] for name in free)))
        if len(cells) > _MOST_CELLS:
            raise InvalidInput(f"{len(cells)} combinations of {', '.join(free)}: say where some of them stand.")
        grid = {name: [cell[place] for cell in cells] for place, name in enumerate(free)}
        fixed = {name: [at.get(name, typical)] * len(cells) for name, typical in self.typical.items()}
        named = {name: [self._level(name, at[name])] * len(cells) for name in at if name in self.levels}
        rows = self._spec.get_model_matrix(_pandas({**grid, **fixed, **named}, self.levels))
        return np.asarray(np.asarray(rows, dtype=np.float64).mean(axis=0))

    def _level(self, name: str, value: Value) -> Value:
        """A level as the data have it: the word of a category of numbers, the number of a number under ``C()``."""
        return str(value) if isinstance(self.levels[name][0], str) else value

    def difference(self, factor: str, level: Value, reference: Value, **at: Value) -> Array:
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
    alphabet. A number is one unless the formula says ``C(VISIT)``. Rows with a missing response or covariate are left
    out and counted.

    Args:
        frame: one row a measurement.
        subject: column of the patient.
        visit: column of the visit; its order is that of ``visits``, of the category, or of the alphabet, but numbers
            within words by their size: "week 4" comes before "week 12".
        group: column whose levels have a covariance of their own (with ``ByGroup``).
        times_day: of the visits, for covariances by time.

    Raises:
        InvalidInput: a column that is not there; a patient, visit or group that is missing; a second row of a patient
            at a visit; a response that is not a number.
        InvalidDesign: no model, or columns that others determine.
    """
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    try:
        parsed = Formula(formula)
        used = _named_in(parsed, {str(name) for name in frame.columns})
    except FormulaicError as error:
        raise InvalidDesign(f"{formula!r} is no formula: {error}.") from None
    if not hasattr(parsed, "lhs"):
        raise InvalidDesign(f"{formula!r} has no response; write it like 'FEV1 ~ ARMCD * AVISIT'.")
    columns = frame_columns(frame, [*used, subject, visit, *([group] if group else [])])
    for name, whose in ((subject, "patient"), (visit, "visit"), *([(group, "group")] if group else [])):
        row = next((row for row, value in enumerate(columns[name].values) if value is None), None)
        if row is not None:
            raise InvalidInput(f"Column {name!r} is empty in row {row}; every measurement belongs to a {whose}.")
    levels = {name: column.levels for name, column in columns.items() if column.levels is not None}
    order = tuple(visits) if visits is not None else in_time(columns[visit])
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
    present = {name: seen(levels[name], kept[name]) for name in used if name in levels}
    try:
        made = parsed.get_model_matrix(_pandas(kept, present), na_action="raise")
    except (FormulaicError, ValueError, TypeError) as error:
        raise InvalidDesign(f"{formula!r} cannot be laid over these data: {error}.") from None
    spec = made.rhs.model_spec
    design = np.full((len(complete), made.rhs.shape[1]), np.nan)
    design[complete] = np.asarray(made.rhs, dtype=np.float64)
    response = np.full(len(complete), np.nan)
    if made.lhs.shape[1] != 1:
        raise InvalidInput(f"The response {parsed.lhs} holds words, not numbers; read the column as numbers.")
    response[complete] = np.asarray(made.lhs, dtype=np.float64)[:, 0]
    if np.isinf(response).any():
        row = int(np.flatnonzero(np.isinf(response))[0])
        raise InvalidInput(
            f"The response {parsed.lhs} is not finite in row {row} ({subject} {columns[subject].values[row]}, visit "
            f"{columns[visit].values[row]!r}); leave it empty, and it is counted as missing."
        )
    asked_for = columns.get(str(parsed.lhs))
    if asked_for is not None:  # rows left out for a covariate are told apart from those without a response
        response[~complete & np.array([value is not None for value in asked_for.values])] = 0.0
    _refuse_repeated(columns[subject].values, columns[visit].values, np.isfinite(response), subject)
    groups = in_order(columns[group].values) if group else ("all",)
    data = without_missing(
        response,
        design,
        columns=tuple(str(name) for name in spec.column_names),
        subject=codes(columns[subject].values, in_order(columns[subject].values)),
        visit=codes(columns[visit].values, order),
        visits=order,
        times_day=times_day,
        group=codes(columns[group].values, groups) if group else None,
        groups=groups,
    )
    asked = _named_in(spec.formula, set(used))
    coded = {match["name"].strip("`") for factor in spec.factors if (match := _CODED.match(str(factor))) is not None}
    factors: dict[str, tuple[Value, ...]] = {name: found for name, found in present.items() if name in asked}
    factors |= {name: tuple(sorted(set(kept[name]))) for name in used if name in coded - set(present)}
    return FormulaModel(
        data=data,
        levels=factors,
        typical={name: float(np.mean(kept[name])) for name in used if name in asked and name not in factors},
        _spec=spec,
    )


def _named_in(formula: Any, there: set[str]) -> list[str]:
    """The columns that a formula or one of its sides reads, also within ``center()`` and the like, whose variables
    formulaic does not tell.
    """
    found = {str(name) for name in formula.required_variables}
    sides = [formula.lhs, formula.rhs] if hasattr(formula, "rhs") else [formula]
    for factor in (factor for side in sides for term in side for factor in term.factors):
        found |= {quoted or plain for quoted, plain in _NAME.findall(str(factor.expr))} & there
    return sorted(found)


def _refuse_repeated(subjects: Sequence[Any], visits: Sequence[Any], is_used: NDArray[np.bool_], column: str) -> None:
    """Name the patient of whom two measurements belong to one visit."""
    first: dict[tuple[Any, Any], int] = {}
    for row in map(int, np.flatnonzero(is_used)):
        cell = subjects[row], visits[row]
        if cell in first:
            raise InvalidInput(
                f"Rows {first[cell]} and {row} both hold a measurement of {column} {cell[0]} at visit {cell[1]!r}; "
                "keep one row per patient and visit."
            )
        first[cell] = row


def _pandas(columns: Mapping[str, Sequence[Any]], levels: Mapping[str, Sequence[Value]]) -> "pd.DataFrame":
    """As formulaic takes it, without the conversion of Polars that would need Arrow."""
    import pandas as pd

    return pd.DataFrame(
        {
            name: pd.Categorical(list(values), categories=list(levels[name]))
            if _is_words(levels.get(name))
            else list(values)
            for name, values in columns.items()
        }
    )


def _is_words(levels: Sequence[Value] | None) -> bool:
    """Whether these are the levels of a factor, and not the values of a number under ``C()``."""
    return levels is not None and isinstance(levels[0], str)
