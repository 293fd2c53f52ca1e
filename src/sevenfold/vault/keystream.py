"""Random words of a sealed secret: the keystream of ChaCha20 under the whole secret. Source: [rfc8439].

The lists and the kit numbers of a vault are drawn from it. The generator of the virtual patients is keyed by 64 bits,
which is enough for chance and too few for a secret.
"""

from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from numpy.typing import NDArray

from sevenfold.sealing import derived_key

__all__ = ["below", "shuffled", "words"]

_KEY_BYTES: Final = 32
_ONE_STREAM_A_KEY: Final = bytes(16)  # counter and nonce: a use has a key of its own, so a nonce tells nothing apart


def words(secret: bytes, use: str, n: int) -> NDArray[np.uint64]:
    """The first ``n`` words of 64 bits for a use; another use is another, independent stream."""
    cipher = Cipher(ChaCha20(derived_key(secret, use, _KEY_BYTES), _ONE_STREAM_A_KEY), mode=None)
    return np.frombuffer(cipher.encryptor().update(bytes(8 * n)), dtype="<u8").astype(np.uint64)


def below(word: np.uint64 | int, limit: int) -> int:
    """A whole number from 0 to ``limit`` - 1, every one equally likely to within ``limit`` / 2^64."""
    return int(word) * limit >> 64


def shuffled(secret: bytes, use: str, n: int) -> NDArray[np.intp]:
    """A random order of ``range(n)``, every one equally likely: the order of ``n`` random words."""
    return np.argsort(words(secret, use, n), kind="stable")
