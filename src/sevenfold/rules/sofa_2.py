"""The SOFA-2 score of 2025 from raw measurements, organ by organ. Source: [ranzani2025]; docs/theory/safety.md.

The definition was read in three public transcriptions of the paper's table and footnotes, which agree, and not in the
paper itself. Not worked out: points where support is out of reach or not to be given, and circulation by pressure alone
where drugs are out of reach.
"""

from collections.abc import Mapping
from typing import Final

from sevenfold.rules.sofa import Sofa, measured

__all__ = ["ORGANS_2", "sofa_2"]

ORGANS_2: Final = ("brain", "respiration", "circulation", "liver", "kidney", "haemostasis")


def sofa_2(values: Mapping[str, float]) -> Sofa:
    """Score the worst values of 24 hours. What was looked at and not there is 0; an organ whose measurement is missing
    has no points (the paper counts it as 0 on the first day, and carries the last forward later).

    Names and units, beside the catalogue's: ``delirium_drug`` (1 given), ``spo2_fio2`` (for a missing ``pao2_fio2``,
    only where saturation is below 98 %), ``advanced_respiratory_support`` (1: high-flow oxygen, CPAP, BiPAP, invasive
    or long-term ventilation; ``ventilated`` is one), ``ecmo_respiratory``, ``norepinephrine_rate``,
    ``epinephrine_rate`` and ``dopamine_rate`` [µg/kg/min, of the base, over an hour or more], ``other_vasoactive``
    (1: any other vasopressor or inotrope), ``mechanical_circulatory_support``, ``urine_6h``, ``urine_12h`` and
    ``urine_24h`` [mL/kg/h over the last so many hours], ``renal_replacement``, ``potassium`` and ``bicarbonate``
    [mmol/L], ``ph``. A value of nan is missing.
    """
    values = measured(values)
    return Sofa(
        organs={
            "brain": _brain(values),
            "respiration": _respiration(values),
            "circulation": _circulation(values),
            "liver": _above(values.get("bilirubin"), (1.2, 3.0, 6.0, 12.0)),
            "kidney": _kidney(values),
            "haemostasis": _at_most(values.get("platelets"), (150_000, 100_000, 80_000, 50_000)),
        }
    )


def _above(value: float | None, limits: tuple[float, ...]) -> int | None:
    return None if value is None else sum(value > limit for limit in limits)


def _at_most(value: float | None, limits: tuple[float, ...]) -> int | None:
    return None if value is None else sum(value <= limit for limit in limits)


def _brain(values: Mapping[str, float]) -> int | None:
    points = _at_most(values.get("gcs"), (14.0, 12.0, 8.0, 5.0))
    return points if points is None else max(points, int(values.get("delirium_drug", 0.0) > 0.0))


def _respiration(values: Mapping[str, float]) -> int | None:
    if values.get("ecmo_respiratory"):
        return 4
    points = _at_most(values.get("pao2_fio2"), (300.0, 225.0, 150.0, 75.0))
    if points is None:
        points = _at_most(values.get("spo2_fio2"), (300.0, 250.0, 200.0, 120.0))
    if points is None:
        return None
    is_supported = values.get("advanced_respiratory_support") or values.get("ventilated")
    return points if is_supported else min(points, 2)  # 3 and 4 only with advanced support


def _circulation(values: Mapping[str, float]) -> int | None:
    if values.get("mechanical_circulatory_support"):
        return 4
    catecholamines = values.get("norepinephrine_rate", 0.0) + values.get("epinephrine_rate", 0.0)
    dopamine, other = values.get("dopamine_rate", 0.0), values.get("other_vasoactive", 0.0) > 0.0
    if catecholamines > 0.0:
        points = 4 if catecholamines > 0.4 else 3 if catecholamines > 0.2 else 2
        return min(points + int(other or dopamine > 0.0), 4)
    if dopamine > 0.0 and not other:
        return 4 if dopamine > 40.0 else 3 if dopamine > 20.0 else 2
    if other:
        return 2
    pressure = values.get("mean_arterial_pressure")
    return None if pressure is None else int(pressure < 70.0)


def _kidney(values: Mapping[str, float]) -> int | None:
    creatinine = values.get("creatinine")
    over_6h, over_12h, over_24h = (values.get(f"urine_{hours}h") for hours in (6, 12, 24))
    if values.get("renal_replacement") or _meets_criteria_for_replacement(values):
        return 4
    points = [_above(creatinine, (1.2, 2.0, 3.5))]
    if over_6h is not None:
        points.append(int(over_6h < 0.5))
    if over_12h is not None:
        points.append(3 if over_12h == 0.0 else 2 if over_12h < 0.5 else 0)
    if over_24h is not None:
        points.append(3 if over_24h < 0.3 else 0)
    return max((one for one in points if one is not None), default=None)


def _meets_criteria_for_replacement(values: Mapping[str, float]) -> bool:
    """Injury with potassium of 6.0 or more, or acidosis: 4 points also where replacement is not given."""
    is_injured = values.get("creatinine", 0.0) > 1.2 or values.get("urine_6h", 1.0) < 0.3
    is_acidotic = values.get("ph", 7.4) <= 7.20 and values.get("bicarbonate", 24.0) <= 12.0
    return is_injured and (values.get("potassium", 4.0) >= 6.0 or is_acidotic)
