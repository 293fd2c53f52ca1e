"""What a rehearsal puts on the record besides: support that stands at randomisation, visits within their windows."""

from collections import Counter
from datetime import datetime
from math import sqrt
from statistics import NormalDist

import pytest

from rehearsals import Rehearsed
from sevenfold.protocol.load import load
from sevenfold.record.tables import tables
from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.icu.nature import VirtualIcu


def test_days_on_support_can_be_counted(whole_trial: Rehearsed) -> None:
    """Of every subject and support the rows begin with 'present' or 'began' and take turns, so that each day is on or
    off; what stands at randomisation is what the virtual ICU gave then.
    """
    rows = tables(whole_trial.history, whole_trial.file.protocol)["organ_support"]
    kinds = Counter(row["change"] for row in rows)
    assert kinds["present"] > len(whole_trial.history.randomised) / 2
    by_one: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        by_one.setdefault((row["subject"], row["support"]), []).append(row["change"])
    for changes in by_one.values():
        assert changes[0] in ("present", "began")
        assert all(change == ("ended" if k % 2 else "began") for k, change in enumerate(changes) if k > 0)
    nature = whole_trial.staged.nature
    for one in whole_trial.history.randomised:
        present = {said.support for _, said in one.supports if said.change == "present"}
        assert present == set(nature.supports(one.subject, -1.0 / 24.0))


def test_visits_fall_within_their_windows_and_dosing_days_where_they_are_planned(whole_trial: Rehearsed) -> None:
    protocol = whole_trial.file.protocol
    off = 0
    for row in tables(whole_trial.history, protocol)["visits"]:
        planned = protocol.schedule.visit(row["visit"])
        if row["was_held"]:
            assert planned.first_day <= row["study_day"] <= planned.last_day
            off += row["study_day"] != planned.day
            if planned.day in protocol.dosing_days:
                assert row["study_day"] == planned.day
    assert off > 5


def test_a_visit_is_off_its_day_as_often_as_assumed() -> None:
    """Rounded normal numbers: the share on the planned day within four binomial standard errors, the ends cut off."""
    icu = VirtualIcu(load("iris-7").protocol, shipped(), 3, lambda _kit: "placebo")
    at = datetime.fromisoformat("2016-05-01T09:00+02:00")
    icu.candidate("FR-1-001", "FR-1", at)
    shifts = [icu.comes("FR-1-001", f"visit {visit}", 28.0, -1, 2) - 28.0 for visit in range(800)]
    assert set(shifts) == {-1.0, 0.0, 1.0, 2.0}
    p = 2.0 * NormalDist(0.0, shipped().visit_shift_sd).cdf(0.5) - 1.0
    assert shifts.count(0.0) / len(shifts) == pytest.approx(p, abs=4.0 * sqrt(p * (1.0 - p) / len(shifts)))
