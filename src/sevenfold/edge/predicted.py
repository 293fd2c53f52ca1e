"""What is told of a randomisation scheme before a trial starts: how well it is guessed, how far arms may drift."""

from sevenfold.edge.supply import supply_of
from sevenfold.protocol.load import ProtocolFile
from sevenfold.vault.allocation import PermutedBlocks
from sevenfold.vault.predictability import predictability

__all__ = ["scheme_told"]


def scheme_told(file: ProtocolFile) -> list[str]:
    """A few sentences, for a terminal."""
    supply = supply_of(file)
    found = predictability(PermutedBlocks(supply.ratio, supply.block_repeats), supply.n_planned)
    lengths = " or ".join(str(times * len(supply.ratio)) for times in sorted(set(supply.block_repeats)))
    strata = f"in each of {len(supply.strata)} strata" if len(supply.strata) > 1 else "in one list"
    return [
        f"Randomisation: permuted blocks of {lengths} {strata}.",
        f"Whoever saw every earlier allocation of a stratum would guess {found.correct:.1%} of the next "
        f"(± {1.96 * found.correct_se:.1%}; naming the commonest arm {found.by_chance:.1%}); {found.certain:.1%} are "
        "certain.",
        f"At no moment is an arm more than {float(found.imbalance):.3g} subjects from its share within a stratum.",
    ]
