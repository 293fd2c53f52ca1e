"""A rehearsal: the trial from the first site's opening to database lock, event by event, through ``conduct``.

Calendar time passes in one queue for all sites. What happens is entered some hours later, as people do, so the
ledger's own time runs forward while each event keeps the time at which it happened.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final, final
from zoneinfo import ZoneInfo

from sevenfold.clock import SimulatedClock, hours_between, later
from sevenfold.protocol.visit import Visit
from sevenfold.record.payloads import OrganSupport
from sevenfold.trial.arrivals import Arrival, arrivals
from sevenfold.trial.attend import attend, dose
from sevenfold.trial.closing import lock_database
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.dosing import observe_dose
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate
from sevenfold.trial.feasibility import Feasibility
from sevenfold.trial.opening import open_site, open_trial
from sevenfold.trial.ports import Event, Nature
from sevenfold.trial.reporting import reported
from sevenfold.trial.signing import MEANINGS, sign_data

__all__ = ["Rehearsal", "rehearse"]

_ENTERED_AFTER: Final = {"visit": timedelta(hours=2), "event": timedelta(hours=5), "observation": timedelta(hours=1)}
_FROM_SCREENING: Final = {
    "consent": timedelta(hours=2),
    "baseline": timedelta(hours=3),
    "randomisation": timedelta(hours=4),
    "first dose": timedelta(hours=5),
}
_SIGNED_AFTER: Final = timedelta(days=7)  # the end of the subject's part
_LOCK_AFTER: Final = timedelta(days=30)
_COMMIT_EVERY: Final = 400  # steps; a crash loses at most these, and the ledger says that it was running

Progress = Callable[[int, int], None]


@final
@dataclass(slots=True)
class _Agenda:
    """What is still planned for a subject, in order of time since the first dose."""

    subject: str
    first_dose_at: datetime
    planned: list[tuple[float, str, object]]
    reached_day: float = 0.0


@final
@dataclass(slots=True)
class Rehearsal:
    """A rehearsal under way.

    Args:
        conduct: on a new ledger whose clock is simulated.
        nature: the virtual ICU.
        root: the run's seed.
        progress: told how many subjects of how many have come to an end.
        is_interrupted: asked between steps, where the ledger can be closed in good order.
        stops_at: asked between steps: whether the trial is as far as it is wanted; it is left running then.
    """

    conduct: Conduct
    nature: Nature
    clock: SimulatedClock
    root: int | bytes
    progress: Progress
    is_interrupted: Callable[[], bool]
    stops_at: Callable[[Conduct], bool] | None = None
    trial: int = 0
    _queue: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0
    _uncommitted: int = 0
    _feasibility: Feasibility = field(init=False)

    def __post_init__(self) -> None:
        self._feasibility = Feasibility(self.conduct.file)

    def run(self) -> None:
        """From the first site to database lock.

        Raises:
            KeyboardInterrupt: it was interrupted; the ledger is a valid one that says so.
            InvalidDesign: the criteria let nobody in, or the sites screen too slowly.
        """
        p = self.conduct.file.protocol
        opening = min(self._opens(site) for site in p.sites)
        self.clock.move_to(opening)
        open_trial(self.conduct, opening, is_rehearsal=True)
        for site in p.sites:
            self._put(self._opens(site), self._opener(site))
        while self._queue:
            if self.is_interrupted():
                self.conduct.interrupt("stopped by the user", self.clock.now())
                raise KeyboardInterrupt
            if self.stops_at is not None and self.stops_at(self.conduct):
                self._commit()
                return
            moment, _, act = heapq.heappop(self._queue)
            self.clock.move_to(moment)
            act()
            self._uncommitted += 1
            if self._uncommitted >= _COMMIT_EVERY:
                self._commit()
        self.clock.move_to(self.clock.now() + _LOCK_AFTER)
        lock_database(self.conduct, self.clock.now())
        self._commit()

    def _commit(self) -> None:
        self.conduct.commit()
        self._uncommitted = 0

    def _put(self, moment: datetime, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (max(moment.astimezone(UTC), self.clock.now()), self._count, act))

    def _opens(self, site: str) -> datetime:
        place = self.conduct.file.protocol.sites[site][1]
        return datetime.combine(place.opens, time(7), ZoneInfo(place.time_zone))

    def _opener(self, site: str) -> Callable[[], None]:
        def act() -> None:
            open_site(self.conduct, site, self._opens(site))
            stream = arrivals(self.conduct.file.protocol, site, self.root, self.trial)
            self._await(stream.__next__)

        return act

    def _await(self, following: Callable[[], Arrival]) -> None:
        if self._is_full():
            return
        arrival = following()
        self._feasibility.check_pace(arrival, self.conduct.n_randomised)

        def act() -> None:
            if not self._is_full():
                self._screen(arrival)
                self._await(following)

        self._put(arrival.at + timedelta(hours=1), act)

    def _is_full(self) -> bool:
        return self.conduct.n_randomised >= self.conduct.file.protocol.population.planned

    def _screen(self, arrival: Arrival) -> None:
        subject = arrival.subject
        asked_at, seen_at, first_dose_at, randomised_at = (
            later(arrival.at, _FROM_SCREENING[step]) for step in ("consent", "baseline", "first dose", "randomisation")
        )
        candidate = self.nature.candidate(subject, arrival.site, arrival.at)
        unmet = screen_candidate(self.conduct, subject, arrival.site, candidate.screening)
        self._feasibility.sees(unmet)
        if unmet:
            return

        def consent() -> None:
            record_consent(self.conduct, subject, candidate.consent, asked_at)
            if candidate.consent is not None:
                self._put(randomised_at, begin)

        def begin() -> None:
            if self._is_full():
                return
            visits = self.conduct.file.protocol.schedule.visits
            for visit in visits:
                if visit.day <= 1 and visit.hours_after_dose is None:
                    attend(self.conduct, self.nature, subject, visit, days(seen_at), first_dose_at)
            randomise_subject(self.conduct, subject, randomised_at)
            for support in self.nature.supports(subject, days(randomised_at)):
                said = OrganSupport.model_validate({"support": support, "change": "present"})
                self.conduct.record(subject, said, "nurse", randomised_at)
            self._plan_next(_Agenda(subject, first_dose_at, self._agenda(subject)))

        def days(moment: datetime) -> float:
            return hours_between(first_dose_at, moment) / 24.0

        self._put(later(asked_at, timedelta(minutes=30)), consent)

    def _agenda(self, subject: str) -> list[tuple[float, str, object]]:
        p = self.conduct.file.protocol
        planned: list[tuple[float, str, object]] = [
            (self._comes(subject, visit), "visit", visit)
            for visit in p.schedule.visits
            if visit.day > 1 or visit.hours_after_dose is not None
        ]
        planned += [
            (float(day - 1), "~dose", day) for day in p.dosing_days
        ]  # sorts behind the visit of the same moment
        planned.append((max(visit.time_day + visit.window[1] for visit in p.schedule.visits) + 0.1, "end", None))
        return sorted(planned, key=lambda item: (item[0], item[1] == "~dose"))

    def _plan_next(self, agenda: _Agenda) -> None:
        """Put the subject's next step into the queue: whatever comes first, planned or not."""
        standing = self.conduct.standings[agenda.subject]
        if standing.is_over:
            done = sum(s.number is not None and s.is_over for s in self.conduct.standings.values())
            self.progress(done, self.conduct.file.protocol.population.planned)
            self._put(self.clock.now() + _SIGNED_AFTER, lambda: self._sign(agenda.subject))
            return
        time_day, kind, what = agenda.planned[0]
        event = self.nature.next_event(agenda.subject, agenda.reached_day, time_day)
        if event is not None:
            self._put(self._at(agenda, event.time_day) + _ENTERED_AFTER["event"], lambda: self._happen(agenda, event))
        else:
            late = _ENTERED_AFTER["observation" if kind == "observe" else "visit"]
            self._put(self._at(agenda, time_day) + late, lambda: self._do(agenda, time_day, kind, what))

    def _sign(self, subject: str) -> None:
        """The site's investigator signs everything of a subject. Nobody in a rehearsal has a name."""
        site = str(self.conduct.site_of(subject))
        name = f"investigator of {site} (rehearsal)"
        sign_data(self.conduct, subject, name, MEANINGS[0], None, self.clock.now().astimezone(self.conduct.zone(site)))

    def _at(self, agenda: _Agenda, time_day: float) -> datetime:
        return later(agenda.first_dose_at, timedelta(days=time_day))

    def _comes(self, subject: str, visit: Visit) -> float:
        """When a subject comes for a visit. Where there is a dose it is held on the planned day, before the dose."""
        if visit.day in self.conduct.file.protocol.dosing_days:
            return visit.time_day
        return self.nature.comes(subject, visit.id, visit.time_day, *visit.window)

    def _do(self, agenda: _Agenda, time_day: float, kind: str, what: object) -> None:
        agenda.planned.pop(0)
        agenda.reached_day = max(agenda.reached_day, time_day)
        conduct, subject = self.conduct, agenda.subject
        if kind == "visit" and isinstance(what, Visit):
            attend(conduct, self.nature, subject, what, time_day, agenda.first_dose_at)
        elif kind == "~dose" and isinstance(what, int):
            if conduct.standings[subject].is_dosing and dose(
                conduct, self.nature, subject, what, time_day, agenda.first_dose_at
            ):
                hours = conduct.file.protocol.dosing.observed_after_h
                agenda.planned.append((time_day + hours / 24.0, "observe", (what, time_day, hours)))
                agenda.planned.sort(key=lambda item: (item[0], item[1] == "~dose"))
        elif kind == "observe" and isinstance(what, tuple):
            day, dosed_at, hours = what
            before, seen = self.nature.observed(subject, dosed_at, hours)
            observe_dose(conduct, subject, day, before, seen, self._at(agenda, time_day))
        else:
            conduct.ending(subject, self._at(agenda, time_day))
        self._plan_next(agenda)

    def _happen(self, agenda: _Agenda, event: Event) -> None:
        agenda.reached_day = event.time_day
        happened = self._at(agenda, event.time_day)
        said, actor = reported(event, self.conduct.standings[agenda.subject], happened)
        if said is not None:
            self.conduct.record(agenda.subject, said, actor, happened)
        self._plan_next(agenda)


def rehearse(
    conduct: Conduct,
    nature: Nature,
    clock: SimulatedClock,
    root: int | bytes,
    progress: Progress,
    is_interrupted: Callable[[], bool] = lambda: False,
    stops_at: Callable[[Conduct], bool] | None = None,
) -> None:
    """Rehearse a trial up to database lock, or until it is as far as it is wanted."""
    Rehearsal(conduct, nature, clock, root, progress, is_interrupted, stops_at).run()
