"""The section of predictions: figures, values by visit, and every published value with how it was predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from sevenfold.calibrate.evidence_file import evidence
from sevenfold.calibrate.predict import Predicted, ProtocolPrediction
from sevenfold.evidence.figures import Figure, figures
from sevenfold.protocol.protocol import Protocol
from sevenfold.report.prediction_figure import prediction_figure
from sevenfold.report.words import interval, number, percent

__all__ = ["PredictionInput", "predicted_section"]

_TITLES: Final = {"alc": "Lymphocytes", "cd4": "CD4 T cells", "cd8": "CD8 T cells"}
_ALWAYS: Final = ("iliad_alc", "iliad_alc_noantiviral")  # where the model is known to fail: in every report


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionInput:
    """What the section is made of.

    Args:
        held_out, everything: the protocol under both posteriors.
        about: what the package says of its posteriors: predictions of published figures among it.
        drawn: in words, which draw of which posterior this rehearsal's patients had; None for typical values.
    """

    held_out: ProtocolPrediction
    everything: ProtocolPrediction
    about: Mapping[str, Any]
    drawn: str | None


def predicted_section(
    given: PredictionInput, protocol: Protocol, arms: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """What the template prints."""
    ranges = {
        figure.variable.lower(): (figure.lo, figure.hi)
        for figure in figures()
        if figure.trial == protocol.published and figure.statistic == "fold increase range" and figure.verified
    }
    parts = []
    for letter, predicted in (("A", given.held_out), ("B", given.everything)):
        svgs = [
            (title, prediction_figure(predicted, name, title, arms, _both(ranges.get(name))))
            for name, title in _TITLES.items()
        ]
        parts.append({"letter": letter, "figures": svgs, "predicted": predicted, "rows": _rows(predicted, arms)})
    shown = [figure for figure in figures() if figure.trial.startswith(protocol.published or "\0")]
    shown += [figure for figure in figures() if figure.id in _ALWAYS and figure not in shown]
    return {
        "posteriors": parts,
        "published": _published(given.about, shown),
        "drawn": given.drawn,
        "meanings": {one.id: one.meaning for one in evidence().experiments},
    }


def _both(range_: tuple[float | None, float | None] | None) -> tuple[float, float] | None:
    return None if range_ is None or range_[0] is None or range_[1] is None else (range_[0], range_[1])


def _rows(predicted: ProtocolPrediction, arms: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
    return [
        {
            "variable": _TITLES[row.variable],
            "arm": arms[row.arm][0],
            "day": str(row.study_day),
            "median": number(row.over_baseline.median, 2),
            "parameters": interval(row.over_baseline.lower, row.over_baseline.upper, 2),
            "patient": interval(row.over_baseline.patient_lower, row.over_baseline.patient_upper, 2),
            "study": interval(row.over_baseline.study_lower, row.over_baseline.study_upper, 2),
            "control": _against(row.over_control),
        }
        for row in predicted.rows
        if row.arm in arms
    ]


def _against(one: Predicted | None) -> str:
    if one is None:
        return "–"
    study = interval(one.study_lower, one.study_upper, 2)
    return f"{number(one.median, 2)} ({interval(one.lower, one.upper, 2)}; study {study})"


def _published(about: Mapping[str, Any], shown: Sequence[Figure]) -> list[dict[str, Any]]:
    """A row a figure and reading: predicted unseen by A, used as data by B (or predicted by both)."""
    found = []
    for figure in shown:
        unseen = [one for one in about["held out"]["predictions"] if one["figure"] == figure.id]
        seen = [one for one in about["all"]["predictions"] if one["figure"] == figure.id]
        for place, (a, b) in enumerate(zip(unseen, seen, strict=True)):
            found.append(
                {
                    "figure": figure,
                    "is_first": place == 0,
                    "n_readings": len(unseen),
                    "reading": a["reading"],
                    "unseen": _told(a),
                    "seen": _told(b),
                    "used": "used as data" if a["use"] == "held out" else "predicted",
                }
            )
    return found


def _told(one: Mapping[str, Any]) -> dict[str, str]:
    return {
        "median": number(one["median"], 2),
        "parameters": interval(one["lower"], one["upper"], 2),
        "study": interval(one["study_lower"], one["study_upper"], 2),
        "chance": "" if one["chance"] is None else _chance(one),
        "lies": one["lies"],
    }


def _chance(one: Mapping[str, Any]) -> str:
    what = "no significant difference" if one["published"] is None else "the published range"
    share = "below 1\u202f%" if one["chance"] < 0.01 else percent(one["chance"])
    return f"chance of {what}: {share}"
