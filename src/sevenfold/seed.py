"""Randomness drawn by name and count: a counter-based generator that owns no state.

Every number is a pure function of (root seed, use, trial, subject, draw). One more patient leaves everyone else's fate
as it was, two designs meet the same patients, and the answer depends on no order, batch or thread.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Stream", "philox"]

Floats = NDArray[np.float64]

# Multipliers and key increments of Philox4x32. Source: [salmon2011], table 2 and section 3.3.
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_ROUNDS = 10


def philox(counter: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike], key: tuple[int, int]) -> NDArray[np.uint64]:
    """Philox4x32 with ten rounds: four random 32-bit words for every counter.

    Args:
        counter: four words, each below 2**32, broadcast against each other.
        key: two words below 2**32.

    Returns:
        Words in the last axis, shape ``(..., 4)``, each below 2**32.

    Source: [salmon2011]; known answers in tests/test_seed.py.
    """
    words = np.broadcast_arrays(*(np.asarray(word, dtype=np.uint64) for word in counter))
    c0, c1, c2, c3 = words
    k0, k1 = key
    for _ in range(_ROUNDS):
        high, low = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (
            (low >> _32) ^ c1 ^ np.uint64(k0),
            low & _LOW,
            (high >> _32) ^ c3 ^ np.uint64(k1),
            high & _LOW,
        )
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=-1)


@final
@dataclass(frozen=True, slots=True)
class Stream:
    """A named stream of random numbers.

    Args:
        root: the run's seed, or the bytes of a trial's sealed secret.
        use: what the numbers are for, such as ``"dropout"``; another name is another, independent stream.
    """

    root: int | bytes
    use: str

    def uniform(self, *, trial: ArrayLike = 0, subject: ArrayLike = 0, draw: ArrayLike = 0) -> Floats:
        """Uniform numbers strictly between 0 and 1, one for each (trial, subject, draw), broadcast together."""
        index = np.asarray(draw, dtype=np.uint64)
        words = philox((index >> np.uint64(1), subject, trial, 0), self._key())
        odd = (index & np.uint64(1)).astype(bool)
        first = words[..., 0] << _32 | words[..., 1]
        second = words[..., 2] << _32 | words[..., 3]
        bits = np.where(np.broadcast_to(odd, first.shape), second, first)
        return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53

    def normal(self, *, trial: ArrayLike = 0, subject: ArrayLike = 0, draw: ArrayLike = 0) -> Floats:
        """Standard normal numbers, the normal quantiles of :meth:`uniform`."""
        from scipy.special import ndtri  # here: a server starts without it

        return np.asarray(ndtri(self.uniform(trial=trial, subject=subject, draw=draw)), dtype=np.float64)

    def order(self, n: int, *, trial: int = 0, subject: int = 0) -> NDArray[np.intp]:
        """A random order of ``range(n)``, every one equally likely."""
        return np.argsort(self.uniform(trial=trial, subject=subject, draw=np.arange(n)), kind="stable")

    def _key(self) -> tuple[int, int]:
        root = self.root if isinstance(self.root, bytes) else str(self.root).encode()
        digest = blake2b(root + b"\x00" + self.use.encode(), digest_size=8).digest()
        return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")
