"""Doses: dispensed, given or not, what was seen after them, stopped."""

from sevenfold.record.kinds.kind import Payload

__all__ = ["Dispensed", "DoseGiven", "DoseNotGiven", "DoseObserved", "DosingStopped"]


class Dispensed(Payload):
    """A kit was handed out for a dose."""

    study_day: int
    kit: str
    volume_ml: float
    route: str


class DoseGiven(Payload):
    """A dose was injected; of an infusion, over how many hours."""

    study_day: int
    kit: str
    volume_ml: float
    route: str
    over_h: float | None = None


class DoseNotGiven(Payload):
    """A planned dose was not given."""

    study_day: int
    reason: str


class DoseObserved(Payload):
    """The worst seen in the day before a dose and in the time after it that the protocol asks for."""

    study_day: int
    before: dict[str, float]
    after: dict[str, float]
    cytokine_release_raw: int
    cytokine_release_new: int


class DosingStopped(Payload):
    """No further dose will be given."""

    reason: str
