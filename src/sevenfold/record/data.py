"""How a subject's data stand: what every event says now, who verified it, which queries are open, who signed what."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, final

from sevenfold.record.correcting import CORRECTABLE, Corrections
from sevenfold.record.event import Event
from sevenfold.record.head import NO_DATUM
from sevenfold.record.payloads import (
    AuthorityInformed,
    Corrected,
    DataLocked,
    DataUnlocked,
    Dispensed,
    FurtherMaskedResults,
    IdentityDestroyed,
    IdentityKept,
    KitDestroyed,
    KitReturned,
    MaskedResults,
    MonitoringRaised,
    Payload,
    QueryAnswered,
    QueryClosed,
    QueryRaised,
    SafetyReviewed,
    SealedQueryAnswered,
    SealedQueryRaised,
    SeriousEventAssessed,
    Signed,
    SourceVerified,
    SusarUnblinded,
    read_payload,
)
from sevenfold.sealing import canonical_json

__all__ = ["Datum", "Query", "Signature", "SubjectData", "data_of", "digest_of", "is_signed", "is_signed_for"]

_NOT_SIGNED: Final = (
    QueryRaised, QueryAnswered, QueryClosed, SourceVerified, Signed, DataLocked, DataUnlocked,  # about the data
    MaskedResults, FurtherMaskedResults, SafetyReviewed,  # what the signer can't see
    SealedQueryRaised, SealedQueryAnswered,
    MonitoringRaised, Dispensed, KitReturned, KitDestroyed,  # what others and rules do
    SeriousEventAssessed, SusarUnblinded, AuthorityInformed,
)  # fmt: skip
_NAMES_NOT_SIGNED: Final = frozenset(kind.__name__ for kind in _NOT_SIGNED) | NO_DATUM


@final
@dataclass(slots=True)
class Datum:
    """An event that holds data, with what became of it.

    Args:
        said: what it says now, corrections applied.
        corrections: with the events that carry them, in order.
        verified_by: the event by which it was verified against its source since the last correction.
    """

    event: Event
    said: Payload
    corrections: list[tuple[Event, Corrected]] = field(default_factory=list)
    verified_by: Event | None = None

    @property
    def is_correctable(self) -> bool:
        """Whether any of its fields can be put right."""
        return type(self.said) in CORRECTABLE


@final
@dataclass(slots=True)
class Query:
    """A question about the data, and what came of it."""

    said: QueryRaised
    raised: Event
    answers: list[tuple[Event, str]] = field(default_factory=list)
    closed: Event | None = None


@final
@dataclass(frozen=True, slots=True)
class Signature:
    """A signature; void when what was signed says something else by now.

    Args:
        signed: the events that it was put under, with their corrections, in order.
        void_since: the first event that made it void; None while it stands.
    """

    event: Event
    said: Signed
    signed: tuple[Event, ...]
    void_since: Event | None

    @property
    def is_void(self) -> bool:
        """Whether what was signed says something else by now."""
        return self.void_since is not None


@final
@dataclass(slots=True)
class SubjectData:
    """Everything about a subject's data, in the order of the record."""

    data: dict[int, Datum] = field(default_factory=dict)
    queries: dict[int, Query] = field(default_factory=dict)
    signatures: list[Signature] = field(default_factory=list)


def data_of(events: Sequence[Event]) -> SubjectData:
    """How the data of one subject stand.

    Args:
        events: all of the subject's, in order.
    """
    corrections = Corrections.among(events)
    found = SubjectData()
    signed: list[tuple[Event, Signed]] = []
    for event in events:
        said = read_payload(event)
        match said:
            case Corrected():
                datum = found.data[said.of]
                datum.corrections.append((event, said))
                datum.verified_by = None
            case SourceVerified():
                found.data[said.of].verified_by = event
            case QueryRaised():
                found.queries[said.number] = Query(said, event)
            case QueryAnswered():
                found.queries[said.number].answers.append((event, said.text))
            case QueryClosed():
                found.queries[said.number].closed = event
            case Signed():
                signed.append((event, said))
            case DataLocked() | DataUnlocked() | IdentityKept() | IdentityDestroyed():
                pass
            case _:
                found.data[event.sequence] = Datum(event, corrections.read(event))
    found.signatures = [_signature(events, event, said) for event, said in signed]
    return found


def is_signed_for(said: Payload) -> bool:
    """Whether what an event says stands under a signature of everything of its subject, and makes an earlier one void.

    What is sealed does not, nor what others did: the signer has not seen it. Nor does what is no datum, such as an
    emergency after the lock.
    """
    return type(said).__name__ not in _NAMES_NOT_SIGNED


def is_signed(events: Sequence[Event]) -> bool:
    """Whether a signature of everything of a subject stands, given by an investigator.

    Args:
        events: all of the subject's, in order.
    """
    digest = _digest((event for event in events if event.type not in _NAMES_NOT_SIGNED), None)
    for event in events:
        if event.type == Signed.__name__ and event.actor.split(" ")[0] == "investigator":
            said = read_payload(event)
            if isinstance(said, Signed) and said.visit is None and said.digest == digest:
                return True
    return False


def digest_of(events: Iterable[Event], visit: str | None) -> str:
    """The hash of what a signature is put under: a visit's events, or all of a subject's, with their corrections.

    Args:
        events: of one subject, in order.
        visit: None for all.
    """
    return _digest(_under(events, visit), visit)


def _signature(events: Sequence[Event], event: Event, said: Signed) -> Signature:
    under = _under(events, said.visit)
    signed = tuple(one for one in under if one.sequence < event.sequence)
    later = under[len(signed) :]
    is_of_these = _digest(signed, said.visit) == said.digest
    return Signature(event, said, signed, (later[0] if later else None) if is_of_these else event)


def _under(events: Iterable[Event], visit: str | None) -> list[Event]:
    """The events that a signature is put under."""
    chosen: set[int] = set()
    under: list[Event] = []
    for event in events:
        said = read_payload(event)
        if not is_signed_for(said):
            continue
        belongs = visit is None or (
            said.of in chosen if isinstance(said, Corrected) else getattr(said, "visit", None) == visit
        )
        if belongs:
            chosen.add(event.sequence)
            under.append(event)
    return under


def _digest(under: Iterable[Event], visit: str | None) -> str:
    hashes = [event.hash for event in under]
    return hashlib.sha256(canonical_json(["sevenfold signed", 1, visit, hashes])).hexdigest()
