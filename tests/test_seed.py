"""Randomness drawn by name and count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.seed import Stream, philox

COUNTS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers(
    counter: tuple[int, int, int, int], key: tuple[int, int], words: tuple[int, ...]
) -> None:
    """The three known answers for philox4x32-10 that Random123 publishes with its source."""
    assert tuple(int(word) for word in philox(counter, key)) == words


@given(trial=COUNTS, subject=COUNTS, draw=st.integers(0, 2**33 - 1), n=st.integers(1, 50))
def test_a_number_does_not_depend_on_what_is_drawn_beside_it(trial: int, subject: int, draw: int, n: int) -> None:
    """One more patient leaves everyone else's fate as it was."""
    stream = Stream(11, "law")
    alone = stream.uniform(trial=trial, subject=subject, draw=draw)
    others = (subject + np.arange(n)) % 2**32
    assert stream.uniform(trial=trial, subject=others, draw=draw)[0] == alone


def test_streams_of_other_names_and_roots_are_other_numbers() -> None:
    draws = np.arange(1000)
    first = Stream(1, "a").uniform(draw=draws)
    for other in (Stream(1, "b"), Stream(2, "a"), Stream(b"1\x00a", "")):
        assert not np.any(first == other.uniform(draw=draws))


def test_uniform_numbers_are_uniform() -> None:
    """Kolmogorov's distance of 100 000 numbers; its 99.99 % point is 2.2253/sqrt(n) (closed form)."""
    n = 100_000
    u = np.sort(Stream(5, "uniform").uniform(subject=np.arange(n), draw=3))
    distance = max(np.max(np.arange(1, n + 1) / n - u), np.max(u - np.arange(n) / n))
    assert distance < 2.2253 / np.sqrt(n)
    assert u[0] > 0.0
    assert u[-1] < 1.0


def test_neighbouring_counts_are_not_correlated() -> None:
    """Correlation of n pairs has standard error 1/sqrt(n); four of them is the limit."""
    n = 50_000
    z = Stream(9, "normal").normal(subject=np.arange(n)[:, None], draw=np.arange(2)[None, :])
    for a, b in ((z[:-1, 0], z[1:, 0]), (z[:, 0], z[:, 1])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4.0 / np.sqrt(n)


def test_an_order_is_a_permutation_and_every_one_is_as_likely() -> None:
    """Chi-squared over the 24 orders of four, 24 000 of them: mean 23, its 99.99 % point is 58.6 (tables)."""
    stream, counts = Stream(4, "order"), dict[tuple[int, ...], int]()
    for subject in range(24_000):
        order = tuple(int(i) for i in stream.order(4, subject=subject))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 58.6
