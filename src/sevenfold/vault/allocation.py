"""The list: permuted blocks of random length for each stratum, drawn from a sealed secret."""

from dataclasses import dataclass
from typing import final

from sevenfold.errors import InvalidDesign
from sevenfold.seed import Stream

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

    def allocate(self, n: int, stream: Stream, stratum: int) -> tuple[str, ...]:
        """The first ``n`` arms of a stratum's list."""
        arms: list[str] = []
        block = 0
        while len(arms) < n:
            u = float(stream.uniform(trial=stratum, subject=block, draw=2**32))
            length = self.repeats[int(u * len(self.repeats))]
            members = self.ratio * length
            arms += [members[i] for i in stream.order(len(members), trial=stratum, subject=block)]
            block += 1
        return tuple(arms[:n])


def allocation_list(scheme: PermutedBlocks, strata: tuple[str, ...], n: int, secret: bytes) -> dict[str, list[str]]:
    """A list of ``n`` places for every stratum, from the secret."""
    stream = Stream(secret, "allocation")
    return {stratum: list(scheme.allocate(n, stream, index)) for index, stratum in enumerate(strata)}
