"""What a file would change: its rows, each new, the same, or another value than is recorded; and what can't be read."""

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from math import isclose
from typing import final

from sevenfold.protocol.variable import Variable
from sevenfold.record.payloads import Corrected, Result
from sevenfold.sealing import canonical_json
from sevenfold.service.importing.reading import Trouble

__all__ = ["Found", "Plan", "State", "correction_of", "is_same", "question", "shown"]


class State(StrEnum):
    """What a row is to the record."""

    NEW = "new"
    SAME = "recorded already"
    DIFFERS = "another value is recorded"
    ASKED = "asked about already"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A row that was read.

    Args:
        at: when the sample was taken; of an open result, when the visit took place.
        recorded: what is in force; None where nothing is.
        about: the event of the visit that an open result belongs to; 0 for a masked one.
    """

    line: int
    subject: str
    visit: str
    at: datetime
    test: str
    result: Result
    recorded: Result | None
    about: int
    state: State


@final
@dataclass(slots=True)
class Plan:
    """What a file would change.

    Args:
        holds_masked: whether it comes from the laboratory and holds masked results.
    """

    sha256: str
    n_rows: int
    holds_masked: bool
    found: list[Found] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def of(self, state: State) -> list[Found]:
        """The rows in a state."""
        return [one for one in self.found if one.state is state]

    def samples(self) -> list[list[Found]]:
        """New rows, those of one sample together: of one subject, visit and time."""
        found: dict[tuple[str, str, datetime], list[Found]] = {}
        for one in self.of(State.NEW):
            found.setdefault((one.subject, one.visit, one.at), []).append(one)
        return list(found.values())

    @property
    def digest(self) -> str:
        """The same for the same file and the same record: what somebody saw before confirming."""
        rows = [[one.line, one.test, one.state.value, one.result.model_dump()] for one in self.found]
        said = [self.sha256, rows, [asdict(trouble) for trouble in self.troubles]]
        return hashlib.sha256(canonical_json(said)).hexdigest()


def shown(result: Result) -> str:
    """A value as it was written, or as it is held."""
    return result.entered or f"{result.qualifier}{result.value:g} {result.unit}".strip()


def question(variable: Variable, found: Found) -> str:
    """What the site is asked about an open value."""
    assert found.recorded is not None
    return (
        f"A laboratory file says {variable.label} {shown(found.result)} at visit {found.visit!r}, and "
        f"{shown(found.recorded)} is recorded. Which is right?"
    )


def correction_of(found: Found, sha256: str) -> Corrected:
    """An open value put where the visit said nothing."""
    return Corrected(
        of=found.about,
        field=f"results.{found.test}",
        before=None,
        after=found.result.model_dump(),
        reason=f"from the laboratory's file {sha256[:12]}",
    )


def is_same(one: Result, other: Result) -> bool:
    """Whether two values are one, in whatever units they were written."""
    return one.qualifier == other.qualifier and isclose(one.value, other.value, rel_tol=1e-9)
