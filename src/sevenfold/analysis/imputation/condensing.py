"""Patients seen at the same visits condensed to a few rows that tell the model as much: what makes refits cheap.

In a model with every term at every visit, the patients of a pattern (an arm with a covariance of its own, the visits
used) enter the likelihood by their number and by the sums of squares and products of terms and responses only. The
triangle R of the QR decomposition of their rows [terms, responses] has the same sums, in no more rows than columns.

Source: docs/theory/imputation.md.
"""

from dataclasses import replace

import numpy as np

from sevenfold.analysis.column import Flags, Integers, Numbers
from sevenfold.analysis.mmrm.arrays import Array, Index
from sevenfold.analysis.mmrm.longitudinal import Longitudinal
from sevenfold.analysis.mmrm.panel import Panel, arrange

__all__ = ["alike", "condensed", "laid_out"]


def laid_out(
    response: Numbers, used: Flags, terms: Array, group: Index, *, visits: tuple[str, ...], groups: tuple[str, ...]
) -> Longitudinal:
    """Measurements with a coefficient of every term at every visit.

    Args:
        response: # (patient, visit).
        used: which of them the model is fitted to  # (patient, visit).
        terms: # (patient, term).
        group: of each patient, an index into ``groups``  # (patient,).

    Raises:
        InvalidInput: a visit or a group without a measurement.
        InvalidDesign: terms that others determine.
    """
    patient, visit = np.nonzero(used)
    design = (terms[patient][:, :, None] * np.eye(len(visits))[visit][:, None, :]).reshape(
        len(patient), terms.shape[1] * len(visits)
    )
    return Longitudinal(
        response[used],
        design,
        columns=tuple(f"{i} × {name}" for i in range(terms.shape[1]) for name in visits),
        subject=patient,
        visit=visit,
        visits=visits,
        group=group[patient],
        groups=groups,
    )


def condensed(
    response: Numbers, used: Flags, terms: Array, group: Index, *, visits: tuple[str, ...], groups: tuple[str, ...]
) -> Panel:
    """The panel of ``laid_out`` with as few rows as have the same likelihood; arguments and errors as there."""
    kept = used.any(axis=1)
    keys = np.column_stack([group, used])[kept]
    first, pattern_of = alike(keys)
    patterns, n_in = keys[first], np.bincount(pattern_of)
    y, z = response[kept], terms[kept]
    n_terms = z.shape[1]
    few_y, few_z, few_of = [], [], []
    for number, pattern in enumerate(patterns):
        rows, seen = pattern_of == number, pattern[1:] == 1
        triangle = np.asarray(np.linalg.qr(np.concatenate([z[rows], y[rows][:, seen]], axis=1), mode="r"))
        grid = np.zeros((len(triangle), len(visits)))
        grid[:, seen] = triangle[:, n_terms:]
        few_y.append(grid)
        few_z.append(triangle[:, :n_terms])
        few_of.append(np.full(len(triangle), number))
    place = np.concatenate(few_of)
    few = laid_out(
        np.concatenate(few_y),
        patterns[place, 1:] == 1,
        np.concatenate(few_z),
        patterns[place, 0].astype(np.intp),
        visits=visits,
        groups=groups,
    )
    return replace(arrange(few, is_by_group=len(groups) > 1), n_in=n_in.astype(np.float64))


def alike(keys: Integers) -> tuple[Index, Index]:
    """Rows with the same key: the first row of each key, keys ascending, and which key each row has.

    Keys are packed into one number each, which sorts many times as fast as rows do.

    Args:
        keys: whole numbers from 0 on  # (row, part of the key).
    """
    sizes = keys.max(axis=0, initial=0) + 1
    if float(np.prod(sizes.astype(np.float64))) >= 2.0**62:  # more than a number holds
        _, first, code = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return first, code
    place = np.concatenate([np.cumprod(sizes[:0:-1])[::-1], [1]])
    _, first, code = np.unique(keys @ place, return_index=True, return_inverse=True)
    return first, code
