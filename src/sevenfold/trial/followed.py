"""Where a trial stands, followed event by event from the ledger: every subject, the whole, and what rules remember."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import final

from sevenfold.protocol.protocol import Protocol
from sevenfold.record.correcting import Corrections
from sevenfold.record.event import Event
from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import (
    AdverseEventReported,
    Corrected,
    DatabaseLocked,
    Payload,
    read_payload,
)
from sevenfold.trial.event_rates import EventRates
from sevenfold.trial.kept import Kept
from sevenfold.trial.ports import Allocator
from sevenfold.trial.safety_review import SafetyReviewer
from sevenfold.trial.standing import TrialStanding
from sevenfold.trial.stock import STOCK_KINDS, Stock
from sevenfold.trial.subject import Standing, after, after_lock

__all__ = ["Followed"]


@final
@dataclass(slots=True)
class Followed:
    """Everything that the next step is held against. It is a fold of the ledger, and can be folded again.

    Args:
        standings: by subject, in the order in which they came.
        sites: by subject.
        rates: of events that a rule counts.
        reviewer: knows masked results, behind the blind.
    """

    protocol: Protocol
    allocator: Allocator
    standings: dict[str, Standing] = field(default_factory=dict)
    whole: TrialStanding = field(default_factory=TrialStanding)
    sites: dict[str, str] = field(default_factory=dict)
    corrections: Corrections = field(default_factory=Corrections, repr=False)
    rates: EventRates = field(init=False, repr=False)
    reviewer: SafetyReviewer = field(init=False, repr=False)
    _stock: Stock | None = field(default=None, repr=False)  # None until it is asked for

    def __post_init__(self) -> None:
        self.rates, self.reviewer = EventRates(self.protocol), SafetyReviewer(self.allocator)

    def from_the_first(self, ledger: Ledger) -> None:
        """Follow everything that was committed."""
        self.corrections = Corrections.among(ledger.of_type(Corrected.__name__))
        for event in ledger.events():
            self._follow(event)

    def from_kept(self, kept: Kept, ledger: Ledger) -> None:
        """Go on from where everything stood, and follow what was committed since.

        Raises:
            AuditBroken: what was sealed in it opens under another key.
        """
        self.standings = {standing.subject: standing for standing in kept.standings}
        self.sites, self.whole, self.rates.met = kept.sites, kept.whole, kept.met
        self.reviewer.goes_on(kept.withheld(self.allocator), self.standings, partial(_read, ledger))
        self.corrections = Corrections.among(corrected := ledger.of_type(Corrected.__name__))
        for event in ledger.events(after=kept.count):
            self._follow(event)
        for subject in {event.subject for event in corrected if event.sequence > kept.count} - {None}:
            self.again(str(subject), ledger)

    def kept(self, ledger: Ledger, protocol_sha256: str) -> Kept:
        """Where everything stands behind the ledger's last event, which is durable."""
        return Kept.sealing(
            self.allocator,
            self.reviewer.withheld,
            count=ledger.head.count,
            hash=ledger.head.hash,
            protocol=protocol_sha256,
            standings=list(self.standings.values()),
            sites=self.sites,
            whole=self.whole,
            met=self.rates.met,
        )

    def stock_in(self, ledger: Ledger) -> Stock:
        """Every site's vials, counted through what was committed and what waits."""
        if self._stock is None:
            self._stock = Stock(self.allocator.open, self.allocator.vials_in)
            kinds = {kind.__name__ for kind in STOCK_KINDS}
            events = sorted((event for kind in kinds for event in ledger.of_type(kind)), key=lambda one: one.sequence)
            for event in [*events, *(one for one in ledger.waiting() if one.type in kinds)]:
                self._stock.sees(read_payload(event), event.site)
        return self._stock

    def stock_sees(self, said: Payload, site: str | None) -> None:
        """Move the stock on by what was just said; one that was not asked for yet is counted when it is."""
        if self._stock is not None:
            self._stock.sees(said, site)

    def again(self, subject: str, ledger: Ledger) -> None:
        """Follow a subject anew, through what was committed and what waits."""
        self.reviewer.forget(subject)
        self.rates.forget(subject)
        events = ledger.told_of(subject)
        if events:
            self.standings[subject] = Standing(subject)  # in its place among the others
        else:
            self.standings.pop(subject, None)
            self.sites.pop(subject, None)
        self.corrections.renew(events)
        for event in events:
            self._follow(event)
        if self.whole.is_locked and subject in self.standings:
            after_lock(self.standings[subject])

    def without(self, abandoned: Sequence[Event], ledger: Ledger) -> None:
        """Follow anew whatever events moved that were said and are in the ledger no more, nor wait to be.

        Where the database kept them after all, they are followed from there.
        """
        touched, types = {event.subject for event in abandoned}, {event.type for event in abandoned}
        if None in touched:  # first: whether the database is locked
            self.trial_again(ledger)
        for subject in touched - {None}:
            self.again(str(subject), ledger)
        if types & {kind.__name__ for kind in STOCK_KINDS}:
            self._stock = None  # counted anew when it is asked for next
        if not self.whole.is_locked and DatabaseLocked.__name__ in types:  # it had ended every candidate's part
            for subject in [name for name, standing in self.standings.items() if standing.number is None]:
                self.again(subject, ledger)

    def trial_again(self, ledger: Ledger) -> None:
        """Follow the trial as a whole anew, through what was committed."""
        self.whole = TrialStanding()
        for event in ledger.events_of_trial():
            self.whole.after(read_payload(event), event.site)

    def moves(self, said: Payload, subject: str | None, site: str | None, happened: datetime) -> None:
        """Move on by what was just said."""
        self.whole.after(said, site)
        if subject is not None:
            self.sites.setdefault(subject, str(site))
            after(self.standings.setdefault(subject, Standing(subject)), said, happened)
            if isinstance(said, AdverseEventReported):
                self.rates.sees(subject, said)
        elif isinstance(said, DatabaseLocked):
            for standing in self.standings.values():
                after_lock(standing)

    def _follow(self, event: Event) -> None:
        """Move on by an event of the ledger, and let the safety reviewer see what was sealed in it."""
        said, at = self.corrections.read(event), datetime.fromisoformat(event.happened_at)
        self.moves(said, event.subject, event.site, at)
        if event.subject is not None:
            self.reviewer.follows(event.subject, said, at)


def _read(ledger: Ledger, subject: str) -> Iterator[tuple[Payload, datetime]]:
    """What was committed of a subject."""
    for event in ledger.events_of(subject):
        yield read_payload(event), datetime.fromisoformat(event.happened_at)
