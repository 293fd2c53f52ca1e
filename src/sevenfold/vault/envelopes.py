"""Sealed envelopes: the arm of every place, to be opened at the bedside when the server is down or a factor is lost.

An envelope is a text that is encrypted under a code of its own. Texts and codes are printed and kept apart: neither
says anything without the other, and the code of one place opens no other. A code has 80 random bits, so the texts may
lie where anybody can read them. Sources: [rfc5869] (the key from the code), [nist38d] (AES-256 in Galois counter mode).
"""

import base64
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sevenfold.errors import InvalidInput
from sevenfold.sealing import derived_key

__all__ = ["ALPHABET", "Envelope", "open_envelope", "sealed_envelopes"]

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""The letters of a code: none that is taken for another."""
_CODE_LETTERS: Final = 16
_TEXT_BYTES: Final = 256  # every text is filled up to this, so that its length tells nothing
_NONCE_BYTES: Final = 12
_SALT: Final = b"sevenfold envelope 1"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The envelope of one place.

    Args:
        number: the randomisation number.
        code: for the card that is sealed in paper; in groups of four.
        sealed: for the page that anybody may have: nonce and ciphertext, base64.
    """

    number: str
    code: str
    sealed: str


def sealed_envelopes(arms: Mapping[str, str], told: Mapping[str, str], secret: bytes) -> list[Envelope]:
    """An envelope for every place. Made again from the same secret it has the same codes.

    Args:
        arms: randomisation number -> arm.
        told: arm -> what the envelope says of it.

    Raises:
        InvalidInput: a text is too long.
    """
    long = next((text for text in told.values() if len(text.encode()) > _TEXT_BYTES), None)
    if long is not None:
        raise InvalidInput(f"An envelope holds at most {_TEXT_BYTES} bytes; an arm is told as {long[:40]!r}...")
    return [_sealed(number, told[arm], secret) for number, arm in arms.items()]


def open_envelope(envelope_number: str, code: str, sealed: str) -> str:
    """What an envelope says. The page that opens one at the bedside does the same in the browser.

    Raises:
        InvalidInput: the code is not that of this number.
    """
    kept = base64.b64decode(sealed)
    try:
        text = AESGCM(_key(envelope_number, code)).decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], None)
    except InvalidTag:
        raise InvalidInput(f"This code is not that of {envelope_number}.") from None
    return text.rstrip(b"\0").decode()


def _sealed(number: str, text: str, secret: bytes) -> Envelope:
    code = _code(derived_key(secret, f"envelope {number}", _CODE_LETTERS))
    nonce = os.urandom(_NONCE_BYTES)
    padded = text.encode().ljust(_TEXT_BYTES, b"\0")
    sealed = nonce + AESGCM(_key(number, code)).encrypt(nonce, padded, None)
    return Envelope(number=number, code=code, sealed=base64.b64encode(sealed).decode())


def _code(drawn: Iterable[int]) -> str:
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in drawn)  # 32 divides 256: every letter equally likely
    return "-".join(letters[i : i + 4] for i in range(0, _CODE_LETTERS, 4))


def _key(number: str, code: str) -> bytes:
    letters = "".join(letter for letter in code.upper() if letter in ALPHABET)
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=_SALT, info=number.encode()).derive(letters.encode())
