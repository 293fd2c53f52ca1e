"""A cohort from somebody's tables: the other maker from stored data. It forges no events."""

from math import inf, nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.cohort import Assignment, Cohort, Missing
from sevenfold.cohort.imported.account import Account, Ledger
from sevenfold.cohort.imported.happenings import End, read_adverse_events, read_ends, read_happenings
from sevenfold.cohort.imported.mapping import Mapping
from sevenfold.cohort.imported.measurements import read_measurements
from sevenfold.cohort.imported.people import read_people
from sevenfold.cohort.imported.rows import Source
from sevenfold.errors import InvalidInput
from sevenfold.protocol.protocol import Protocol

__all__ = ["from_frame"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


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
    shape = (1, n, len(protocol.schedule.visits))
    values, below, days = {}, {}, np.full(shape[1:], nan)
    for part in mapping.measurements:
        if part.variable in values:
            raise InvalidInput(f"The mapping reads {part.variable!r} twice; make it one part.")
        grid = read_measurements(part, people, source, protocol)
        values[part.variable], below[part.variable] = grid.values[None], grid.below[None]
        days = np.where(np.isfinite(days), days, grid.day)
    looked_for, first_event = {}, {}
    for happening in mapping.events:
        happened, until = read_happenings(happening, people, source)
        first_event[happening.event], looked_for[happening.event] = happened[None], until
    adverse = () if mapping.adverse_events is None else read_adverse_events(mapping.adverse_events, people, source)
    end = None if mapping.ends is None else read_ends(mapping.ends, people, source)
    if adverse and len(_told(mapping)) < 4:
        unknown = sorted({"grade", "related", "serious", "led_to_stop"} - _told(mapping))
        ledger.notes[f"Adverse events: these data do not say of any {', '.join(unknown).replace('_', ' ')}"] += 1
    account = ledger.close(source.paths)
    planned = np.array([visit.time_day for visit in protocol.schedule.visits])
    days = np.where(_is_seen(values, shape)[0] & ~np.isfinite(days), planned, days)
    last = _last_day(end, days, looked_for)
    death = np.full(n, inf) if end is None else np.where(end.reason == Missing.DEAD, end.day, inf)
    if "death" in first_event:
        death = np.minimum(death, first_event.pop("death")[0])
    vital = looked_for.pop("death", np.full(n, nan))
    last = np.fmax(last, np.where(np.isfinite(vital), vital, nan))  # who was looked at for death was followed so long
    last = np.where(np.isfinite(death), death, last)  # and who died, until then
    baseline = protocol.schedule.names.index(protocol.baseline.visit)
    cohort = Cohort(
        subjects=people.subjects,
        visits=protocol.schedule.names,
        values=values,
        missing={name: _reasons(grid[0], death, end, protocol)[None] for name, grid in values.items()},
        baseline={name: grid[:, :, baseline].copy() for name, grid in values.items()},
        measured_day=days[None],
        death_day=death[None],
        last_day=last[None],
        discharge_day=np.full((1, n), inf),
        first_event_day=first_event,
        n_doses=people.is_dosed.astype(np.int64)[None],
        adverse_events=tuple(adverse),
        assignment=Assignment(arms=tuple(arm.id for arm in protocol.arms), arm=people.arm[None]),
        below={name: flags for name, flags in below.items() if flags.any()},
        is_in_order=people.is_in_order,
        told_of_events=_told(mapping),
        looked_for_day={
            name: _watched(np.where(np.isinf(until), last, until), first_event[name][0])[None]
            for name, until in looked_for.items()
        },
    )
    _asked_for(cohort, mapping, protocol)
    return cohort, account


def _is_seen(values: dict[str, Floats], shape: tuple[int, int, int]) -> Flags:
    """(trial, subject, visit) whether anything was measured."""
    seen = np.zeros(shape, dtype=np.bool_)
    for grid in values.values():
        seen |= np.isfinite(grid)
    return seen


def _last_day(end: End | None, days: Floats, looked_for: dict[str, Floats]) -> Floats:
    """Until when each subject was followed: as the file says, else the last that is known."""
    known = [np.where(np.isfinite(days), days + 1.0, 0.0).max(axis=1, initial=0.0)]
    known += [np.where(np.isfinite(until), until, 0.0) for until in looked_for.values()]
    latest = np.max(known, axis=0)
    return np.asarray(latest if end is None else np.where(np.isfinite(end.day), end.day, latest))


def _told(mapping: Mapping) -> frozenset[str]:
    """What the mapping reads of adverse events besides their names."""
    part = mapping.adverse_events
    kinds = ("grade", "related", "serious", "led_to_stop")
    return frozenset(kind for kind in kinds if part is not None and getattr(part, kind) is not None)


def _watched(until: Floats, happened: Floats) -> Floats:
    """Until when an event was looked for: at least until it was seen."""
    return np.asarray(np.where(np.isfinite(happened), np.maximum(until, happened), until))


def _reasons(values: Floats, death: Floats, end: End | None, protocol: Protocol) -> NDArray[np.int64]:
    """(subject, visit) why there is no value."""
    planned = np.array([visit.time_day for visit in protocol.schedule.visits])
    last_of_window = planned + np.array([visit.window[1] for visit in protocol.schedule.visits]) + 1.0
    reasons = np.full(values.shape, int(Missing.MISSED), dtype=np.int64)
    if end is not None:
        after = np.isfinite(end.day)[:, None] & (end.day[:, None] <= last_of_window)
        reasons = np.where(after, end.reason[:, None], reasons)
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
