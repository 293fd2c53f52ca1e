"""Sealed texts: encrypted and authenticated under a key, bound to where they belong, all of one length.

AES-SIV gives the same ciphertext for the same text in the same place and nothing else away, without a nonce that could
be used twice. Every sealed text is padded to one length, so that its size doesn't tell what it says. Source: [rfc5297].
"""

import base64
import json
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sevenfold.errors import AuditBroken, InvalidInput

__all__ = ["KEY_BYTES", "allocation_commitment", "canonical_json", "derived_key", "open_sealed", "seal"]

KEY_BYTES: Final = 64
_LENGTH: Final = 4096


def canonical_json(value: Any) -> bytes:
    """The one way in which a payload is written: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def derived_key(secret: bytes, use: str, length: int = KEY_BYTES) -> bytes:
    """A key for one use from a secret. Source: [rfc5869]."""
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=b"sevenfold", info=use.encode()).derive(secret)


def allocation_commitment(nonce: str, allocation_list: dict[str, list[str]]) -> str:
    """The hash by which an allocation list is committed to before the first randomisation."""
    return sha256(canonical_json(["sevenfold allocation", 1, nonce, allocation_list])).hexdigest()


def seal(key: bytes, place: str, value: Any) -> str:
    """Seal a value that belongs at ``place``; it can't be opened as belonging anywhere else.

    Raises:
        InvalidInput: the value is longer than every sealed text must be.
    """
    text = canonical_json(value)
    if len(text) > _LENGTH - 4:
        raise InvalidInput(f"What is to be sealed at {place!r} takes {len(text)} bytes; {_LENGTH - 4} are the most.")
    padded = len(text).to_bytes(4, "big") + text + bytes(_LENGTH - 4 - len(text))
    return base64.b64encode(AESSIV(key).encrypt(padded, [place.encode()])).decode()


def open_sealed(key: bytes, place: str, sealed: str) -> Any:
    """What was sealed at ``place``.

    Raises:
        AuditBroken: another key, another place, or an altered text.
    """
    try:
        encrypted = base64.b64decode(sealed, validate=True)
        padded = AESSIV(key).decrypt(encrypted, [place.encode()])
    except (InvalidTag, ValueError):
        raise AuditBroken(f"The sealed text at {place!r} was altered, moved, or sealed under another key.") from None
    if base64.b64encode(encrypted).decode() != sealed:  # decoding ignores the last bits
        raise AuditBroken(f"The sealed text at {place!r} was altered.")
    return json.loads(padded[4 : 4 + int.from_bytes(padded[:4], "big")])
