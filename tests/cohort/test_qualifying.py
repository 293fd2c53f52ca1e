"""The baseline from the counts by which a subject qualified: those that the criterion in force at the site counts."""

import datetime as dt
from datetime import UTC, datetime, timedelta

import pytest

from sevenfold.cohort.from_record import _qualifying_mean
from sevenfold.protocol.load import load
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.registered import Amendment, Criterion
from sevenfold.record.history import SubjectHistory
from sevenfold.record.payloads import CandidateScreened
from sevenfold.rules.screening import Measurement, Screening

IRIS_7C = load("iris-7c").protocol
AT = datetime(2019, 7, 2, 9, tzinfo=UTC)


def screened(*counts: tuple[float, float]) -> SubjectHistory:
    """Somebody with lymphocyte counts as (value, hours before screening)."""
    taken = tuple(Measurement(value=value, taken_at=AT - timedelta(hours=hours)) for value, hours in counts)
    known = Screening(at=AT, facts={}, numbers={}, laboratory={"alc": taken}, infusions={})
    return SubjectHistory("FR-1-001", "FR-1", CandidateScreened(amendments=[], known=known.as_payload(), unmet=[]), AT)


def amended(day: dt.date) -> Protocol:
    """From a day on one count at Angers is enough."""
    criterion = {
        "id": "lymphopenia",
        "kind": "inclusion",
        "text": "One count",
        "rule": {"laboratory": "alc", "at_most": "900 cells/µL"},
    }
    change = Amendment(
        id="one", date=dt.date(2019, 6, 1), summary="One count is enough", effective={"FR-1": day},
        replaces=(Criterion.model_validate(criterion),),
    )  # fmt: skip
    first, *others = IRIS_7C.registered_trials
    return IRIS_7C.model_copy(
        update={"registered_trials": (first.model_copy(update={"amendments": (change,)}), *others)}
    )


@pytest.mark.parametrize(
    ("protocol", "mean"),
    [(IRIS_7C, 750.0), (amended(dt.date(2019, 7, 2)), 700.0), (amended(dt.date(2019, 7, 3)), 750.0)],
    ids=["as written", "amended that day", "amended the day after"],
)
def test_the_baseline_is_the_mean_of_the_counts_that_counted(protocol: Protocol, mean: float) -> None:
    """30 h and 2 h before under the protocol as written, though 8 h before lies between; the last one once amended."""
    one = screened((800.0, 30.0), (850.0, 8.0), (700.0, 2.0))
    assert _qualifying_mean(one, "alc", protocol) == mean
