"""The subjects of an import: who was randomised to what, and what is known of them from before the first dose."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import inf, nan
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.cohort import Subject
from sevenfold.cohort.imported.account import RowCount
from sevenfold.cohort.imported.cell import Unreadable, as_date, as_number, as_word, as_yes
from sevenfold.cohort.imported.mapping import Column, SubjectTable
from sevenfold.cohort.imported.rows import Count, Row, Source
from sevenfold.errors import InvalidInput
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.variable import Kind
from sevenfold.unit import convert

__all__ = ["People", "read_people"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Randomised subjects, in the order of randomisation where that is known, else of the file.

    Args:
        place: name -> place.
        others: names of the subjects' table that are not among the subjects, for a reason that the account gives.
        arm: index into the protocol's arms  # (subject,).
        is_dosed: whether a subject was given anything  # (subject,).
        first_dose: day 1; None where it is not known.
        is_in_order: whether the order of randomisation is known.
    """

    subjects: tuple[Subject, ...]
    place: dict[str, int]
    others: frozenset[str]
    arm: NDArray[np.int64]
    is_dosed: NDArray[np.bool_]
    first_dose: tuple[date | None, ...]
    is_in_order: bool


def read_people(source: Source, protocol: Protocol) -> People:
    """Read the subjects' table; every row is a subject kept, or left out with a reason.

    Raises:
        InvalidInput: the table cannot be used at all.
    """
    part = source.mapping.subjects
    arms = [arm.id for arm in protocol.arms]
    count = Count()
    place: dict[str, int] = {}
    found: list[tuple[Subject, int, bool, date | None]] = []
    order: list[float] = []
    for row in source.rows(part, _columns(part), count):
        reading = part.subject
        try:
            if row.subject is None:
                raise Unreadable("there is no name of a subject", "every row is a subject", "no subject's name")
            if row.subject in place:
                raise Unreadable("the subject stands here a second time", "keep one row each", "subject twice")
            reading = part.arm.column
            arm = row.read(reading, lambda text: as_word(text, part.arm, arms))
            if arm is None:
                raise Unreadable("there is no arm", f"one of {', '.join(arms)} is wanted", "no arm")
            reading = ""
            subject = _subject(row, part, protocol)
            dosed = _optional(row, part.dosed, as_yes)
            first = _optional(row, part.first_dose, lambda text, _column: as_date(text))
            rank = _optional(row, part.order, _rank)
        except Unreadable as fault:
            column = fault.column or reading
            source.ledger.troubles.append(row.trouble(column, fault))
            count.leave_out(fault.reason)
            continue
        place[row.subject] = len(found)
        order.append(inf if rank is None else rank)
        found.append((subject, arms.index(arm), dosed is not False, first))
        count.n_kept += 1
    _enough(found, protocol, source)
    named = {name for name in source.table(part.file).column(part.subject) if name is not None}
    source.ledger.counts.append(
        RowCount(
            what="subjects",
            source=source.table(part.file).path.name,
            n_read=count.n_read,
            n_kept=count.n_kept,
            left_out=dict(count.left_out),
        )
    )
    sequence = [int(i) for i in np.argsort(np.array(order), kind="stable")]
    names = list(place)
    found = [found[i] for i in sequence]
    return People(
        subjects=tuple(subject for subject, _, _, _ in found),
        place={names[i]: new for new, i in enumerate(sequence)},
        others=frozenset(named - set(place)),
        is_in_order=part.order is not None and bool(np.isfinite(order).all()),
        arm=np.array([arm for _, arm, _, _ in found], dtype=np.int64),
        is_dosed=np.array([dosed for _, _, dosed, _ in found], dtype=np.bool_),
        first_dose=tuple(first for _, _, _, first in found),
    )


def _columns(part: SubjectTable) -> set[str]:
    mapped = (
        part.arm,
        part.order,
        part.first_dose,
        part.dosed,
        part.age,
        part.sex,
        part.weight,
        part.country,
        part.site,
    )
    return {one.column for one in (*mapped, *part.covariates.values()) if one is not None}


def _subject(row: Row, part: SubjectTable, protocol: Protocol) -> Subject:
    known = protocol.known_variables
    covariates: dict[str, float | str] = {}
    for name, column in part.covariates.items():
        if name not in known or known[name].kind not in (Kind.FACT, Kind.NUMBER, Kind.CATEGORY):
            raise InvalidInput(
                f"The mapping's covariate {name!r} is no fact, number or category of the protocol; add it under "
                "'variables' there."
            )
        variable = known[name]
        if variable.kind is Kind.NUMBER:
            covariates[name] = _amount(row, column, variable.unit)
        elif variable.kind is Kind.FACT:
            said = _optional(row, column, as_yes)
            covariates[name] = nan if said is None else float(said)
        else:
            covariates[name] = _optional(row, column, as_word) or ""
    return Subject(
        subject=str(row.subject),
        site=_optional(row, part.site, as_word) or "",
        country=_optional(row, part.country, as_word) or "",
        age_year=_amount(row, part.age, "year"),
        sex=_optional(row, part.sex, lambda text, column: as_word(text, column, ("female", "male"))) or "",
        weight_kg=_amount(row, part.weight, "kg"),
        covariates=covariates,
    )


def _optional(row: Row, column: Column | None, reading: Callable[[str, Column], Any]) -> Any:
    """A cell of a column that need not be mapped; None where it is not, or empty."""
    if column is None:
        return None
    try:
        return row.read(column.column, lambda text: reading(text, column))
    except Unreadable as fault:
        fault.column = column.column
        raise


def _amount(row: Row, column: Column | None, unit: str | None) -> float:
    def amount(text: str, of: Column) -> float:
        number = as_number(text)
        if number.qualifier or number.value < 0.0:
            raise Unreadable(f"{text!r} is no amount", "a number that is not negative is wanted", "no amount")
        return convert(number.value, of.unit, unit) if of.unit and unit else number.value

    found = _optional(row, column, amount)
    return nan if found is None else float(found)


def _rank(text: str, _column: Column) -> float:
    """A place in the order of randomisation, from a number or a date."""
    try:
        return as_number(text).value
    except Unreadable:
        return float(as_date(text).toordinal())


def _enough(found: list[tuple[Subject, int, bool, date | None]], protocol: Protocol, source: Source) -> None:
    """An arm without anybody is more likely a mistake of the mapping than a trial."""
    missing = [arm.id for place, arm in enumerate(protocol.arms) if not any(one[1] == place for one in found)]
    if not found and not source.ledger.is_refused:
        first = f": {source.ledger.troubles[0].message}" if source.ledger.troubles else "."
        raise InvalidInput(f"Every subject is left out, so there is nothing to analyse{first}")
    if missing and not source.ledger.troubles:
        raise InvalidInput(
            f"No subject of the data is in arm {missing[0]!r}; look at 'arm' and 'where' of the mapping's subjects."
        )
