"""A cohort from somebody's tables: the other maker from stored data. It forges no events."""

from math import inf, nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.cohort import Assignment, Cohort, Ended, Missing
from sevenfold.cohort.imported.account import Account, Ledger
from sevenfold.cohort.imported.days import measured_days
from sevenfold.cohort.imported.happenings import End, Happened, read_adverse_events, read_ends, read_happenings
from sevenfold.cohort.imported.mapping import Mapping
from sevenfold.cohort.imported.measurements import Grid, read_measurements
from sevenfold.cohort.imported.people import read_people
from sevenfold.cohort.imported.rows import Source
from sevenfold.errors import InvalidInput
from sevenfold.protocol.protocol import Protocol

__all__ = ["from_frame"]

Floats = NDArray[np.float64]


def from_frame(path: Path, mapping: Mapping, protocol: Protocol) -> tuple[Cohort, Account]:
    """The randomised subjects of a folder of tables, or of one, with the account of what was read.

    Raises:
        InvalidInput: mapping, protocol and data do not fit each other; or values that cannot be read as what they
            should be, every one named, unless the mapping leaves them out.
    """
    if mapping.protocol != protocol.name:
        raise InvalidInput(f"The mapping is for protocol {mapping.protocol!r}, and the protocol is {protocol.name!r}.")
    ledger = Ledger(is_refused=mapping.trouble == "refuse")
    source = Source(path=path, mapping=mapping, ledger=ledger)
    people = read_people(source, protocol)
    n = len(people.subjects)
    happened: dict[str, Happened] = {}
    for happening in mapping.events:
        if happening.event in happened:
            raise InvalidInput(f"The mapping reads {happening.event!r} twice; make it one part.")
        happened[happening.event] = read_happenings(happening, people, source)
    adverse = () if mapping.adverse_events is None else read_adverse_events(mapping.adverse_events, people, source)
    end = None if mapping.ends is None else read_ends(mapping.ends, people, source)
    vital = happened.pop("death", _never(n))
    death = np.full(n, inf) if end is None else np.where(end.reason == Missing.DEAD, end.day, inf)
    death = np.minimum(death, vital.day)
    of_what_happened, ledger.counts[1:] = ledger.counts[1:], []
    grids: dict[str, Grid] = {}
    for part in mapping.measurements:
        if part.variable in grids:
            raise InvalidInput(f"The mapping reads {part.variable!r} twice; make it one part.")
        grids[part.variable] = read_measurements(part, people, source, protocol, death)
    ledger.counts += of_what_happened  # told in the order of the mapping
    days = measured_days(grids, n, protocol, ledger)
    if adverse and len(_told(mapping)) < 4:
        unknown = sorted({"grade", "related", "serious", "led_to_stop"} - _told(mapping))
        ledger.notes[f"Adverse events: these data do not say of any {', '.join(unknown).replace('_', ' ')}"] += 1
    _tell_of_ends(end, vital, days.contact, ledger)
    account = ledger.close(source.paths)
    last = _last_day(end, days.contact, happened)
    last = np.fmax(last, np.where(np.isfinite(vital.until), vital.until, nan))  # looked at for death: followed so long
    last = np.where(np.isfinite(death), death, last)  # and who died, until then
    values = {name: grid.values[None] for name, grid in grids.items()}
    because, since = _because(end, vital, days.contact)
    baseline = protocol.schedule.names.index(protocol.baseline.visit)
    cohort = Cohort(
        subjects=people.subjects,
        visits=protocol.schedule.names,
        values=values,
        missing={name: _reasons(grid.values, death, because, since, protocol)[None] for name, grid in grids.items()},
        baseline={name: grid[:, :, baseline].copy() for name, grid in values.items()},
        measured_day=days.visit[None],
        death_day=death[None],
        last_day=last[None],
        discharge_day=np.full((1, n), inf),
        first_event_day={name: one.day[None] for name, one in happened.items()},
        n_doses=people.is_dosed.astype(np.int64)[None],
        adverse_events=tuple(adverse),
        assignment=Assignment(arms=tuple(arm.id for arm in protocol.arms), arm=people.arm[None]),
        below={name: grid.below[None] for name, grid in grids.items() if grid.below.any()},
        is_in_order=people.is_in_order,
        told_of_events=_told(mapping),
        looked_for_day={
            name: _watched(np.where(np.isinf(one.until), last, one.until), one.day)[None]
            for name, one in happened.items()
        },
        own_day={name: day[None] for name, day in days.own.items()},
        ended=_ended(end, death),
    )
    _asked_for(cohort, mapping, protocol)
    return cohort, account


def _never(n: int) -> Happened:
    """Of an event for which no table is read."""
    return Happened(day=np.full(n, inf), until=np.full(n, nan), is_unread=np.zeros(n, dtype=np.bool_))


def _tell_of_ends(end: End | None, vital: Happened, contact: Floats, ledger: Ledger) -> None:
    """Count what two tables say differently of how long a subject lived or was followed."""
    if end is None:
        return
    is_dead = end.reason == Missing.DEAD
    differs = is_dead & np.isfinite(vital.day) & (vital.day != end.day)
    later = ~is_dead & (contact > end.day)
    for which, told in (
        (differs, "Subjects whose day of death differs between two tables; the earlier stands"),
        (later, "Subjects measured after the end of their follow-up; the values are used"),
    ):
        if which.any():
            ledger.notes[told] += int(which.sum())


def _last_day(end: End | None, contact: Floats, happened: dict[str, Happened]) -> Floats:
    """Until when each subject was followed: as the file says, else the last that is known."""
    known = [contact, *(np.where(np.isfinite(one.until), one.until, 0.0) for one in happened.values())]
    latest = np.max(known, axis=0)
    return np.asarray(latest if end is None else np.where(np.isfinite(end.day), end.day, latest))


def _because(end: End | None, vital: Happened, contact: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Why there is nothing after the end of follow-up, and from which day that holds  # both (subject,).

    Of whom a row about death cannot be read it is not known whether they lived.
    """
    n = len(contact)
    reason = np.full(n, int(Missing.MISSED), dtype=np.int64) if end is None else end.reason
    day = np.full(n, nan) if end is None else end.day
    reason = np.where(vital.is_unread & (reason == Missing.MISSED), int(Missing.UNREADABLE), reason)
    return reason, np.where(np.isfinite(day), day, contact)


def _ended(end: End | None, death: Floats) -> tuple[Ended, ...]:
    """How each part ended, in words; who is known to have died died, where the ends say nothing."""
    if end is None:
        return ()
    return tuple(
        Ended(how="died") if np.isfinite(day) and one == Ended(how="not said") else one
        for one, day in zip(end.ended, death, strict=True)
    )


def _told(mapping: Mapping) -> frozenset[str]:
    """What the mapping reads of adverse events besides their names."""
    part = mapping.adverse_events
    kinds = ("grade", "related", "serious", "led_to_stop")
    return frozenset(kind for kind in kinds if part is not None and getattr(part, kind) is not None)


def _watched(until: Floats, happened: Floats) -> Floats:
    """Until when an event was looked for: at least until it was seen."""
    return np.asarray(np.where(np.isfinite(happened), np.maximum(until, happened), until))


def _reasons(
    values: Floats, death: Floats, because: NDArray[np.int64], since: Floats, protocol: Protocol
) -> NDArray[np.int64]:
    """(subject, visit) why there is no value."""
    planned = np.array([visit.time_day for visit in protocol.schedule.visits])
    last_of_window = planned + np.array([visit.window[1] for visit in protocol.schedule.visits]) + 1.0
    is_after = (since[:, None] <= last_of_window) & (because != Missing.DEAD)[:, None]
    reasons = np.where(is_after, because[:, None], int(Missing.MISSED))
    reasons = np.where(death[:, None] <= last_of_window, int(Missing.DEAD), reasons)
    return np.asarray(np.where(np.isfinite(values), int(Missing.PRESENT), reasons))


def _asked_for(cohort: Cohort, mapping: Mapping, protocol: Protocol) -> None:
    """Refuse data that leave out what the plan asks about or adjusts for."""
    table = mapping.subjects
    known = {name for name in ("age", "sex", "weight", "country", "site") if getattr(table, name) is not None}
    for analysis in protocol.analyses:
        for name in analysis.covariates:
            if name != "baseline" and name not in known | set(table.covariates):
                raise InvalidInput(
                    f"The analysis of {analysis.estimand!r} is adjusted for {name!r}, which the mapping does not read; "
                    "add it to the mapping's subjects."
                )
    for endpoint in protocol.endpoints:
        for name in endpoint.assessments:
            if name not in cohort.values:
                raise InvalidInput(
                    f"Endpoint {endpoint.id!r} needs {name!r}, which the mapping does not read; add it under "
                    f"'measurements', or leave the question out with 'without: [{endpoint.id}]'."
                )
        for event in endpoint.events:
            if event != "death" and event not in cohort.first_event_day:
                raise InvalidInput(
                    f"Endpoint {endpoint.id!r} needs the event {event!r}, which the mapping does not read; add it "
                    f"under 'events', or leave the question out with 'without: [{endpoint.id}]'."
                )
