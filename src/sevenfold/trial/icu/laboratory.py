"""What laboratories and bedsides report of a body: true values, an assay's error, its rounding and its limit."""

from math import exp
from typing import Final

from sevenfold.protocol.variable import catalogue
from sevenfold.record.payloads import Result
from sevenfold.trial.icu.assumptions import Assumptions, assays
from sevenfold.trial.icu.course import Organs
from sevenfold.trial.icu.person import Draws

__all__ = ["FROM_MECHANISM", "markers", "measured", "organ_values"]

FROM_MECHANISM: Final = {  # catalogue's name: (the model's output, from its unit to the catalogue's)
    "alc": ("alc_per_ul", 1.0),
    "cd4": ("cd4_per_ul", 1.0),
    "cd8": ("cd8_per_ul", 1.0),
    "b_cells": ("b_per_ul", 1.0),
    "nk_cells": ("nk_per_ul", 1.0),
    "ki67_cd4": ("ki67_cd4_fraction", 100.0),
    "ki67_cd8": ("ki67_cd8_fraction", 100.0),
    "hladr_tcell": ("hladr_fraction", 100.0),
    "cd127_cd4": ("cd127_fraction", 100.0),
    "il7": ("il7_ng_per_ml", 1.0),
}


def measured(name: str, true: float, draws: Draws, when: str) -> Result:
    """One measurement of a true value: log-normal error, rounding, and ``<`` below the limit of quantification."""
    assay = assays()[name]
    unit = catalogue()[name].unit or ""
    value = round(true * exp(assay.log_sd * draws.normal(f"assay {name} {when}")), assay.digits)
    if value < assay.lloq:
        return Result(value=assay.lloq, unit=unit, qualifier="<")
    return Result(value=float(value), unit=unit)


def organ_values(organs: Organs) -> dict[str, float]:
    """The true values behind the organs' severity: the inverse of the SOFA score's steps, made continuous."""
    s = organs.severity
    pressor = organs.norepinephrine_rate > 0
    return {
        "pao2_fio2": _between(s["respiration"], (480.0, 400.0, 300.0, 200.0, 100.0, 65.0)),
        "platelets": _between(s["coagulation"], (260_000.0, 150_000.0, 100_000.0, 50_000.0, 20_000.0, 9_000.0)),
        "inr": 1.05 + 0.22 * max(s["coagulation"], s["liver"]) ** 1.5,
        "bilirubin": _between(s["liver"], (0.6, 1.2, 2.0, 6.0, 12.0, 20.0)),
        "creatinine": _between(s["kidney"], (0.8, 1.2, 2.0, 3.5, 5.0, 6.5)),
        "haemoglobin": 10.2 - 0.25 * s["kidney"],
        "gcs": round(_between(s["nervous_system"], (15.0, 14.0, 12.0, 9.0, 5.0, 3.0))),
        "mean_arterial_pressure": round(
            72.0 if pressor else _between(s["circulation"], (86.0, 74.0, 66.0, 62.0, 60.0, 58.0))
        ),
        "urine_output": round(_between(s["kidney"], (1900.0, 1500.0, 1000.0, 450.0, 180.0, 60.0)), -1),
        "norepinephrine_rate": organs.norepinephrine_rate,
        "ventilated": float(organs.is_ventilated),
    }


def markers(
    organs: Organs, inflammation: float, infected: float, time_day: float, draws: Draws, assume: Assumptions
) -> dict[str, float]:
    """True cytokines and monocyte HLA-DR. IL-7 is assumed to act on none of them.

    Args:
        inflammation: 1 at entry, falling.
        infected: 0, or up to 1 after a secondary infection.
    """
    values = {}
    for name, entry, floor, spread in (
        ("il6", assume.il6_at_entry, assume.il6_floor, assume.il6_log_sd),
        ("tnf_alpha", assume.tnf_at_entry, assume.tnf_floor, assume.tnf_log_sd),
        ("il10", assume.il10_at_entry, assume.il10_floor, assume.il10_log_sd),
    ):
        driven = floor + (entry - floor) * (inflammation + infected) * (0.4 + 0.075 * organs.total)
        values[name] = driven * exp(spread * draws.normal(f"own {name}"))
    low, high = assume.mhla_dr_at_entry, assume.mhla_dr_recovered
    recovered = 1.0 - exp(-max(time_day, 0.0) / assume.mhla_dr_recovery_day)
    values["mhla_dr"] = (low + (high - low) * recovered) * exp(assume.mhla_dr_log_sd * draws.normal("own mhla_dr"))
    return values


def _between(severity: float, at_points: tuple[float, ...]) -> float:
    """Straight lines between the values at 0, 1, 2, … points."""
    low = min(int(severity), len(at_points) - 2)
    share = min(severity - low, 1.0)
    return at_points[low] + share * (at_points[low + 1] - at_points[low])
