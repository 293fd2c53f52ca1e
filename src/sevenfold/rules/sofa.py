"""The SOFA score of 1996 from raw measurements, organ by organ. Source: [vincent1996]; docs/theory/safety.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Final, final

__all__ = ["ORGANS", "Sofa", "measured", "sofa"]

ORGANS: Final = ("respiration", "coagulation", "liver", "circulation", "nervous system", "kidney")
_ADRENERGIC: Final = ("norepinephrine_rate", "epinephrine_rate", "dopamine_rate", "dobutamine_rate")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sofa:
    """Points 0 to 4 an organ; None where its measurement is missing."""

    organs: Mapping[str, int | None]

    @property
    def total(self) -> int | None:
        """The sum; None if an organ is missing."""
        points = [point for point in self.organs.values() if point is not None]
        return sum(points) if len(points) == len(ORGANS) else None


def sofa(values: Mapping[str, float]) -> Sofa:
    """Score the worst values of one day, by the catalogue's names and units.

    Drugs count that ran for at least an hour: ``norepinephrine_rate``, ``epinephrine_rate``, ``dopamine_rate`` and
    ``dobutamine_rate`` [µg/kg/min]; one that is left out was not given. ``ventilated`` is support of breathing, without
    which respiration has at most 2 points. Where the table leaves a gap (bilirubin and creatinine between 11.9 and
    12.0, or 4.9 and 5.0), points begin at the higher limit. A value of nan is missing.
    """
    values = measured(values)
    return Sofa(
        organs={
            "respiration": _respiration(values.get("pao2_fio2"), values.get("ventilated")),
            "coagulation": _falling(values.get("platelets"), (150_000, 100_000, 50_000, 20_000)),
            "liver": _rising(values.get("bilirubin"), (1.2, 2.0, 6.0, 12.0)),
            "circulation": _circulation(values),
            "nervous system": _falling(values.get("gcs"), (15.0, 13.0, 10.0, 6.0)),
            "kidney": _kidney(values.get("creatinine"), values.get("urine_output")),
        }
    )


def measured(values: Mapping[str, float]) -> Mapping[str, float]:
    """Without those that are nan, which compares as if nothing were wrong."""
    return {name: value for name, value in values.items() if not isnan(value)}


def _falling(value: float | None, limits: tuple[float, ...]) -> int | None:
    return None if value is None else sum(value < limit for limit in limits)


def _rising(value: float | None, limits: tuple[float, ...]) -> int | None:
    return None if value is None else sum(value >= limit for limit in limits)


def _respiration(pao2_fio2: float | None, ventilated: float | None) -> int | None:
    points = _falling(pao2_fio2, (400.0, 300.0, 200.0, 100.0))
    if points is None:
        return None
    return points if ventilated else min(points, 2)  # 3 and 4 only with respiratory support


def _circulation(values: Mapping[str, float]) -> int | None:
    norepinephrine, epinephrine, dopamine, dobutamine = (values.get(name, 0.0) for name in _ADRENERGIC)
    if dopamine > 15.0 or epinephrine > 0.1 or norepinephrine > 0.1:
        return 4
    if dopamine > 5.0 or epinephrine > 0.0 or norepinephrine > 0.0:
        return 3
    if dopamine > 0.0 or dobutamine > 0.0:
        return 2
    pressure = values.get("mean_arterial_pressure")
    return None if pressure is None else int(pressure < 70.0)


def _kidney(creatinine: float | None, urine_output: float | None) -> int | None:
    by_creatinine = _rising(creatinine, (1.2, 2.0, 3.5, 5.0))
    by_urine = None if urine_output is None else 4 if urine_output < 200 else 3 if urine_output < 500 else 0
    known = [points for points in (by_creatinine, by_urine) if points is not None]
    return max(known) if known else None
