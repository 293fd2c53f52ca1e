"""The ports of a trial: how the world answers a visit, and how a randomisation is answered. Nothing behind them is
imported.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, final

from sevenfold.record.payloads import Result
from sevenfold.rules.cytokine_release import Bedside
from sevenfold.rules.screening import Screening

__all__ = ["Allocator", "Candidate", "Event", "Nature"]


class Allocator(Protocol):
    """What conduct may ask of the vault. No answer tells an arm but those that are for use behind the blind: ``open``,
    and ``vials_in``.
    """

    @property
    def commitment(self) -> str:
        """The hash of the allocation list."""
        ...

    def allocate(self, stratum: str) -> str:
        """Take the next place of a stratum; answers the randomisation number."""
        ...

    def withhold(self, number: str, *, until_further_notice: bool, for_good: bool) -> None:
        """Dispense placebo in place of the active product from now on, or no longer; what is for good stays."""
        ...

    def dispense(self, number: str, study_day: int, picked: Mapping[str, Mapping[str, int]] | None = None) -> str:
        """The number of the kit for a dose, made of the vials that were picked for whichever product it holds."""
        ...

    def vials_in(self, kit: str) -> Mapping[str, int]:
        """The vials that went into a kit, by lot: for the stock, which is kept behind the blind."""
        ...

    def persist(self) -> None:
        """Make what was given out durable."""
        ...

    def take_back(self, *, numbers: Collection[str], kits: Collection[str], withheld: Mapping[str, bool]) -> None:
        """Keep these as given out or withheld (True: for good); take back the rest, of which nobody was told."""
        ...

    def seal(self, place: str, value: Any) -> str:
        """Seal masked results."""
        ...

    def open(self, place: str, sealed: str) -> Any:
        """Open masked results, for the safety reviewer."""
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A patient who might take part: what is known, and who would consent (None: nobody will)."""

    screening: Screening
    consent: Literal["patient", "representative"] | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens to a subject between visits, in plain words.

    Args:
        time_day: since the first dose.
        kind: ``adverse event``, ``infection``, ``support``, ``left icu``, ``left hospital``, ``reconsented``,
            ``stopped dosing``,
            ``withdrawn``, ``lost`` or ``death``.
        detail: what more there is to say.
    """

    time_day: float
    kind: str
    detail: Mapping[str, Any] = field(default_factory=dict)


class Nature(Protocol):
    """Whatever answers: people at a site, or the virtual ICU."""

    def candidate(self, subject: str, site: str, at: datetime) -> Candidate:
        """The next candidate of a site."""
        ...

    def assess(self, subject: str, visit: str, time_day: float, names: Sequence[str]) -> Mapping[str, Result] | str:
        """The results of a visit, or the reason why it did not take place."""
        ...

    def comes(self, subject: str, visit: str, time_day: float, earliest_day: int, latest_day: int) -> float:
        """When a subject comes for a visit planned for ``time_day``: whole days earlier or later, within its window."""
        ...

    def supports(self, subject: str, time_day: float) -> Sequence[str]:
        """The organ supports that are given at a moment, by the record's names."""
        ...

    def takes_dose(self, subject: str, study_day: int, time_day: float) -> str | None:
        """Whether a planned dose can be given; the reason if it can't."""
        ...

    def receive(
        self,
        subject: str,
        study_day: int,
        time_day: float,
        kit: str,
        route: str,
        volume_ml: float,
        over_h: float | None = None,
    ) -> None:
        """A dose is injected, or runs in over some hours."""
        ...

    def observed(self, subject: str, time_day: float, hours: float) -> tuple[Bedside, Bedside]:
        """The worst of the day before a dose, and of ``hours`` after it."""
        ...

    def next_event(self, subject: str, after_day: float, before_day: float) -> Event | None:
        """The first thing that happens after one time and not after another."""
        ...
