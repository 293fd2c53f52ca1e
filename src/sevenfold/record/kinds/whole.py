"""What is said of the trial as a whole: opened, its sites, closed, unblinded."""

from pydantic import Field

from sevenfold.record.kinds.kind import Payload

__all__ = ["DatabaseLocked", "RunInterrupted", "SiteOpened", "TrialOpened", "Unblinded", "UnblindingAsked"]


class TrialOpened(Payload):
    """The trial begins: which protocol, and the commitments that can be checked when it is over."""

    protocol: str
    protocol_sha256: str
    planned: int
    allocation_commitment: str
    signing_key: str
    software: str
    is_rehearsal: bool


class SiteOpened(Payload):
    """A site may screen."""

    name: str
    city: str
    country: str
    registered_trial: str
    time_zone: str


class DatabaseLocked(Payload):
    """Nothing is added to the data any more.

    Args:
        unsigned: subject -> why no investigator could sign the data; empty where all are signed.
    """

    n_subjects: int
    unsigned: dict[str, str] = Field(default_factory=dict, exclude_if=lambda unsigned: not unsigned)


class UnblindingAsked(Payload):
    """Somebody asks for the planned unblinding; another person must confirm it.

    Args:
        person: the id that events name.
        name: as printed.
    """

    person: str
    name: str


class Unblinded(Payload):
    """The planned unblinding: who received what, and the keys that let anyone check it against the commitment.

    Args:
        vials: kit -> lots and how many vials of each went into it; where stock was kept.
    """

    assignments: dict[str, str]
    allocation_list: dict[str, list[str]]
    commitment_nonce: str
    results_key: str
    vials: dict[str, dict[str, int]] = Field(default_factory=dict, exclude_if=lambda vials: not vials)


class RunInterrupted(Payload):
    """A rehearsal was stopped before its end."""

    reason: str
