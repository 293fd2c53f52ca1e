"""Random words of a secret: known answers, and that every bit of the secret counts."""

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from sevenfold.sealing import derived_key
from sevenfold.vault.allocation import PermutedBlocks, allocation_list
from sevenfold.vault.keystream import below, shuffled, words


def test_the_keystream_is_chacha20_s_under_the_whole_key() -> None:
    """The known answer of RFC 8439, section 2.4.2, through the same cipher, and our words as its first bytes."""
    key, nonce = bytes(range(32)), bytes.fromhex("01000000") + bytes.fromhex("000000000000004a00000000")
    plain = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen "
        b"would be it."
    )
    sealed = Cipher(ChaCha20(key, nonce), mode=None).encryptor().update(plain)
    assert sealed.hex().startswith("6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b")
    secret = b"s" * 32
    stream = Cipher(ChaCha20(derived_key(secret, "x", 32), bytes(16)), mode=None).encryptor().update(bytes(24))
    assert words(secret, "x", 3).tobytes() == stream
    assert list(words(secret, "x", 3)) == list(words(secret, "x", 9)[:3])


def test_each_bit_of_the_secret_gives_other_words_and_another_list() -> None:
    """256 bits: a list can't be found by trying keys."""
    scheme = PermutedBlocks(("a", "b", "c"), (1, 2))
    secret = bytes(range(32))
    first, streams = allocation_list(scheme, ("x",), 60, secret), {words(secret, "u", 2).tobytes()}
    for bit in range(256):
        other = bytearray(secret)
        other[bit // 8] ^= 1 << bit % 8
        streams.add(words(bytes(other), "u", 2).tobytes())
        assert allocation_list(scheme, ("x",), 60, bytes(other)) != first
    assert len(streams) == 257


def test_numbers_below_a_limit_and_orders_are_uniform() -> None:
    """Chi-squared of 70 000 numbers below 7 (99.99 % point with 6 degrees of freedom: 27.9), and of 24 000 orders of
    four (23 degrees: 58.6).
    """
    counts = np.bincount([below(word, 7) for word in words(b"k" * 32, "seven", 70_000)], minlength=7)
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 27.9
    orders: dict[tuple[int, ...], int] = {}
    for k in range(24_000):
        order = tuple(int(i) for i in shuffled(b"k" * 32, f"order {k}", 4))
        orders[order] = orders.get(order, 0) + 1
    assert len(orders) == 24
    assert sum((count - 1000) ** 2 / 1000 for count in orders.values()) < 58.6
