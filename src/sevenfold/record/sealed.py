"""Where sealed texts belong: each opens in its own place of the record and nowhere else."""

from sevenfold.record.payloads import (
    FurtherMaskedResults,
    MaskedResults,
    SafetyReviewed,
    SealedQueryAnswered,
    SealedQueryRaised,
)

__all__ = ["Sealed", "place_of_sealed", "sealed_place"]

Sealed = MaskedResults | FurtherMaskedResults | SafetyReviewed | SealedQueryRaised | SealedQueryAnswered
"""What of a subject is sealed."""


def sealed_place(kind: str, subject: str, visit: str) -> str:
    """Where a sealed text belongs; it opens nowhere else."""
    return f"{kind} {subject} {visit}"


def place_of_sealed(subject: str, said: Sealed) -> str:
    """Where what an event of a subject holds sealed belongs."""
    match said:
        case MaskedResults():
            kind = "results"
        case FurtherMaskedResults():
            kind = "further results"
        case SafetyReviewed():
            kind = "review"
        case SealedQueryRaised():
            kind = f"query {said.number}"
        case SealedQueryAnswered():
            kind = f"answer {said.number}"
    return sealed_place(kind, subject, said.visit)
