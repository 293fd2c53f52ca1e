"""A key that two people lock with half a passphrase each: neither opens the vault alone.

The key is sealed under scrypt of both halves and a salt. Whoever has the file and one half still has to guess the
other, at a quarter of a second and 128 MiB a guess. Source: [rfc7914].
"""

import getpass
import os
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.sealing import KEY_BYTES, open_sealed, seal

__all__ = ["HALVES", "is_locked", "locked", "unlocked"]

HALVES: Final = ("SEVENFOLD_KEY_HALF_1", "SEVENFOLD_KEY_HALF_2")
"""Where the halves may stand in the environment; else they are asked for."""
_FORMAT: Final = 2
_SHORTEST: Final = 16  # letters of a half
_COST: Final = 2**17
_PLACE: Final = "key locked by two"


def locked(root: bytes, halves: tuple[str, str]) -> dict[str, object]:
    """What a locked key file holds.

    Raises:
        InvalidInput: a half is too short, or both are the same.
    """
    if min(map(len, halves)) < _SHORTEST or halves[0] == halves[1]:
        raise InvalidInput(f"Each half of the passphrase has at least {_SHORTEST} letters, and they are not the same.")
    salt = os.urandom(16)
    sealed = seal(_key(halves, salt), _PLACE, root.hex())
    return {"sevenfold key": _FORMAT, "salt": salt.hex(), "sealed": sealed}


def is_locked(said: Any) -> bool:
    """Whether the content of a key file is of this kind."""
    return isinstance(said, dict) and said.get("sevenfold key") == _FORMAT


def unlocked(said: dict[str, Any], path: Path) -> bytes:
    """The secret of a locked key file; the halves come from the environment or are typed, one person after the other.

    Raises:
        InvalidInput: they do not open it, or nobody can be asked.
    """
    try:
        salt, sealed = bytes.fromhex(said["salt"]), str(said["sealed"])
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(f"{path} is not a locked key: its salt or its sealed text is missing.") from None
    halves = _half(0, path), _half(1, path)
    try:
        return bytes.fromhex(open_sealed(_key(halves, salt), _PLACE, sealed))
    except AuditBroken:
        raise InvalidInput(f"These two halves do not open {path}; the first comes first.") from None


def _half(place: int, path: Path) -> str:
    text = os.environ.get(HALVES[place])
    if text is not None:
        return text
    try:
        return getpass.getpass(f"{path}: {('first', 'second')[place]} half of the passphrase: ")
    except EOFError:
        raise InvalidInput(
            f"{path} is locked by two: nobody is there to type its halves; set {HALVES[0]} and {HALVES[1]}."
        ) from None


def _key(halves: tuple[str, str], salt: bytes) -> bytes:
    text = f"{len(halves[0])} {halves[0]}{halves[1]}".encode()  # where one ends and the other begins is part of it
    return Scrypt(salt=salt, length=KEY_BYTES, n=_COST, r=8, p=1).derive(text)
