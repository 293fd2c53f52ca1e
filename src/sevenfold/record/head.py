"""The signed head of a ledger: how many events there are, the last one's hash, and whether more is to come."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sevenfold.sealing import canonical_json

__all__ = [
    "AFTER_LOCK",
    "NO_DATUM",
    "Head",
    "LedgerState",
    "Signer",
    "SigningKey",
    "head_bytes",
    "holds",
    "signature_holds",
    "signed",
]


class LedgerState(StrEnum):
    """Whether more is to come."""

    RUNNING = "running"
    LOCKED = "locked"  # the data are; see AFTER_LOCK
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"


NO_DATUM: Final = frozenset(
    {
        "PersonAdmitted", "PersonChanged",
        "EmergencyUnblinded", "EnvelopeOpened", "NoticeSeen", "CopyTaken",
        "IdentityKept", "IdentityDestroyed",
    }
)  # fmt: skip
"""Kinds of events that are no data of the trial: who may come in, what an emergency asks for, a copy that was taken,
and that the site keeps or no longer keeps who a subject is. No lock bars them.
"""
AFTER_LOCK: Final = NO_DATUM | {"UnblindingAsked", "Unblinded"}
"""Kinds of events that may follow a locked head."""


class Signer(Protocol):
    """Whoever signs the head."""

    @property
    def public_key(self) -> str:
        """Ed25519 public key, hexadecimal."""
        ...

    def sign(self, message: bytes) -> str:
        """Ed25519 signature, hexadecimal."""
        ...


@final
@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key held in memory.

    Args:
        secret: 32 bytes.
    """

    secret: bytes

    @property
    def public_key(self) -> str:
        """Hexadecimal."""
        return self._key().public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """Hexadecimal signature."""
        return self._key().sign(message).hex()

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last event's place and hash and the ledger's state, signed."""

    count: int
    hash: str
    state: LedgerState
    public_key: str
    signature: str


def head_bytes(count: int, last_hash: str, state: LedgerState) -> bytes:
    """What is signed."""
    return canonical_json(["sevenfold ledger head", 1, count, last_hash, state.value])


def signed(signer: Signer, count: int, last_hash: str, state: LedgerState) -> Head:
    """A head, signed."""
    signature = signer.sign(head_bytes(count, last_hash, state))
    return Head(count=count, hash=last_hash, state=state, public_key=signer.public_key, signature=signature)


def signature_holds(head: Head) -> bool:
    """Whether a head's signature is one of what it says under the key it names."""
    return holds(head.public_key, head_bytes(head.count, head.hash, head.state), head.signature)


def holds(public_key: str, message: bytes, signature: str) -> bool:
    """Whether a signature is one of a message under a key, both as :class:`Signer` writes them and not otherwise."""
    try:
        if any(bytes.fromhex(text).hex() != text for text in (public_key, signature)):
            return False
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True
