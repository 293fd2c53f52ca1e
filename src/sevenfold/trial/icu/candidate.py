"""A virtual person as a candidate: what a site would write down at screening."""

from datetime import datetime, timedelta
from math import exp
from typing import Final

from sevenfold.rules.screening import InfusionSpan, Measurement, Screening
from sevenfold.trial.icu.course import Course
from sevenfold.trial.icu.laboratory import measured, organ_values
from sevenfold.trial.icu.person import Draws, Person

__all__ = ["screening_of"]

_ABSENT_OTHERWISE: Final = {  # how often an exclusion is present among patients in septic shock: assumed
    "active_cancer_treatment": 0.08,
    "haematological_malignancy": 0.05,
    "cardiac_arrest_without_recovery": 0.02,
    "immunosuppressive_treatment": 0.08,
    "autoimmune_disease": 0.05,
    "hiv_or_active_hepatitis": 0.015,
    "end_stage_liver_disease": 0.03,
    "splenectomy": 0.01,
    "pregnant_or_lactating": 0.0,
    "other_investigational_drug": 0.03,
    "moribund_or_care_withdrawn": 0.05,
}
_PRESENT_MOSTLY: Final = {
    "suspected_infection": 0.97,
    "icu_stay_two_weeks_predicted": 0.85,
    "hospital_stay_three_weeks_predicted": 0.80,
    "consent_possible": 0.92,
}
_BLOOD_BEFORE_H: Final = (42.0, 24.0, 4.0)  # when counts were taken, before screening


def screening_of(person: Person, course: Course, draws: Draws, at: datetime, alc_per_ul: float) -> Screening:
    """What is known of a person at screening.

    Args:
        alc_per_ul: the true count, taken as constant over the two days before (assumption).
    """
    in_icu_h = 48.0 + 72.0 * draws.uniform("hours in icu")
    if draws.happens("outside window", 0.05):
        in_icu_h += 80.0 * (draws.uniform("hours outside") - 0.4)
    entry = course.organs(-1.0)
    diagnosis_h = max(in_icu_h + 18.0 * draws.normal("diagnosis"), 24.0)
    facts = {name: draws.happens(name, chance) for name, chance in {**_ABSENT_OTHERWISE, **_PRESENT_MOSTLY}.items()}
    facts["female"] = person.sex == "female"
    facts["invasive_ventilation_24h"] = course.organs(-2.0).is_ventilated and course.organs(-1.0).is_ventilated
    facts["oliguria_4h"] = entry.severity["kidney"] >= 3.0
    worst = {name: max(course.organs(day).severity[name] for day in (-2.0, -1.0, 0.0)) for name in entry.severity}
    numbers = {
        "age": person.age_year,
        "weight": person.weight_kg,
        "height": person.height_cm,
        "hours_since_icu_admission": round(in_icu_h, 1),
        "hours_since_sepsis_diagnosis": round(diagnosis_h, 1),
        "sirs_criteria": float(2 + min(int(2.6 * draws.uniform("sirs")), 2) - draws.happens("no sirs", 0.05)),
        "sofa_worst_at_entry": float(sum(int(value) for value in worst.values())),
        "sofa_worst_organ_at_entry": float(int(min(max(worst.values()), 4.0))),
        "fluid_24h": round(31.0 * exp(0.35 * draws.normal("fluid")), 1),
        "creatinine_highest": round(0.7 * exp(0.42 * min(worst["kidney"], 4.5)) + 0.2, 2),
    }
    counts = tuple(
        Measurement(
            value=measured("alc", alc_per_ul, draws, f"screening {number}").value, taken_at=at - timedelta(hours=before)
        )
        for number, before in enumerate(_BLOOD_BEFORE_H)
    )
    platelets = measured("platelets", organ_values(entry)["platelets"], draws, "screening").value
    return Screening(
        at=at,
        facts=facts,
        numbers=numbers,
        laboratory={"alc": counts, "platelets": (Measurement(value=platelets, taken_at=at - timedelta(hours=4)),)},
        infusions={"norepinephrine": _norepinephrine(draws, at, in_icu_h)},
    )


def _norepinephrine(draws: Draws, at: datetime, in_icu_h: float) -> tuple[InfusionSpan, ...]:
    """A rise, a peak and a fall, beginning with the stay; now and then too little or too short for a criterion."""
    peak = 0.35 * exp(0.7 * draws.normal("peak norepinephrine"))
    hours = 30.0 * exp(0.7 * draws.normal("hours norepinephrine"))
    began = at - timedelta(hours=in_icu_h - 1.0)
    shares, rates = (0.15, 0.5, 0.35), (0.5 * peak, peak, 0.4 * peak)
    spans, moment = [], began
    for share, rate in zip(shares, rates, strict=True):
        end = moment + timedelta(hours=min(hours, in_icu_h - 1.0) * share)
        spans.append(InfusionSpan(rate=round(rate, 2), began_at=moment, ended_at=end))
        moment = end
    return tuple(spans)
