"""Whether the arms that the record reveals are those of the list that was committed to at the start."""

from typing import TypeVar

from sevenfold.record.event import Event
from sevenfold.record.head import Head
from sevenfold.record.payloads import Payload, Randomised, TrialOpened, Unblinded, read_payload
from sevenfold.sealing import allocation_commitment

__all__ = ["against_commitment"]

_Kind = TypeVar("_Kind", bound=Payload)


def against_commitment(events: list[Event], head: Head, notes: list[str]) -> list[str]:
    """Faults of a ledger whose chain and head hold; what holds and is worth saying is added to ``notes``.

    The list revealed must be the one whose hash stands in the first event; every randomised subject must have the next
    place of the list of the stratum; and the arms revealed, which an analysis uses, must be those of the places.
    """
    start = next((said for _, said in _said(events, TrialOpened)), None)
    if start is None:
        return []
    if start.signing_key != head.public_key:
        return ["The head is signed with another key than the one the trial was opened with."]
    revealed = [said for _, said in _said(events, Unblinded)]
    if not revealed:
        return []
    if len(revealed) > 1:
        return [f"The trial was unblinded {len(revealed)} times."]
    (shown,) = revealed
    if allocation_commitment(shown.commitment_nonce, shown.allocation_list) != start.allocation_commitment:
        return ["The allocation list that was revealed is not the one that was committed to at the start."]
    faults = _assigned(events, shown)
    if not faults:
        notes.append("The allocation list revealed at unblinding is the one committed to at the start.")
        notes.append(
            f"Each of the {len(shown.assignments)} arms revealed is the one of the subject's place on that list."
        )
    return faults


def _assigned(events: list[Event], shown: Unblinded) -> list[str]:
    faults, taken = [], dict.fromkeys(shown.allocation_list, 0)
    randomised: set[str] = set()
    for event, said in _said(events, Randomised):
        subject = str(event.subject)
        randomised.add(subject)
        place = taken.get(said.stratum)
        arms = shown.allocation_list.get(said.stratum, [])
        if place is None or place >= len(arms):
            faults.append(f"{subject} was randomised in stratum {said.stratum!r}, whose list has no place for it.")
            continue
        taken[said.stratum] = place + 1
        if _place(said.number) != place + 1:
            faults.append(
                f"{subject} has number {said.number}, but takes place {place + 1} of the list of stratum "
                f"{said.stratum!r}: a place was passed over or used twice."
            )
        if shown.assignments.get(subject) != arms[place]:
            faults.append(
                f"The arm revealed for {subject} ({shown.assignments.get(subject)}) is not that of place {place + 1} "
                f"of the list of stratum {said.stratum!r} ({arms[place]})."
            )
    strangers = sorted(shown.assignments.keys() - randomised)
    if strangers:
        faults.append(f"An arm was revealed for {strangers[0]}, who was never randomised.")
    return faults


def _place(number: str) -> int | None:
    digits = number.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else None


def _said(events: list[Event], kind: type[_Kind]) -> list[tuple[Event, _Kind]]:
    found = [(event, read_payload(event)) for event in events if event.type == kind.__name__]
    return [(event, said) for event, said in found if isinstance(said, kind)]
