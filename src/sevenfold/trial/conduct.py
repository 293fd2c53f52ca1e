"""What may happen next in a trial, and the one way of recording it: for real sites and for a rehearsal alike.

Every step is checked against the record, decided by the rules of the protocol, and appended to the ledger. The arm is
behind the ``Allocator``; what would betray it is sealed before it is recorded.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final, Self, final
from zoneinfo import ZoneInfo

from sevenfold import __version__
from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.protocol.load import ProtocolFile
from sevenfold.protocol.registered import RegisteredTrial, Site
from sevenfold.protocol.treatment import Action
from sevenfold.protocol.variable import Kind
from sevenfold.record.correcting import check_correction
from sevenfold.record.data import digest_of
from sevenfold.record.event import Draft
from sevenfold.record.head import Head, LedgerState
from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import (
    AdverseEventReported,
    CandidateScreened,
    ConsentGiven,
    ConsentRefused,
    Corrected,
    DatabaseLocked,
    Dispensed,
    DoseGiven,
    DoseObserved,
    DosingStopped,
    EmergencyUnblinded,
    FollowUpCompleted,
    FurtherMaskedResults,
    MaskedResults,
    MonitoringRaised,
    Payload,
    QueryRaised,
    Randomised,
    Result,
    RunInterrupted,
    Signed,
    SiteOpened,
    TrialOpened,
    Unblinded,
    UnmetCriterion,
    VisitHeld,
)
from sevenfold.record.sealed import place_of_sealed
from sevenfold.rules.cytokine_release import Bedside, released
from sevenfold.rules.dosing import Injected, interruptions, vials_for, volume_for
from sevenfold.rules.eligibility import Unmet, unmet_criteria
from sevenfold.rules.monitoring import Raised, raised_by_results
from sevenfold.rules.screening import Screening
from sevenfold.rules.sofa import sofa
from sevenfold.rules.visiting import check_visit, implausible, question_of_day
from sevenfold.trial.followed import Followed
from sevenfold.trial.kept import Kept
from sevenfold.trial.ports import Allocator
from sevenfold.trial.signing import check_signed, told_of
from sevenfold.trial.standing import TrialStanding
from sevenfold.trial.stock import STOCK_KINDS, Stock
from sevenfold.trial.subject import Disposition, Standing, after_lock, check_next
from sevenfold.trial.timing import check_moment, study_day_of

__all__ = ["Conduct", "stratum_of"]

_BY_ITSELF: Final = ("system", "safety reviewer")  # rules act, not people


def stratum_of(file: ProtocolFile, site: str) -> str:
    """The stratum of a subject of this site."""
    trial, _ = file.protocol.sites[site]
    words = {"country": trial.country, "site": site}
    return " / ".join(words[name] for name in file.protocol.randomisation.strata) or "all"


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
        touched = {event.subject for event in waiting}
        self.ledger.discard()
        self.ledger.refresh()
        for subject in touched - {None}:
            assert subject is not None
            self.followed.again(subject, self.ledger)
        if None in touched:
            self.followed.trial_again(self.ledger)
        if {event.type for event in waiting} & {kind.__name__ for kind in STOCK_KINDS}:
            self.followed.stock_again()
        if self.is_locked:
            for subject in touched & self.standings.keys():
                after_lock(self.standings[str(subject)])
        elif any(event.type == DatabaseLocked.__name__ for event in waiting):  # it had ended every candidate's part
            for subject in [name for name, standing in self.standings.items() if standing.number is None]:
                self.followed.again(subject, self.ledger)
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

    def correct(self, subject: str, said: Corrected, happened: datetime) -> None:
        """Put right what an event of a subject said; the rules are held against what it says now.

        Raises:
            InvalidInput: there is no such event of the subject, or it cannot be corrected so.
            OutOfOrder: the data are locked.
        """
        event = next((one for one in self.ledger.events_of(subject) if one.sequence == said.of), None)
        if event is None:
            raise InvalidInput(f"{subject} has no event {said.of} that could be corrected.")
        found = self.followed.corrections.read(event)
        visit = getattr(found, "visit", None)
        if visit is not None and visit in self.standings[subject].locked:
            raise OutOfOrder(f"Event {said.of} cannot be corrected for {subject}: visit {visit!r} is locked.")
        check_correction(found, said)
        self.record(subject, said, "investigator", happened)
        name = said.field.removeprefix("results.")
        if isinstance(found, VisitHeld) and said.after is not None:
            new = {name: Result.model_validate(said.after)}
            self._ask_about_values(subject, said.of, new, happened)
            if not self.standings[subject].is_over:
                self._act_on(subject, new, happened)

    def open_trial(self, happened: datetime, *, is_rehearsal: bool) -> None:
        """The first event: the protocol, and what is committed to."""
        said = TrialOpened(
            protocol=self.file.protocol.name,
            protocol_sha256=self.file.sha256,
            planned=self.file.protocol.population.planned,
            allocation_commitment=self.allocator.commitment,
            signing_key=self.ledger.signer.public_key,
            software=f"sevenfold {__version__}",
            is_rehearsal=is_rehearsal,
        )
        self._say(said, None, None, "sponsor", happened)

    def open_site(self, site: str, happened: datetime) -> None:
        """A site may screen."""
        trial, place = self._site(site)
        said = SiteOpened(
            name=place.name,
            city=place.city,
            country=trial.country,
            registered_trial=trial.id,
            time_zone=place.time_zone,
        )
        self._say(said, None, site, "sponsor", happened)

    def screen(self, subject: str, site: str, known: Screening) -> tuple[Unmet, ...]:
        """Hold a candidate against the criteria in force at the site; answers those that are not met."""
        p = self.file.protocol
        self._site(site)
        unmet = unmet_criteria(p.criteria_at(site, known.at.date()), known, p)
        said = CandidateScreened(
            amendments=list(p.amendments_at(site, known.at.date())),
            known=known.as_payload(),
            unmet=[UnmetCriterion(**asdict(one)) for one in unmet],
        )
        self._say(said, subject, site, "investigator", known.at)
        return unmet

    def consent(self, subject: str, by: str | None, happened: datetime) -> None:
        """Consent by ``patient`` or ``representative``; None for a refusal."""
        self.record(
            subject,
            ConsentRefused() if by is None else ConsentGiven.model_validate({"by": by}),
            "investigator",
            happened,
        )

    def randomise(self, subject: str, happened: datetime) -> str:
        """Take the next place of the subject's stratum; answers the randomisation number.

        Raises:
            OutOfOrder: no consent, randomised already, or the planned number is reached.
        """
        site = self.site_of(subject)
        stratum = "" if site is None else stratum_of(self.file, site)
        self._check(Randomised(number="", stratum=stratum), subject, site, happened)
        if self.n_randomised >= self.file.protocol.population.planned:
            raise OutOfOrder(f"{subject} cannot be randomised: the planned {self.n_randomised} subjects have been.")
        number = self.allocator.allocate(stratum)
        self.record(subject, Randomised(number=number, stratum=stratum), "investigator", happened)
        return number

    def hold_visit(
        self,
        subject: str,
        visit: str,
        results: Mapping[str, Result],
        happened: datetime,
        *,
        with_masked: bool = True,
    ) -> None:
        """Record a visit: open results in clear, masked ones sealed and reviewed behind the blind.

        Its study day follows from when it happened; before randomisation, when day 1 is not known yet, it is the
        planned one. A day outside its window, and a value outside what is plausible, are recorded and asked about.

        Args:
            with_masked: whether the masked results come with it; at a site they come from the laboratory, by
                :meth:`receive_masked`.

        Raises:
            InvalidInput: the visit can't be as it is said, or a masked result came with a visit that has none.
        """
        p = self.file.protocol
        day = self._checked_day(subject, visit, results, happened)
        study_day = p.schedule.visit(visit).day if day is None else day
        masked_names = set(p.masking.assessments) if day is not None else set()
        scores = self._scores(visit, results)
        clear = {name: result for name, result in results.items() if name not in masked_names}
        said = VisitHeld(visit=visit, study_day=study_day, results=clear, scores=scores)
        self._check(said, subject, self.site_of(subject), happened)
        masked = {name: results[name] for name in sorted(masked_names) if name in results}
        if not with_masked and masked:
            raise InvalidInput(
                f"{subject}, visit {visit!r}: {', '.join(masked)} would betray the treatment and comes from the "
                "laboratory alone."
            )
        self.record(subject, said, "nurse", happened)
        about = self.ledger.last_sequence
        if with_masked and (masked or masked_names & set(p.schedule.visit(visit).assessments)):
            self._seal(subject, visit, study_day, masked, happened)
        self.ask(subject, about, question_of_day(p.schedule.visit(visit), study_day), happened)
        self._ask_about_values(subject, about, clear, happened)
        self._act_on(subject, clear, happened)

    def receive_masked(self, subject: str, visit: str, results: Mapping[str, Result], happened: datetime) -> None:
        """Masked results of a visit, from the laboratory: sealed, and reviewed behind the blind.

        The site is asked about a sample taken outside the visit's window, once for a day; what is asked about a value
        stands in the sealed review, for whoever may see it.

        Raises:
            InvalidInput: a result is not one that the protocol masks, or the visit can't be of that day.
            OutOfOrder: one of them came already, or the subject is not randomised.
        """
        self.check_masked(subject, visit, results, happened)
        planned = self.file.protocol.schedule.visit(visit)
        day = self._checked_day(subject, visit, results, happened)
        study_day = planned.day if day is None else day
        self._seal(subject, visit, study_day, results, happened)
        held = self.standings[subject].held_at.get(visit)
        if held is None or study_day_of(self.standings[subject], held, self._zone_of(subject)) != study_day:
            self.ask(subject, self.ledger.last_sequence - 1, question_of_day(planned, study_day), happened)

    def check_masked(self, subject: str, visit: str, results: Mapping[str, Result], happened: datetime) -> None:
        """Refuse what :meth:`receive_masked` would."""
        p = self.file.protocol
        open_ones = sorted(set(results) - set(p.masking.assessments))
        if open_ones:
            raise InvalidInput(f"{subject}, visit {visit!r}: {open_ones[0]} is not masked; the site records it.")
        day = self._checked_day(subject, visit, results, happened)
        said = self._masked_said(subject, visit, day or p.schedule.visit(visit).day)
        self._check(said, subject, self.site_of(subject), happened)
        twice = sorted(results.keys() & self.followed.reviewer.sent(subject, visit).keys())
        if twice:
            raise OutOfOrder(
                f"MaskedResults cannot be recorded for {subject}: {', '.join(twice)} was recorded already for visit "
                f"{visit!r}."
            )

    def review(self, subject: str, visit: str, masked: Mapping[str, Result], happened: datetime) -> None:
        """Let the safety reviewer look at masked results that are new; what is decided is sealed."""
        standing = self.standings[subject]
        reviewed = self.followed.reviewer.review(
            self.file.protocol, subject, str(standing.number), visit, masked, n_before=standing.n_reviews.get(visit, 0)
        )
        self.record(subject, reviewed, "safety reviewer", happened)

    def check(self, subject: str, said: Payload, happened: datetime) -> None:
        """Refuse a step of a subject that may not be taken now, and take none.

        Raises:
            OutOfOrder: it may not.
        """
        self._check(said, subject, self.site_of(subject), happened)

    def _masked_said(self, subject: str, visit: str, study_day: int) -> MaskedResults | FurtherMaskedResults:
        """The first masked results of a visit, or further ones, before they are sealed."""
        standing = self.standings.get(subject)
        if standing is None or visit not in standing.sealed_visits:
            return MaskedResults(visit=visit, study_day=study_day, sealed="")
        number = standing.n_further.get(visit, 0) + 1
        return FurtherMaskedResults(visit=visit, study_day=study_day, sealed="", number=number)

    def _checked_day(self, subject: str, visit: str, results: Mapping[str, Result], happened: datetime) -> int | None:
        """The study day of a visit that can be as it is said; None before randomisation."""
        standing, zone = self.standings.get(subject), self._zone_of(subject)
        day = None if standing is None else study_day_of(standing, happened, zone)
        held = {}
        if standing is not None and day is not None:
            days = {other: study_day_of(standing, at, zone) for other, at in standing.held_at.items()}
            held = {other: on for other, on in days.items() if on is not None}
        found = {name: (result.value, result.unit) for name, result in results.items()}
        check_visit(self.file.protocol, subject, visit, day, found, held)
        return day

    def ask(self, subject: str, about: int, question: str | None, happened: datetime) -> None:
        """Raise a query by itself about an event, where there is a question."""
        if question is not None:
            number = len(self.standings[subject].queries) + 1
            self.record(subject, QueryRaised(number=number, about=about, text=question), "system", happened)

    def _ask_about_values(self, subject: str, about: int, clear: Mapping[str, Result], happened: datetime) -> None:
        """Ask about every open value that can be and hardly ever is."""
        variables = self.file.protocol.known_variables
        for name, result in clear.items():
            self.ask(subject, about, implausible(variables[name], result.value), happened)

    def _seal(self, subject: str, visit: str, study_day: int, masked: Mapping[str, Result], happened: datetime) -> None:
        said = self._masked_said(subject, visit, study_day)
        plain = {name: masked[name].model_dump() for name in sorted(masked)}
        sealed = self.allocator.seal(place_of_sealed(subject, said), plain)
        self.record(subject, said.model_copy(update={"sealed": sealed}), "laboratory", happened)
        self.followed.reviewer.sees(subject, visit, happened, masked)
        self.review(subject, visit, masked, happened)

    def prepare_dose(self, subject: str, study_day: int, happened: datetime) -> tuple[str, Injected] | None:
        """The kit and the injection for a dose; None where an open rule holds it. A rule that stops dosing stops it
        here, on the record, if it has not before. Where stock is kept, the vials are taken from it.

        Raises:
            OutOfStock: the site lacks vials of some product that the kit might hold, whichever it does.
        """
        p = self.file.protocol
        if study_day not in p.dosing_days:
            days = ", ".join(map(str, sorted(p.dosing_days)))
            raise InvalidInput(f"{subject}: no dose is planned for day {study_day}; doses are on days {days}.")
        if subject not in self.standings:
            raise OutOfOrder(f"No dose can be prepared for {subject}, who was never screened.")
        standing = self.standings[subject]
        if standing.is_dosing and interruptions(p, standing.latest, masked=False):
            self._stop_by_rule(subject, happened)
            return None
        injected = volume_for(p, study_day, standing.weight_kg, standing.latest)
        said = Dispensed(study_day=study_day, kit="", volume_ml=injected.volume_ml, route=injected.route.value)
        self._check(said, subject, self.site_of(subject), happened)
        picked = self._picked(subject, study_day, injected, happened)
        kit = self.allocator.dispense(str(standing.number), study_day, picked)
        self.record(subject, said.model_copy(update={"kit": kit}), "unblinded pharmacist", happened)
        return kit, injected

    def _picked(
        self, subject: str, study_day: int, injected: Injected, happened: datetime
    ) -> dict[str, dict[str, int]] | None:
        """The vials that would go into a kit, whatever it holds; None where no stock is kept."""
        site = str(self.site_of(subject))
        wanted = vials_for(self.file.protocol, study_day, injected.volume_ml)
        if not wanted or not self.stock.is_kept_at(site):
            return None
        return self.stock.pick(site, wanted, happened.astimezone(self.zone(site)).date())

    def give_dose(self, subject: str, study_day: int, kit: str, injected: Injected, happened: datetime) -> None:
        """The injection."""
        said = DoseGiven(
            study_day=study_day,
            kit=kit,
            volume_ml=injected.volume_ml,
            route=injected.route.value,
            over_h=injected.over_h,
        )
        self.record(subject, said, "nurse", happened)

    def observe_dose(self, subject: str, study_day: int, before: Bedside, seen: Bedside, happened: datetime) -> None:
        """The worst before and after a dose, with the grade of cytokine release, raw and new."""
        found = released(before, seen)
        said = DoseObserved(
            study_day=study_day,
            before=before.as_numbers(),
            after=seen.as_numbers(),
            cytokine_release_raw=found.raw,
            cytokine_release_new=found.new,
        )
        self.record(subject, said, "nurse", happened)

    def record(self, subject: str, said: Payload, actor: str, happened: datetime) -> None:
        """Record a step of a subject, if it may be taken now.

        Raises:
            OutOfOrder: it may not.
        """
        self._say(said, subject, self.site_of(subject), actor, happened)
        if isinstance(said, AdverseEventReported):
            self._raise(subject, self.followed.rates.raised(said, self.standings.values()), happened)

    def unblind_one(self, subject: str, asked_by: str, reason: str, happened: datetime) -> str:
        """Record that somebody must know a subject's treatment now; answers the randomisation number to ask for.

        Raises:
            OutOfOrder: the subject is not randomised.
        """
        self.record(subject, EmergencyUnblinded(asked_by=asked_by, reason=reason), "investigator", happened)
        return str(self.standings[subject].number)

    def sign(self, subject: str, name: str, meaning: str, visit: str | None, happened: datetime) -> None:
        """An investigator signs a visit, or (None) everything of a subject, as it is recorded now.

        Args:
            name: of the signer, as printed.
        """
        digest = digest_of(told_of(self.ledger, subject), visit)
        self.record(subject, Signed(name=name, meaning=meaning, visit=visit, digest=digest), "investigator", happened)

    def lock(self, happened: datetime, unsigned: Mapping[str, str] | None = None) -> None:
        """Close the data. Every randomised subject must have come to an end and an investigator have signed the data,
        and every query been closed, those to the laboratory too.

        Args:
            unsigned: by site, why nobody there can sign.

        Raises:
            OutOfOrder: somebody's part is not over, a query is open, or data are not signed.
        """
        open_ones = [s.subject for s in self.standings.values() if s.number is not None and not s.is_over]
        if open_ones:
            raise OutOfOrder(
                f"The database cannot be locked: {open_ones[0]} and {len(open_ones) - 1} more are still in the trial."
            )
        asked = [s for s in self.standings.values() if s.n_open_queries]
        if asked:
            n = sum(standing.n_open_queries for standing in asked)
            raise OutOfOrder(f"The database cannot be locked: {n} queries are open, the first of {asked[0].subject}.")
        sealed = [s for s in self.standings.values() if s.asked_of_laboratory]
        if sealed:
            raise OutOfOrder(
                f"The database cannot be locked: the laboratory has a question open on masked results of "
                f"{sealed[0].subject}."
            )
        why = check_signed(self.ledger, self.standings.values(), self.followed.sites, unsigned or {})
        said = DatabaseLocked(n_subjects=self.n_randomised, unsigned=why)
        if self.refuses is not None:
            for subject in why:
                self.refuses(subject, said)
        self._say(said, None, None, "data manager", happened)

    def unblind(
        self,
        assignments: Mapping[str, str],
        allocation_list: Mapping[str, list[str]],
        nonce: str,
        results_key: str,
        happened: datetime,
        vials: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        """Record the planned unblinding, after lock.

        Raises:
            OutOfOrder: the database is not locked.
        """
        nothing = Unblinded(assignments={}, allocation_list={}, commitment_nonce="", results_key="")
        self._check(nothing, None, None, happened)
        by_subject = {s.subject: assignments[s.number] for s in self.standings.values() if s.number is not None}
        said = Unblinded(
            assignments=by_subject,
            allocation_list=dict(allocation_list),
            commitment_nonce=nonce,
            results_key=results_key,
            vials={kit: dict(lots) for kit, lots in (vials or {}).items()},
        )
        self._say(said, None, None, "sponsor and IDMC statistician", happened)

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

    def say_of_trial(self, said: Payload, actor: str, happened: datetime, site: str | None = None) -> None:
        """Record something of the trial as a whole or of a site, if it may be said now."""
        self._say(said, None, site, actor, happened)

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

    def n_by_disposition(self) -> dict[Disposition, int]:
        """Counts of every way in which a subject's part can stand."""
        stands = [standing.disposition for standing in self.standings.values()]
        return {disposition: stands.count(disposition) for disposition in Disposition}

    def zone(self, site: str) -> ZoneInfo:
        """A site's time zone."""
        return ZoneInfo(self.file.protocol.sites[site][1].time_zone)

    def _site(self, site: str) -> tuple[RegisteredTrial, Site]:
        sites = self.file.protocol.sites
        if site not in sites:
            raise InvalidInput(f"The protocol has no site {site!r}; its sites are {', '.join(sites)}.")
        return sites[site]

    def _act_on(self, subject: str, clear: Mapping[str, Result], happened: datetime) -> None:
        """What the rules make of new open results: whether dosing stops, and who must be told."""
        standing = self.standings[subject]
        if standing.is_dosing:
            self._stop_by_rule(subject, happened)
        new = {name: result.value for name, result in clear.items()}
        self._raise(subject, raised_by_results(self.file.protocol, new, standing.latest, masked=False), happened)

    def _stop_by_rule(self, subject: str, happened: datetime) -> None:
        open_rules = interruptions(self.file.protocol, self.standings[subject].latest, masked=False)
        stopping = [one.id for one in open_rules if one.action is Action.STOP]
        if stopping:
            said = DosingStopped(reason=f"rule of the protocol: {', '.join(stopping)}")
            self.record(subject, said, "investigator", happened)

    def _raise(self, subject: str, found: Iterable[Raised], happened: datetime) -> None:
        for one in found:
            said = MonitoringRaised(rule=one.rule.id, to=one.rule.to, action=one.rule.action, because=one.because)
            self.record(subject, said, "system", happened)

    def _zone_of(self, subject: str) -> ZoneInfo:
        site = self.site_of(subject)
        return ZoneInfo("UTC") if site is None else self.zone(site)

    def _scores(self, visit: str, results: Mapping[str, Result]) -> dict[str, dict[str, int | None]]:
        p = self.file.protocol
        names = [name for name in p.schedule.visit(visit).assessments if p.known_variables[name].kind is Kind.SCORE]
        if "sofa" not in names:
            return {}
        score = sofa({name: result.value for name, result in results.items()})
        return {"sofa": {**score.organs, "total": score.total}}

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
            check_moment(self.file.protocol, self.standings.get(subject), said, happened, self._zone_of(subject))
