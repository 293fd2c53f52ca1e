"""The record as tidy tables, one a domain: rows of plain values, in an order that doesn't depend on anything but the
record.

Before unblinding no table has an arm or a sealed result; afterwards both are there. Of a patient who objects to the use
of what was collected, the tables say that they were randomised and withdrew.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from sevenfold.protocol.protocol import Protocol
from sevenfold.record.history import History, Seen, SubjectHistory
from sevenfold.record.monitoring import raised_of
from sevenfold.record.payloads import DoseGiven

__all__ = ["COLUMNS", "TABLES", "Row", "disposition", "tables"]

Row = dict[str, Any]


def tables(history: History, protocol: Protocol) -> dict[str, list[Row]]:
    """Every table by name."""
    made = {name: list(make(history, protocol)) for name, make in TABLES.items()}
    if history.unblinded is None:
        for rows in made.values():
            for row in rows:
                row.pop("arm", None)
    return made


def _subjects(history: History, _protocol: Protocol) -> Iterator[Row]:
    for one in sorted(history.subjects.values(), key=lambda s: (s.screened_at, s.subject)):
        site = history.sites[one.site]
        known = one.screened.known if one.may_use_data else {"numbers": {}, "facts": {}}
        numbers, facts = known["numbers"], known["facts"]
        yield {
            "subject": one.subject,
            "site": one.site,
            "country": site.country,
            "registered_trial": site.registered_trial,
            "arm": one.arm,
            "screened_at": one.screened_at.isoformat(timespec="minutes"),
            "is_eligible": not one.screened.unmet,
            "criteria_not_met": "; ".join(unmet.criterion for unmet in one.screened.unmet),
            "consent_by": one.consent_by,
            "randomisation_number": one.number,
            "stratum": one.stratum,
            "randomised_at": one.randomised_at.isoformat(timespec="minutes") if one.randomised_at else None,
            "disposition": disposition(one),
            "disposition_day": _rounded(one.day(one.ended_at)),
            "age_year": numbers.get("age"),
            "sex": None if not one.may_use_data else "female" if facts.get("female") else "male",
            "weight_kg": numbers.get("weight"),
            "height_cm": numbers.get("height"),
            "sofa_worst_at_entry": numbers.get("sofa_worst_at_entry"),
            "hours_since_icu_admission": numbers.get("hours_since_icu_admission"),
        }


def disposition(one: SubjectHistory) -> str:
    """How a subject's part in the trial stands, in words."""
    if one.ended is not None:
        return one.ended
    if one.screened.unmet:
        return "not eligible"
    if one.refused:
        return "declined to take part"
    return "ongoing" if one.is_randomised else "eligible, not randomised"


def _visits(history: History, protocol: Protocol) -> Iterator[Row]:
    for one in history.used:
        for planned in protocol.schedule.visits:
            seen = _seen(one, planned.id)
            if seen:
                yield {
                    **_who(one),
                    "visit": planned.id,
                    "planned_day": planned.day,
                    "study_day": seen[0].study_day,
                    "at": seen[0].at.isoformat(timespec="minutes"),
                    "was_held": seen[0].reason is None,
                    "reason": seen[0].reason,
                }


def _doses(history: History, _protocol: Protocol) -> Iterator[Row]:
    for one in history.used:
        watched = {said.study_day: said for _, said in one.observations}
        for at, said in one.doses:
            given = isinstance(said, DoseGiven)
            after = watched.get(said.study_day)
            yield {
                **_who(one),
                "study_day": said.study_day,
                "at": at.isoformat(timespec="minutes"),
                "was_given": given,
                "kit": said.kit if isinstance(said, DoseGiven) else None,
                "volume_ml": said.volume_ml if isinstance(said, DoseGiven) else None,
                "route": said.route if isinstance(said, DoseGiven) else None,
                "over_h": said.over_h if isinstance(said, DoseGiven) else None,
                "reason": None if isinstance(said, DoseGiven) else said.reason,
                "cytokine_release_raw": after.cytokine_release_raw if after else None,
                "cytokine_release_new": after.cytokine_release_new if after else None,
                "temperature_after_c": after.after["temperature_c"] if after else None,
            }


def _labs(history: History, protocol: Protocol) -> Iterator[Row]:
    variables = protocol.known_variables
    for one in history.used:
        for planned in protocol.schedule.visits:
            for seen in _seen(one, planned.id):
                for name in sorted(seen.results):
                    result = seen.results[name]
                    yield {
                        **_who(one),
                        "visit": planned.id,
                        "study_day": seen.study_day,
                        "test": name,
                        "label": variables[name].label,
                        "value": result.value,
                        "qualifier": result.qualifier,
                        "unit": result.unit,
                        "was_sealed": name in protocol.masking.assessments and planned.id != protocol.baseline.visit,
                    }


def _sofa(history: History, protocol: Protocol) -> Iterator[Row]:
    for one in history.used:
        for planned in protocol.schedule.visits:
            for seen in _seen(one, planned.id):
                if "sofa" in seen.scores:
                    points = {organ.replace(" ", "_"): point for organ, point in seen.scores["sofa"].items()}
                    yield {**_who(one), "visit": planned.id, "study_day": seen.study_day, **points}


def _adverse_events(history: History, _protocol: Protocol) -> Iterator[Row]:
    for one in history.used:
        for at, said in one.adverse_events:
            yield {
                **_who(one),
                "number": said.number,
                "day": _rounded(one.day(at)),
                "term": said.term,
                "system": said.system,
                "grade": said.grade,
                "is_serious": said.is_serious,
                "relation": said.relation,
                "hours_after_dose": said.hours_after_dose,
                "outcome": said.outcome,
            }


def _monitoring(history: History, _protocol: Protocol) -> Iterator[Row]:
    for one in history.used:
        for raised in raised_of(one):
            yield {
                **_who(one),
                "day": _rounded(one.day(raised.at)),
                "rule": raised.rule,
                "to": raised.to,
                "action": raised.action,
                "because": raised.because,
                "was_sealed": raised.was_sealed,
            }


def _infections(history: History, _protocol: Protocol) -> Iterator[Row]:
    for one in history.used:
        for at, said in one.infections:
            yield {**_who(one), "day": _rounded(one.day(at)), "site_of_infection": said.site}


def _support(history: History, _protocol: Protocol) -> Iterator[Row]:
    for one in history.used:
        for at, said in one.supports:
            yield {**_who(one), "day": _rounded(one.day(at)), "support": said.support, "change": said.change}


def _vital_status(history: History, _protocol: Protocol) -> Iterator[Row]:
    for one in history.used:
        yield {
            **_who(one),
            "status": "dead" if one.ended == "died" else "alive when last known",
            "last_known_day": _rounded(one.day(one.ended_at)),
            "death_day": _rounded(one.death_day),
            "cause_of_death": one.cause_of_death,
            "left_icu_day": _rounded(one.day(one.left_icu_at)),
            "left_hospital_day": _rounded(one.day(one.left_hospital_at)),
        }


def _who(one: SubjectHistory) -> Row:
    return {"subject": one.subject, "arm": one.arm}


def _seen(one: SubjectHistory, visit: str) -> list[Seen]:
    return [seen for seen in one.visits if seen.visit == visit]


def _rounded(day: float | None) -> float | None:
    return None if day is None else round(day, 3)


TABLES: Final[dict[str, Callable[[History, Protocol], Iterator[Row]]]] = {
    "subjects": _subjects,
    "visits": _visits,
    "doses": _doses,
    "labs": _labs,
    "sofa": _sofa,
    "adverse_events": _adverse_events,
    "monitoring": _monitoring,
    "infections": _infections,
    "organ_support": _support,
    "vital_status": _vital_status,
}
_WHO: Final[dict[str, type]] = {"subject": str, "arm": str}
COLUMNS: Final[dict[str, dict[str, type]]] = {
    "subjects": {
        "subject": str,
        "site": str,
        "country": str,
        "registered_trial": str,
        "arm": str,
        "screened_at": str,
        "is_eligible": bool,
        "criteria_not_met": str,
        "consent_by": str,
        "randomisation_number": str,
        "stratum": str,
        "randomised_at": str,
        "disposition": str,
        "disposition_day": float,
        "age_year": float,
        "sex": str,
        "weight_kg": float,
        "height_cm": float,
        "sofa_worst_at_entry": float,
        "hours_since_icu_admission": float,
    },
    "visits": {**_WHO, "visit": str, "planned_day": int, "study_day": int, "at": str, "was_held": bool, "reason": str},
    "doses": {
        **_WHO,
        "study_day": int,
        "at": str,
        "was_given": bool,
        "kit": str,
        "volume_ml": float,
        "route": str,
        "over_h": float,
        "reason": str,
        "cytokine_release_raw": int,
        "cytokine_release_new": int,
        "temperature_after_c": float,
    },
    "labs": {
        **_WHO,
        "visit": str,
        "study_day": int,
        "test": str,
        "label": str,
        "value": float,
        "qualifier": str,
        "unit": str,
        "was_sealed": bool,
    },
    "sofa": {
        **_WHO,
        "visit": str,
        "study_day": int,
        "respiration": int,
        "coagulation": int,
        "liver": int,
        "circulation": int,
        "nervous_system": int,
        "kidney": int,
        "total": int,
    },
    "adverse_events": {
        **_WHO,
        "number": int,
        "day": float,
        "term": str,
        "system": str,
        "grade": int,
        "is_serious": bool,
        "relation": str,
        "hours_after_dose": float,
        "outcome": str,
    },
    "monitoring": {
        **_WHO,
        "day": float,
        "rule": str,
        "to": str,
        "action": str,
        "because": str,
        "was_sealed": bool,
    },
    "infections": {**_WHO, "day": float, "site_of_infection": str},
    "organ_support": {**_WHO, "day": float, "support": str, "change": str},
    "vital_status": {
        **_WHO,
        "status": str,
        "last_known_day": float,
        "death_day": float,
        "cause_of_death": str,
        "left_icu_day": float,
        "left_hospital_day": float,
    },
}
"""Every table's columns in order, with the type of what they hold (each may be missing)."""
