"""The predictability of a scheme, against closed forms and an enumeration of every list."""

from fractions import Fraction
from itertools import permutations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.vault.allocation import PermutedBlocks
from sevenfold.vault.predictability import predictability


@pytest.mark.parametrize("half", [1, 2, 3, 4])
def test_blocks_of_one_length_are_guessed_as_blackwell_and_hodges_derived(half: int) -> None:
    """In a block of 2b, b + (4^b / C(2b, b) - 1) / 2 guesses are right in the mean. Source: [blackwell1957]."""
    found = predictability(PermutedBlocks(("a", "b"), (half,)), 2 * half * 3)
    expected = (half + (4**half / comb(2 * half, half) - 1) / 2) / (2 * half)
    assert found.correct == pytest.approx(expected, abs=4 * found.correct_se + 1e-12)
    assert found.by_chance == 0.5


def enumerated(ratio: tuple[str, ...], repeats: tuple[int, ...], n: int) -> float:
    """The best guesser's share, from the probability of every list of ``n`` places: nothing but counting."""
    lists: dict[tuple[str, ...], Fraction] = {(): Fraction(1)}
    done: dict[tuple[str, ...], Fraction] = {}
    while lists:
        longer: dict[tuple[str, ...], Fraction] = {}
        for begun, chance in lists.items():
            for times in repeats:
                orders = list(permutations(ratio * times))
                for order in set(orders):
                    share = chance / len(repeats) * Fraction(orders.count(order), len(orders))
                    whole = (*begun, *order)
                    target = done if len(whole) >= n else longer
                    target[whole[:n]] = target.get(whole[:n], Fraction(0)) + share
        lists = longer
    right = Fraction(0)
    for place in range(n):
        for before in {one[:place] for one in done}:
            follow: dict[str, Fraction] = {}
            for one, chance in done.items():
                if one[:place] == before:
                    follow[one[place]] = follow.get(one[place], Fraction(0)) + chance
            right += max(follow.values())
    return float(right / n)


@pytest.mark.parametrize(
    ("ratio", "repeats", "n"),
    [(("a", "b"), (1, 2), 6), (("a", "b"), (1, 1, 3), 7), (("a", "b", "b"), (1, 2), 6), (("a", "b", "c"), (1,), 5)],
)
def test_the_best_guess_is_what_an_enumeration_of_every_list_finds(
    ratio: tuple[str, ...], repeats: tuple[int, ...], n: int
) -> None:
    """With blocks of random length, unequal and three arms; a length that is named twice is twice as likely."""
    found = predictability(PermutedBlocks(ratio, repeats), n)
    assert found.correct == pytest.approx(enumerated(ratio, repeats, n), abs=4 * found.correct_se + 1e-12)


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.integers(1, 4), min_size=2, max_size=3),
    repeats=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    secret=st.binary(min_size=32, max_size=32),
)
def test_no_list_drifts_farther_than_is_said_and_some_order_does(
    counts: list[int], repeats: list[int], secret: bytes
) -> None:
    """The bound holds at every place of a drawn list; a block sorted by arm attains it."""
    ratio = tuple(arm for arm, count in zip("abc", counts, strict=False) for _ in range(count))
    scheme = PermutedBlocks(ratio, tuple(repeats))
    said = predictability(scheme, 1).imbalance

    def drift(arms: tuple[str, ...]) -> Fraction:
        shares = {arm: Fraction(ratio.count(arm), len(ratio)) for arm in set(ratio)}
        return max(
            abs(arms[:n].count(arm) - n * share) for (arm, share), n in product(shares.items(), range(len(arms) + 1))
        )

    assert drift(scheme.allocate(40, secret, 0)) <= said
    rarest = sorted(set(ratio), key=ratio.count)
    assert max(drift(tuple(sorted(ratio * max(repeats), key=lambda one: one != arm))) for arm in rarest) == said


def test_shorter_blocks_are_guessed_better() -> None:
    """And nobody guesses worse than by naming the commonest arm, or better than always."""
    found = [predictability(PermutedBlocks(("a", "a", "b"), (times,)), 12) for times in (1, 2, 4)]
    assert np.all(np.diff([one.correct for one in found]) < 0)
    assert all(one.by_chance <= one.correct < 1 and 0 < one.certain < one.correct for one in found)
