"""What events say once corrections are applied: the old value stays in the event, the new one is what is read."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Self, final

from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.record.event import Event
from sevenfold.record.payloads import (
    AdverseEventReported,
    Corrected,
    Died,
    DoseNotGiven,
    Payload,
    SecondaryInfection,
    VisitHeld,
    VisitMissed,
    read_payload,
)
from sevenfold.rules.sofa import sofa
from sevenfold.sealing import canonical_json

__all__ = ["CORRECTABLE", "Corrections", "check_correction", "said_of"]

CORRECTABLE: Final[dict[type[Payload], tuple[str, ...]]] = {
    VisitHeld: ("results.",),
    VisitMissed: ("reason",),
    AdverseEventReported: ("term", "system", "grade", "is_serious", "relation", "began_at", "outcome"),
    SecondaryInfection: ("site", "began_at"),
    DoseNotGiven: ("reason",),
    Died: ("cause",),
}
"""Which fields of which events can be put right; ``results.`` stands for every result of a visit."""


@final
@dataclass(slots=True)
class Corrections:
    """Corrections by the number of the event that they put right."""

    _of: dict[int, list[Corrected]] = field(default_factory=dict)

    @classmethod
    def among(cls, events: Iterable[Event]) -> Self:
        """Those that stand among some events."""
        found = cls()
        for event in events:
            if event.type == Corrected.__name__:
                found._take(event)
        return found

    def _take(self, event: Event) -> None:
        said = read_payload(event)
        assert isinstance(said, Corrected)
        self._of.setdefault(said.of, []).append(said)

    def renew(self, events: Iterable[Event]) -> None:
        """Know of these events, all of a subject, the corrections among them and no others."""
        events = list(events)
        for event in events:
            self._of.pop(event.sequence, None)
        for event in events:
            if event.type == Corrected.__name__:
                self._take(event)

    def read(self, event: Event) -> Payload:
        """What an event says now.

        Raises:
            AuditBroken: it cannot be read, or a correction does not fit it.
        """
        said = read_payload(event)
        for correction in self._of.get(event.sequence, ()):
            said = _corrected(said, correction, event.sequence)
        return said


def said_of(said: Payload, name: str) -> Any:
    """The value of a field, as JSON has it; None where there is none."""
    value: Any = json.loads(said.canonical())
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def check_correction(said: Payload, correction: Corrected) -> None:
    """Refuse a correction of what cannot be corrected, of what says something else by now, or to what cannot be.

    Raises:
        InvalidInput: naming the event, the field, and what would be right.
    """
    kind, name = type(said), correction.field
    fields = CORRECTABLE.get(kind, ())
    if not any(name == one or (one.endswith(".") and name.startswith(one) and name.count(".") == 1) for one in fields):
        words = ", ".join(fields) or "nothing"
        raise InvalidInput(f"Of event {correction.of} ({kind.__name__}) {name!r} is not corrected; {words} can be.")
    now = said_of(said, name)
    if now != correction.before:
        raise InvalidInput(
            f"{name} of event {correction.of} says {now!r} by now, not {correction.before!r}; look again."
        )
    if correction.after == correction.before:
        raise InvalidInput(f"{name} of event {correction.of} says {now!r} already.")
    if not correction.reason.strip():
        raise InvalidInput("A correction needs a reason.")
    try:
        _corrected(said, correction, correction.of)
    except AuditBroken as error:
        raise InvalidInput(f"{name} cannot be {correction.after!r}: {error}") from None


def _corrected(said: Payload, correction: Corrected, sequence: int) -> Payload:
    value = json.loads(said.canonical())
    *path, last = correction.field.split(".")
    holder = value
    for part in path:
        holder = holder.get(part) if isinstance(holder, dict) else None
    if not isinstance(holder, dict):
        raise AuditBroken(f"Event {sequence} has no {correction.field!r} to be corrected.")
    if correction.after is None:
        holder.pop(last, None)
    else:
        holder[last] = correction.after
    try:
        new = type(said).model_validate_json(canonical_json(value))
    except ValueError as error:
        told = str(error).splitlines()
        raise AuditBroken(f"Event {sequence} can't say that: {' '.join(told[2:3]).strip() or told[0]}.") from None
    return _scored(new) if isinstance(new, VisitHeld) else new


def _scored(said: VisitHeld) -> VisitHeld:
    """The visit with its scores worked out from what it says now."""
    if "sofa" not in said.scores:
        return said
    score = sofa({name: result.value for name, result in said.results.items()})
    return said.model_copy(update={"scores": {**said.scores, "sofa": {**score.organs, "total": score.total}}})
