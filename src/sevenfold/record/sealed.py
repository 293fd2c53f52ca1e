"""Where sealed texts belong: each opens in its own place of the record and nowhere else.

A place holds one text, for two equal texts in one place would be seen to be equal. What comes several times of a visit
carries a running number, which the first doesn't show.
"""

from typing import Final

from sevenfold.record.payloads import (
    FurtherMaskedResults,
    LabFileImported,
    MaskedResults,
    SafetyReviewed,
    SealedQueryAnswered,
    SealedQueryRaised,
)

__all__ = ["Sealed", "place_of_file", "place_of_sealed", "sealed_place"]

Sealed = MaskedResults | FurtherMaskedResults | SafetyReviewed | SealedQueryRaised | SealedQueryAnswered
"""What of a subject is sealed."""
_FILE: Final = "laboratory file"


def sealed_place(kind: str, subject: str, visit: str) -> str:
    """Where a sealed text belongs; it opens nowhere else."""
    return f"{kind} {subject} {visit}"


def place_of_sealed(subject: str, said: Sealed) -> str:
    """Where what an event of a subject holds sealed belongs."""
    match said:
        case MaskedResults():
            kind = "results"
        case FurtherMaskedResults():
            kind = _numbered("further results", said.number)
        case SafetyReviewed():
            kind = _numbered("review", said.number)
        case SealedQueryRaised():
            kind = f"query {said.number}"
        case SealedQueryAnswered():
            kind = f"answer {said.number}"
    return sealed_place(kind, subject, said.visit)


def place_of_file(said: LabFileImported) -> str:
    """Where the sealed hash of a file of masked results belongs."""
    return _numbered(_FILE, said.number)


def _numbered(kind: str, number: int) -> str:
    return kind if number == 1 else f"{kind} {number}"
