"""The same covariance structure with parameters of its own in each group, usually in each arm."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.covariance.structure import Family, Structure

__all__ = ["ByGroup", "Stack"]


@final
@dataclass(frozen=True, slots=True)
class ByGroup:
    """A structure estimated separately in each group of patients; SAS's REPEATED … / GROUP=.

    Without it patients of all groups share one Σ.
    """

    structure: Structure

    @property
    def label(self) -> str:
        """The structure in words."""
        return f"{self.structure.label} by group"


@final
@dataclass(frozen=True, slots=True)
class Stack:
    """One family for each group, θ of the groups one after another.

    Args:
        groups: the groups' names; a single one where all patients share one Σ.
    """

    family: Family
    groups: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The family's names, with the group where there is more than one."""
        if len(self.groups) == 1:
            return self.family.names
        return tuple(f"{name} {group}" for group in self.groups for name in self.family.names)

    def sigma(self, theta: Array) -> Array:
        """Σ of each group  # (group, visit, visit)."""
        return np.stack([self.family.sigma(own) for own in self._each(theta)])

    def slopes(self, theta: Array) -> Array:
        """∂Σ/∂θ of each group by its own parameters  # (group, own parameter, visit, visit)."""
        return np.stack([self.family.slopes(own) for own in self._each(theta)])

    def curvatures(self, theta: Array) -> Array | None:
        """∂²Σ/∂θ∂θ of each group  # (group, own parameter, own parameter, visit, visit); None where Σ is linear."""
        second = [self.family.curvatures(own) for own in self._each(theta)]
        known = [one for one in second if one is not None]
        return np.stack(known) if known else None

    def start(self, moments: Array) -> Array:
        """A rough θ from each group's moments  # (group, visit, visit)."""
        return np.concatenate([self.family.start(own) for own in moments])

    def free(self, theta: Array) -> Array:
        """θ on the unbounded scale."""
        return np.concatenate([self.family.free(own) for own in self._each(theta)])

    def bound(self, free: Array) -> tuple[Array, Array]:
        """θ and its block-diagonal Jacobian from the unbounded scale."""
        jacobian = np.zeros((free.size, free.size))
        theta = np.empty(free.size)
        size = free.size // len(self.groups)
        for group, own in enumerate(self._each(free)):
            block = slice(group * size, (group + 1) * size)
            theta[block], jacobian[block, block] = self.family.bound(own)
        return theta, jacobian

    def _each(self, stacked: Array) -> Array:
        return stacked.reshape(len(self.groups), -1)
