"""A classifier on all that a blinded role can read: how well does it guess the arm?

What is read: every exported table of a locked, still blind trial, and from the ledger the number, kind, size and time
of every event, sealed ones included. Two claims. Leaving out what a bedside sees of reactions to a dose, the area
under the curve is that of chance. With reactions it is more, because reactions are more frequent on the product, as in
a real trial. The upper 95 % limit of each stays below a stated bound, which grows with the width of the interval. With
300 subjects (``make test-slow``) IRIS-7 gave 0.55 (95 % CI 0.48-0.62) without reactions and 0.56 (0.50-0.63) from
reactions alone, IRIS-7C 0.54 (0.47-0.62) and 0.65 (0.58-0.72). The better of two classifiers is taken, which is a
little above 0.5 by itself. That the classifiers would see a difference is shown on the sealed results.
"""

from collections import defaultdict
from math import log, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rehearsals import rehearsed, with_planned
from sevenfold.protocol.load import load
from sevenfold.record.event import Event
from sevenfold.record.history import read_history
from sevenfold.record.reading import read_events
from sevenfold.record.tables import Row, tables

Features = dict[str, float]
REACTIONS: tuple[str, ...] = (
    "ae ",
    "watched ",
    "events AdverseEventReported",
    "bytes AdverseEventReported",
    "events DosingStopped",
    "bytes DosingStopped",
    "bytes DoseObserved",
    "events MonitoringRaised",
    "bytes MonitoringRaised",
)


class Guess(NamedTuple):
    """Area under the curve, with the limits of its interval."""

    auc: float
    lower: float
    upper: float


def features(rows: dict[str, list[Row]], events: list[Event]) -> dict[str, Features]:
    """Everything about each subject as numbers, by name."""
    made: dict[str, Features] = defaultdict(lambda: defaultdict(float))
    for row in rows["labs"]:
        made[row["subject"]][f"lab {row['test']} {row['visit']}"] = log(max(row["value"], 1e-3))
    for row in rows["sofa"]:
        made[row["subject"]][f"sofa {row['visit']}"] = row["total"] or 0
    for row in rows["visits"]:
        made[row["subject"]]["visits held"] += row["was_held"]
    for row in rows["doses"]:
        mine = made[row["subject"]]
        mine["doses given"] += row["was_given"]
        mine["doses SC"] += row["route"] == "SC"
        mine["watched release"] += row["cytokine_release_new"] or 0
        mine["watched temperature"] = max(mine["watched temperature"], row["temperature_after_c"] or 0)
        if row["kit"]:
            mine[f"kit ends with {row['kit'][-1]}"] += 1
            mine[f"kit on {row['study_day']}"] = int(row["kit"])
    for row in rows["adverse_events"]:
        mine = made[row["subject"]]
        mine[f"ae {row['term']}"] += 1
        mine[f"ae {row['relation']}"] += 1
        mine["ae worst grade"] = max(mine["ae worst grade"], row["grade"])
        mine["ae early"] += 1.0 / (1.0 + max(row["day"] or 0.0, 0.0))
        if row["hours_after_dose"] is not None:
            mine["ae soon after a dose"] += 1.0 / (1.0 + row["hours_after_dose"])
    for row in rows["infections"]:
        made[row["subject"]]["infections"] += 1
        made[row["subject"]]["infections early"] += 1.0 / (1.0 + max(row["day"] or 0.0, 0.0))
    for row in rows["organ_support"]:
        made[row["subject"]][f"support {row['support']} {row['change']}"] += 1
        made[row["subject"]][f"support {row['support']} {row['change']}, day"] = row["day"] or 0.0
    for row in rows["vital_status"]:
        mine = made[row["subject"]]
        mine |= {"dead": row["status"] == "dead", "last day": row["last_known_day"] or 0.0}
        mine |= {"left icu": row["left_icu_day"] or 99.0, "left hospital": row["left_hospital_day"] or 99.0}
    for event in events:
        if event.subject in made:
            made[event.subject][f"events {event.type}"] += 1
            made[event.subject][f"bytes {event.type}"] += len(event.payload)
            made[event.subject]["minute of entry"] += int(event.recorded_at[14:16])
    return made


def guess(x: NDArray[np.float64], y: NDArray[np.bool_]) -> Guess:
    """The better of two classifiers, cross-validated; the interval is Hanley and McNeil's, at 95 %."""
    forest = RandomForestClassifier(300, min_samples_leaf=3, random_state=0)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=2000))
    folds = StratifiedKFold(10, shuffle=True, random_state=1)
    aucs = [
        float(roc_auc_score(y, cross_val_predict(model, x, y, cv=folds, method="predict_proba")[:, 1]))
        for model in (forest, linear)
    ]
    auc = max(aucs)
    n1, n0, q1, q2 = y.sum(), (~y).sum(), auc / (2 - auc), 2 * auc**2 / (1 + auc)
    se = sqrt((auc * (1 - auc) + (n1 - 1) * (q1 - auc**2) + (n0 - 1) * (q2 - auc**2)) / (n1 * n0))
    return Guess(auc, auc - 1.96 * se, auc + 1.96 * se)


def guesses(name: str, n: int, folder: Path) -> tuple[Guess, Guess, Guess]:
    """How well the arm is guessed without reactions, from reactions alone, and from what is sealed."""
    trial = rehearsed(with_planned(load(name), n), folder, seed=9)
    events = [event for event in read_events(folder / "trial.db") if event.type != "Unblinded"]
    people = trial.history.randomised
    y = np.array([one.arm != "placebo" for one in people])

    def matrix(seen: dict[str, Features]) -> tuple[list[str], NDArray[np.float64]]:
        names = sorted({feature for one in people for feature in seen[one.subject]})
        missing = [np.nan if name.startswith(("lab", "sofa")) else 0.0 for name in names]
        x = np.array([[seen[one.subject].get(f, gap) for f, gap in zip(names, missing, strict=True)] for one in people])
        return names, np.where(np.isnan(x), np.nanmedian(x, axis=0), x)

    names, x = matrix(features(tables(read_history(events), trial.file.protocol), events))
    is_reaction = np.array([name.startswith(REACTIONS) for name in names])
    sealed = [row for row in tables(trial.history, trial.file.protocol)["labs"] if row["was_sealed"]]
    others = ("sofa", "visits", "doses", "adverse_events", "infections", "organ_support", "vital_status")
    nothing: dict[str, list[Row]] = {name: [] for name in others}
    _, hidden = matrix(features({**nothing, "labs": sealed}, []))
    return guess(x[:, ~is_reaction], y), guess(x[:, is_reaction], y), guess(hidden, y)


@pytest.mark.parametrize(
    ("name", "n", "at_most", "from_reactions_at_most"),
    [
        ("iris-7", 90, 0.70, 0.78),
        pytest.param("iris-7", 300, 0.65, 0.72, marks=pytest.mark.slow),
        pytest.param("iris-7c", 300, 0.65, 0.78, marks=pytest.mark.slow),
    ],
)
def test_the_arm_is_guessed_no_better_than_stated(
    name: str, n: int, at_most: float, from_reactions_at_most: float, tmp_path: Path
) -> None:
    """The upper limit is what is held: a good guess fails, and so does a trial too small to exclude one."""
    without, reactions, sealed = guesses(name, n, tmp_path)
    assert without.upper < at_most, f"something betrays the arm: {without}"
    assert sealed.lower > 0.85, f"the classifier could not see what is there to be seen: {sealed}"
    assert reactions.upper < from_reactions_at_most, f"reactions tell more than is stated: {reactions}"
