"""A trial that is being run, and the one door to its record: for real sites and for a rehearsal alike.

Every step is held against the record before it is appended to the ledger. The arm is behind the ``Allocator``. What
people do with a subject stands beside this, each kind of step in its file: ``enrolling``, ``visiting``, ``dosing``,
``correcting``, ``supplying``, ``sealed_queries``; what is said of the whole in ``opening`` and ``closing``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self, final
from zoneinfo import ZoneInfo

from sevenfold.errors import OutOfOrder
from sevenfold.protocol.load import ProtocolFile
from sevenfold.record.event import Draft
from sevenfold.record.head import Head, LedgerState
from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import (
    AdverseEventReported,
    Corrected,
    FollowUpCompleted,
    MonitoringRaised,
    Payload,
    RunInterrupted,
)
from sevenfold.rules.monitoring import Raised
from sevenfold.trial.followed import Followed
from sevenfold.trial.kept import Kept
from sevenfold.trial.order import check_next
from sevenfold.trial.ports import Allocator
from sevenfold.trial.standing import TrialStanding
from sevenfold.trial.stock import Stock
from sevenfold.trial.subject import Standing
from sevenfold.trial.timing import check_moment

__all__ = ["Conduct"]

_BY_ITSELF: Final = ("system", "safety reviewer")  # rules act, not people


@final
@dataclass(slots=True)
class Conduct:
    """A trial that is being run.

    Args:
        file: the protocol.
        ledger: open for appending.
        allocator: the vault, seen through its port.
        acting: who acts at a site (role and person); None in a rehearsal, where the role is enough.
        refuses: looks at what a person says of a subject and raises where it must not stand in the record; None in a
            rehearsal.
        followed: where trial and subjects stand.
    """

    file: ProtocolFile
    ledger: Ledger
    allocator: Allocator
    acting: str | None = None
    refuses: Callable[[str, Payload], None] | None = field(default=None, repr=False)
    followed: Followed = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.followed = Followed(self.file.protocol, self.allocator)

    @classmethod
    def resumed(cls, file: ProtocolFile, ledger: Ledger, allocator: Allocator, kept: Kept | None = None) -> Self:
        """The trial as its ledger tells it, to be gone on with.

        Args:
            kept: where it stood once; what came before is not followed again.
        """
        conduct = cls(file, ledger, allocator)
        if kept is None:
            conduct.followed.from_the_first(ledger)
        else:
            conduct.followed.from_kept(kept, ledger)
        return conduct

    def abandon(self) -> None:
        """Forget a step that was not made durable: its events, what they changed, what the vault gave out for it.

        Where it is not known whether it was (the database's answer to the commit was lost), the trial goes on from
        what the database says.
        """
        waiting = self.ledger.waiting()
        self.ledger.discard()
        self.ledger.refresh()
        self.followed.without(waiting, self.ledger)
        self.reconcile()

    def renew(self) -> None:
        """Go on from what the database says: for when it could not be asked while a step was abandoned."""
        self.ledger.discard()
        self.ledger.refresh()
        self.followed = Followed(self.file.protocol, self.allocator)
        self.followed.from_the_first(self.ledger)
        self.reconcile()

    def reconcile(self) -> None:
        """Take back into the vault what it gave out or withheld and the ledger does not know: nobody was told of it.

        Raises:
            AuditBroken: the ledger speaks of what the vault never gave out.
        """
        taken = {standing.number for standing in self.standings.values() if standing.number is not None}
        kits = {handed.kit for standing in self.standings.values() for handed in standing.dispensed.values()}
        withheld = {
            str(self.standings[subject].number): good for subject, good in self.followed.reviewer.withheld.items()
        }
        self.allocator.take_back(numbers=taken, kits=kits, withheld=withheld)

    def check(self, subject: str, said: Payload, happened: datetime) -> None:
        """Refuse a step of a subject that may not be taken now, and take none.

        Raises:
            OutOfOrder: it may not.
        """
        self._check(said, subject, self.site_of(subject), happened)

    def check_of_trial(self, said: Payload, happened: datetime) -> None:
        """Refuse what may not be said of the trial as a whole now, and say nothing.

        Raises:
            OutOfOrder: it may not.
        """
        self._check(said, None, None, happened)

    def record(self, subject: str, said: Payload, actor: str, happened: datetime, site: str | None = None) -> None:
        """Record a step of a subject, if it may be taken now.

        Args:
            site: where a candidate is screened; the subject's own where it is not said.

        Raises:
            OutOfOrder: it may not.
        """
        self._say(said, subject, self.site_of(subject) if site is None else site, actor, happened)
        if isinstance(said, AdverseEventReported):
            self.raise_by_rule(subject, self.followed.rates.raised(said, self.standings.values()), happened)

    def raise_by_rule(self, subject: str, found: Iterable[Raised], happened: datetime) -> None:
        """Record what rules of monitoring found, and who must be told."""
        for one in found:
            said = MonitoringRaised(rule=one.rule.id, to=one.rule.to, action=one.rule.action, because=one.because)
            self.record(subject, said, "system", happened)

    def say_of_trial(self, said: Payload, actor: str, happened: datetime, site: str | None = None) -> None:
        """Record something of the trial as a whole or of a site, if it may be said now."""
        self._say(said, None, site, actor, happened)

    def interrupt(self, reason: str, happened: datetime) -> None:
        """Close the ledger as a valid one that says that the run is incomplete; what was said before is kept."""
        if self.ledger.head.state is LedgerState.INTERRUPTED:
            return
        self._say(RunInterrupted(reason=reason), None, None, "system", happened)
        self.commit(LedgerState.INTERRUPTED)

    def commit(self, state: LedgerState = LedgerState.RUNNING) -> Head:
        """Make everything durable: what the vault has given out first, so that no event speaks of a place or a kit
        that the vault has forgotten.
        """
        self.allocator.persist()
        return self.ledger.commit(state)

    @property
    def standings(self) -> dict[str, Standing]:
        """Every subject, as far as the trial has come."""
        return self.followed.standings

    @property
    def whole(self) -> TrialStanding:
        """Where the trial as a whole stands."""
        return self.followed.whole

    @property
    def is_locked(self) -> bool:
        """Whether the database is locked."""
        return self.whole.is_locked

    @property
    def n_randomised(self) -> int:
        """Subjects randomised so far."""
        return sum(standing.number is not None for standing in self.standings.values())

    @property
    def stock(self) -> Stock:
        """Every site's vials. It is behind the blind: for pharmacists alone."""
        return self.followed.stock_in(self.ledger)

    def site_of(self, subject: str) -> str | None:
        """The site of a subject; None of one who was never screened."""
        return self.followed.sites.get(subject)

    def ending(self, subject: str, happened: datetime) -> None:
        """Follow-up ends as planned, for whoever is still there."""
        if not self.standings[subject].is_over:
            self.record(subject, FollowUpCompleted(), "investigator", happened)

    def zone(self, site: str) -> ZoneInfo:
        """A site's time zone."""
        return ZoneInfo(self.file.protocol.sites[site][1].time_zone)

    def zone_of(self, subject: str) -> ZoneInfo:
        """The time zone of a subject's site; UTC for one who was never screened."""
        site = self.site_of(subject)
        return ZoneInfo("UTC") if site is None else self.zone(site)

    def _say(self, said: Payload, subject: str | None, site: str | None, actor: str, happened: datetime) -> None:
        self._check(said, subject, site, happened)
        if self.refuses is not None and subject is not None and actor not in _BY_ITSELF:
            self.refuses(subject, said)
        self.ledger.append(
            Draft(
                type=type(said).__name__,
                schema_version=said.schema_version,
                subject=subject,
                site=site,
                actor=actor if self.acting is None or actor in _BY_ITSELF else self.acting,
                happened_at=happened.isoformat(timespec="minutes"),
                payload=said.canonical(),
            )
        )
        if isinstance(said, Corrected) and subject is not None:
            self.followed.again(subject, self.ledger)
        else:
            self.followed.moves(said, subject, site, happened)
        self.followed.stock_sees(said, site)

    def _check(self, said: Payload, subject: str | None, site: str | None, happened: datetime) -> None:
        self.whole.check(said, subject, site)
        now = self.ledger.clock.now()
        if happened > now:
            of = f" for {subject}" if subject is not None else ""
            raise OutOfOrder(
                f"{type(said).__name__} cannot be recorded{of}: it is dated {happened.isoformat(timespec='minutes')}, "
                f"and it is {now.isoformat(timespec='minutes')} now."
            )
        if subject is not None:
            check_next(self.standings.get(subject), subject, said)
            check_moment(self.file.protocol, self.standings.get(subject), said, happened, self.zone_of(subject))
