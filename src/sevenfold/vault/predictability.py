"""How well somebody who sees every earlier allocation of a stratum guesses the next, and how far arms drift apart.

The guesser knows the ratio and the lengths that a block may have, not which one is drawn. After each allocation the
chance of every (length, what is left of the block) is brought up to date by Bayes' rule, and the likeliest arm is
guessed: nobody guesses better. In a blinded trial nobody sees the allocations; this is the worst case.

Source: [blackwell1957] for blocks of one length.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, final

import numpy as np

from sevenfold.seed import Stream
from sevenfold.vault.allocation import PermutedBlocks

__all__ = ["Predictability", "predictability"]

_LISTS: Final = 200  # each gives the chance of a right guess, not a guess: few are enough, and a start waits for them

Left = tuple[int, ...]
Belief = dict[Left, float]  # what is left of the present block, by arm, and the chance of that


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Predictability:
    """Of a scheme, in one stratum.

    Args:
        by_chance: share that is guessed right by always naming the commonest arm.
        correct: share that the best guesser gets right, over the first ``n_places`` places.
        correct_se: its Monte Carlo standard error.
        certain: share of the places at which the next arm is certain.
        imbalance: the most subjects by which an arm may differ from its share at any moment; exact.
    """

    n_places: int
    by_chance: float
    correct: float
    correct_se: float
    certain: float
    imbalance: Fraction


def predictability(scheme: PermutedBlocks, n_places: int, seed: int = 1) -> Predictability:
    """Over 200 lists drawn from the scheme; never from a trial's own."""
    arms = tuple(dict.fromkeys(scheme.ratio))
    ratio = tuple(scheme.ratio.count(arm) for arm in arms)
    shares = [Fraction(count, len(scheme.ratio)) for count in ratio]
    widest = max(share * len(scheme.ratio) * (1 - share) for share in shares)
    found = np.array([_guessed(ratio, scheme.repeats, n_places, Stream(seed, f"list {i}")) for i in range(_LISTS)])
    return Predictability(
        n_places=n_places,
        by_chance=float(max(shares)),
        correct=float(found[:, 0].mean()),
        correct_se=float(found[:, 0].std(ddof=1) / np.sqrt(_LISTS)),
        certain=float(found[:, 1].mean()),
        imbalance=max(scheme.repeats) * widest,
    )


def _guessed(ratio: Left, repeats: tuple[int, ...], n_places: int, stream: Stream) -> tuple[float, float]:
    """Of one list: the mean chance that the best guess is right, and the share of places that are certain."""
    uniform = iter(stream.uniform(draw=np.arange(2 * n_places)))
    begun = {tuple(times * count for count in ratio): repeats.count(times) / len(repeats) for times in repeats}
    belief, left, right, n_certain = dict(begun), tuple[int, ...](), 0.0, 0
    for _ in range(n_places):
        if not any(left):
            times = repeats[int(next(uniform) * len(repeats))]
            left = tuple(times * count for count in ratio)
        chances = [sum(chance * rest[arm] / sum(rest) for rest, chance in belief.items()) for arm in range(len(ratio))]
        right += max(chances)
        n_certain += max(chances) > 1 - 1e-12
        arm = int(np.searchsorted(np.cumsum(left), next(uniform) * sum(left), side="right"))
        left = _without(left, arm)
        belief = _after(belief, arm, chances[arm], begun)
    return right / n_places, n_certain / n_places


def _after(belief: Belief, arm: int, chance: float, begun: Belief) -> Belief:
    """What the guesser believes once an arm was seen; where a block may be over, another may begin."""
    updated: Belief = {}
    for rest, weight in belief.items():
        if not rest[arm]:
            continue
        new, share = _without(rest, arm), weight * rest[arm] / sum(rest) / chance
        for follows, part in ({new: 1.0} if any(new) else begun).items():
            updated[follows] = updated.get(follows, 0.0) + share * part
    return updated


def _without(left: Left, arm: int) -> Left:
    return (*left[:arm], left[arm] - 1, *left[arm + 1 :])
