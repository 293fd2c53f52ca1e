"""The allocations that a trial's randomisation could have made: the reference of every randomisation test."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import comb, prod
from typing import Final, final

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from sevenfold.analysis.column import Flags, flags, frozen, labels, positions
from sevenfold.errors import InvalidInput

__all__ = ["Redraws", "enumerated", "redrawn"]

MOST_ENUMERATED: Final = 200_000


@final
@dataclass(frozen=True, slots=True, eq=False)
class Redraws:
    """Who would have been in the active arm, once per re-randomisation of the same patients.

    Args:
        is_active: (draw, patient).
        is_complete: whether these are all possible allocations, each as probable as any other and the actual one among
            them, rather than a random draw of them.
    """

    is_active: Flags
    is_complete: bool = False

    def __post_init__(self) -> None:
        if self.is_active.ndim != 2 or self.is_active.dtype != np.bool_ or not self.is_active.size:
            raise InvalidInput(
                f"Re-randomisations must be True and False by (draw, patient), got {self.is_active.dtype} of shape "
                f"{self.is_active.shape}."
            )
        n_active = self.is_active.sum(axis=1)
        one_arm = (n_active == 0) | (n_active == self.is_active.shape[1])
        if one_arm.any():
            raise InvalidInput(f"Draws {positions(one_arm)} put every patient into one arm; nothing can be compared.")

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.is_active)


def redrawn(redraw: Callable[[Generator], ArrayLike], n_draws: int, rng: Generator) -> Redraws:
    """Allocations drawn by the trial's own scheme.

    Args:
        redraw: gives one flag per patient (active or not), with the strata, the blocks and the order of arrival that
            the trial had.
    """
    if n_draws < 1:
        raise InvalidInput(f"n_draws is {n_draws}; draw at least one allocation.")
    first = flags("a re-randomisation", redraw(rng))
    rows = [first, *(flags("a re-randomisation", redraw(rng), len(first)) for _ in range(n_draws - 1))]
    return Redraws(frozen(np.stack(rows)))


def enumerated(is_active: ArrayLike, block: ArrayLike | None = None) -> Redraws:
    """All allocations that keep the number of active patients in each block.

    Args:
        is_active: the actual allocation.
        block: the block of each patient, distinct between strata; by default everybody is in one.

    Raises:
        InvalidInput: where there are too many to list.
    """
    actual = flags("is_active", is_active)
    blocks = labels("block", np.zeros(len(actual)) if block is None else block, len(actual))
    members = [np.flatnonzero(blocks == b) for b in np.unique(blocks)]
    n_of_block = [comb(len(m), int(actual[m].sum())) for m in members]
    total = prod(n_of_block)
    if total > MOST_ENUMERATED:
        raise InvalidInput(f"There are {total} allocations, more than {MOST_ENUMERATED}; draw some of them instead.")
    rows = np.zeros((1, len(actual)), dtype=np.bool_)
    for member, n in zip(members, n_of_block, strict=True):
        chosen = np.zeros((n, len(actual)), dtype=np.bool_)
        for i, active in enumerate(combinations(member, int(actual[member].sum()))):
            chosen[i, list(active)] = True
        rows = (rows[:, None, :] | chosen[None, :, :]).reshape(-1, len(actual))
    return Redraws(frozen(rows), is_complete=True)
