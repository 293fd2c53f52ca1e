"""The list: permuted blocks of random length for each stratum, drawn from a sealed secret."""

from dataclasses import dataclass
from typing import final

from sevenfold.errors import InvalidDesign
from sevenfold.vault.keystream import below, shuffled, words

__all__ = ["PermutedBlocks", "allocation_list"]


@final
@dataclass(frozen=True, slots=True)
class PermutedBlocks:
    """Permuted blocks of random length, for one stratum. A block is the ratio, repeated, so none can break it.

    Args:
        ratio: written out, e.g. ``("il7", "il7", "il7", "placebo")`` for 3:1.
        repeats: each block is ``ratio`` over again, one of these many times, drawn afresh.

    Source: [rosenberger2016].
    """

    ratio: tuple[str, ...]
    repeats: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.ratio or not self.repeats or min(self.repeats) < 1:
            raise InvalidDesign(f"A block needs arms and a number of repeats, got {self.ratio} and {self.repeats}.")

    def allocate(self, n: int, secret: bytes, stratum: int) -> tuple[str, ...]:
        """The first ``n`` arms of a stratum's list."""
        arms: list[str] = []
        lengths = words(secret, f"stratum {stratum}: lengths of blocks", n)  # no block is shorter than one place
        for block, word in enumerate(lengths):
            if len(arms) >= n:
                break
            members = self.ratio * self.repeats[below(word, len(self.repeats))]
            arms += [members[i] for i in shuffled(secret, f"stratum {stratum}: block {block}", len(members))]
        return tuple(arms[:n])


def allocation_list(scheme: PermutedBlocks, strata: tuple[str, ...], n: int, secret: bytes) -> dict[str, list[str]]:
    """A list of ``n`` places for every stratum, from the secret."""
    return {stratum: list(scheme.allocate(n, secret, index)) for index, stratum in enumerate(strata)}
