"""What happened to the subjects of an import: events looked for, adverse events, and how long each was followed."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.cohort import AdverseEvent, Ended, Missing
from sevenfold.cohort.imported.account import RowCount
from sevenfold.cohort.imported.cell import (
    Unreadable,
    as_number,
    as_study_day,
    as_word,
    as_yes,
    day_between,
    latest_date,
)
from sevenfold.cohort.imported.mapping import FILLED, AboutSubjects, AdverseEvents, Column, Ends, Happenings
from sevenfold.cohort.imported.people import People
from sevenfold.cohort.imported.rows import Count, Row, Source, end_of_day
from sevenfold.protocol.visit import study_day_on, time_day

__all__ = ["End", "Happened", "read_adverse_events", "read_ends", "read_happenings"]

_NO_DAY: Final = "no day"
_LATER: Final = "a later one of the same subject"
_REASONS: Final = {
    "completed": Missing.MISSED,
    "died": Missing.DEAD,
    "withdrew": Missing.WITHDRAWN,
    "lost": Missing.LOST,
    "adverse event": Missing.ADVERSE_EVENT,
    "lack of efficacy": Missing.NO_EFFICACY,
    "physician's decision": Missing.PHYSICIAN,
    "protocol deviation": Missing.DEVIATION,
    "sponsor's decision": Missing.SPONSOR,
    "other": Missing.OTHER,
}
_UNSAID: Final = Ended(how="not said")
_UNREAD: Final = "cannot be read"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How long each subject was followed, and why no longer.

    Args:
        day: days since the first dose; nan where it is not known  # (subject,).
        reason: what a value after it is missing for, a code of ``Missing``  # (subject,).
        ended: in words, ours and the file's.
    """

    day: NDArray[np.float64]
    reason: NDArray[np.int64]
    ended: tuple[Ended, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """When an event befell each subject.

    Args:
        day: inf where it did not  # (subject,).
        until: it was looked for; inf where that is the end of follow-up, nan where it is not known whether it
            happened  # (subject,).
        is_unread: a row about it cannot be read, so that it may have happened or not  # (subject,).
    """

    day: NDArray[np.float64]
    until: NDArray[np.float64]
    is_unread: NDArray[np.bool_]


def _each(
    part: AboutSubjects,
    columns: tuple[Column | None, ...],
    what: str,
    people: People,
    source: Source,
    keep: Callable[[Row, int], str | None],
) -> None:
    """Hand every row of a subject to ``keep``, which answers why it is left out, and keep the account."""
    count = Count()
    for row in source.rows(part, {one.column for one in columns if one is not None}, count):
        try:
            place = source.place(row, part, people.place, people.others)
        except Unreadable as fault:
            source.ledger.troubles.append(row.trouble(str(fault.column), fault))
            place = fault.reason
        why = place if isinstance(place, str) else keep(row, place)
        if why is None:
            count.n_kept += 1
        else:
            count.leave_out(why)
    table = source.table(part.file or source.mapping.subjects.file).path.name
    source.ledger.counts.append(
        RowCount(what=what, source=table, n_read=count.n_read, n_kept=count.n_kept, left_out=dict(count.left_out))
    )


def read_happenings(part: Happenings, people: People, source: Source) -> Happened:
    """When an event befell each subject, and until when it was looked for.

    With ``happened`` a subject without a row was not looked at. Without it only those whom it befell stand in the
    table, and the others were looked at to the end. Who has a row that cannot be read may have had it or not.
    """
    happened_day = np.full(len(people.subjects), inf)
    looked_for = np.full(len(people.subjects), nan)
    is_unknown = np.zeros(len(people.subjects), dtype=np.bool_)

    def keep(row: Row, place: int) -> str | None:
        why = kept(row, place)
        if why not in (None, _LATER, _NO_DAY):
            is_unknown[place] = True
        return why

    def kept(row: Row, place: int) -> str | None:
        column = part.event
        try:
            day, column = end_of_day(row, part.day, part.date, part.elapsed, people.first_dose[place])
            did = True
            where = column
            if part.happened is not None:
                column = part.happened.column
                said = row.read(column, lambda text: as_yes(text, part.happened))  # type: ignore[arg-type]
                if said is None:
                    return "does not say whether it happened"
                did = said
            if day is None:
                column = where
                way = (
                    ""
                    if part.happened
                    else "; a column that tells whom it befell goes under 'happened', or in 'where'; where an empty "
                    f"day says that it did not happen, write 'where: {{{column}: {FILLED}}}'"
                )
                _refuse_missing_day(did, f"{part.event} happened", way)
                looked_for[place] = inf  # that it did not happen needs no day
                return _NO_DAY
            if did:
                column = where
                _refuse_before(day, part, f"{part.event} happened")
        except Unreadable as fault:
            source.ledger.troubles.append(row.trouble(fault.column or column, fault))
            return fault.reason
        if did and happened_day[place] < inf:
            happened_day[place] = min(happened_day[place], day)
            return _LATER
        if did:
            happened_day[place] = day
        looked_for[place] = day if np.isnan(looked_for[place]) else max(looked_for[place], day)
        return None

    columns = (part.day, part.date, part.elapsed, part.happened)
    _each(part, columns, f"subjects looked at for {part.event}", people, source, keep)
    if part.happened is None:
        looked_for[:] = inf
    is_unknown &= np.isinf(happened_day)
    looked_for[is_unknown] = nan
    return Happened(day=happened_day, until=looked_for, is_unread=is_unknown)


def _refuse_missing_day(is_needed: bool, what: str, way: str = "") -> None:
    """What happened, happened on some day; left out, it would count as not having happened."""
    if is_needed:
        raise Unreadable(f"{what}, and there is no day", f"look it up{way}", "happened without a day")


def _refuse_before(day: float, part: Happenings | Ends, what: str) -> None:
    """What happened before the first dose is no event of the trial: a slip, or another matter."""
    if part.elapsed is None and day <= 0.0:  # the end of day -1
        raise Unreadable(f"{what} before day 1", "look it up, or leave the row out with 'where'", "before day 1")


def read_adverse_events(part: AdverseEvents, people: People, source: Source) -> list[AdverseEvent]:
    """Adverse events in the order of the file; a grade that is not mapped is 0, a day that is not known nan."""
    found: list[AdverseEvent] = []

    def keep(row: Row, place: int) -> str | None:
        reading = part.term
        try:
            term = row.read(reading.column, lambda text: as_word(text, part.term))
            if term is None:
                return "names no event"
            reading = part.system
            system = row.read(reading.column, lambda text: as_word(text, part.system)) or "not coded"
            reading = part.grade or part.term
            grade = 0 if part.grade is None else _grade(row, part.grade)
            reading = part.serious or part.term
            serious = part.serious is not None and _yes(row, part.serious)
            reading = part.related or part.term
            related = part.related is not None and _yes(row, part.related)
            reading = part.led_to_stop or part.term
            stopped = part.led_to_stop is not None and _yes(row, part.led_to_stop)
            reading = part.day or part.date or part.term
            day = _day(row, part, people, place)
        except Unreadable as fault:
            source.ledger.troubles.append(row.trouble(reading.column, fault))
            return fault.reason
        found.append(
            AdverseEvent(
                subject=place,
                term=term,
                system=system,
                grade=grade,
                is_serious=serious,
                is_related=related,
                day=day,
                led_to_stop=stopped,
            )
        )
        return None

    columns = (
        part.term, part.system, part.grade, part.serious, part.related, part.led_to_stop, part.day, part.date
    )  # fmt: skip
    _each(part, columns, "adverse events", people, source, keep)
    return found


def _grade(row: Row, column: Column) -> int:
    def grade(text: str) -> int:
        number = as_number(as_word(text, column))
        if number.value not in (1, 2, 3, 4, 5):
            raise Unreadable(f"{text!r} is no grade", "1 to 5 is wanted", "no grade")
        return int(number.value)

    return row.read(column.column, grade) or 0


def _yes(row: Row, column: Column) -> bool:
    return bool(row.read(column.column, lambda text: as_yes(text, column)))


def _day(row: Row, part: AdverseEvents, people: People, place: int) -> float:
    """Days since the first dose at which an event began; nan where the file says less than a day. A partial date that
    lies before the first dose whatever its day is the last day that it may be.
    """
    column = part.day or part.date
    if column is None:
        return nan
    try:
        found = (
            row.read(column.column, as_study_day)
            if part.day is not None
            else row.read(column.column, lambda text: day_between(text, people.first_dose[place]))
        )
    except Unreadable as fault:
        if fault.reason != "partial date":
            raise
        latest, first = latest_date(str(row.cells[column.column])), people.first_dose[place]
        if latest is not None and first is not None and latest < first:
            return time_day(study_day_on(latest, first))
        return nan  # the event counts, its day is not known
    return nan if found is None else time_day(found)


def read_ends(part: Ends, people: People, source: Source) -> End:
    """The last day of each subject and why there is none after it.

    Of whom a row cannot be read it is not known how follow-up ended: they may have died. A reason without a day holds
    from the last that is known of the subject.
    """
    n = len(people.subjects)
    last, reasons = np.full(n, nan), np.full(n, int(Missing.MISSED), dtype=np.int64)
    ended = [_UNSAID] * n
    is_unread = np.zeros(n, dtype=np.bool_)

    def keep(row: Row, place: int) -> str | None:
        column = part.reason.column if part.reason is not None else ""
        word = (row.cells[column] or "") if column else ""
        try:
            said = row.read(column, lambda text: as_word(text, part.reason, tuple(_REASONS))) if column else None  # type: ignore[arg-type]
            day, column = end_of_day(row, part.day, part.date, part.elapsed, people.first_dose[place])
            if day is None:
                _refuse_missing_day(said == "died", "the subject died")
            elif said == "died":
                _refuse_before(day, part, "the subject died")
            if said is None and day is None:
                return "neither day nor reason"
            now = (day, Ended(how=said or "not said", word=word))
            if ended[place] is not _UNSAID:
                if now == (None if np.isnan(last[place]) else last[place], ended[place]):
                    return "repeated with the same day and reason"
                raise Unreadable("the subject ends here a second time", "keep one row each with 'where'", "ends twice")
        except Unreadable as fault:
            source.ledger.troubles.append(row.trouble(fault.column or column, fault))
            is_unread[place], ended[place] = True, Ended(how=_UNREAD, word=word)
            return fault.reason
        if day is None:
            source.ledger.notes["Ends without a day: the reason holds from the last that is known of the subject"] += 1
        last[place], ended[place] = (nan if day is None else day), now[1]
        unsaid = Missing.MISSED if part.reason is None else Missing.NOT_SAID
        reasons[place] = int(unsaid if said is None else _REASONS[said])
        return None

    columns = (part.day, part.date, part.elapsed, part.reason)
    _each(part, columns, "ends of follow-up", people, source, keep)
    last[is_unread], reasons[is_unread] = nan, int(Missing.UNREADABLE)
    return End(day=last, reason=reasons, ended=tuple(ended))
