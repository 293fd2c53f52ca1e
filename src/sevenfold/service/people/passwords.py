"""Passwords: how they are kept, and which are refused."""

from typing import Final

import argon2

from sevenfold.errors import InvalidInput
from sevenfold.service.people.common import is_common
from sevenfold.service.people.person import Person

__all__ = ["LONGEST", "NOBODYS", "SHORTEST", "check_password", "kept_of", "matches"]

SHORTEST: Final = 12
"""Letters of a password, at least. ASVS 5.0 asks for 8 and recommends 15."""
LONGEST: Final = 256
"""Letters of a password, at most."""
_HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's figures for argon2id
NOBODYS: Final = _HASHER.hash("nobody has this password")
"""What is held against a password where there is none, so that an unknown login takes as long as a known one."""


def kept_of(password: str) -> str:
    """What is kept of a password: argon2id, with a salt of its own."""
    return _HASHER.hash(password)


def matches(kept: str, password: str) -> bool:
    """Whether a password is the one that was kept."""
    try:
        return _HASHER.verify(kept, password[: LONGEST + 1])
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def check_password(password: str, person: Person) -> None:
    """Refuse what is too short, too long, common, or said on the page.

    Raises:
        InvalidInput: what would be right.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"A password has {SHORTEST} to {LONGEST} letters; a sentence of your own is good.")
    own = (person.login, person.login.partition("@")[0], person.name, *person.name.split(), "sevenfold")
    if len(set(password)) < 5 or is_common(password, own):
        raise InvalidInput("That password is guessed at once; a sentence of your own is good.")
