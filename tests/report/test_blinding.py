"""Whether the blind held, in the report: guesses by guesser and arm, each subject's last one counted once."""

import copy
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsals import Rehearsed
from sevenfold.analysis.trial.analyse import analyse
from sevenfold.record.history import History
from sevenfold.record.payloads import PossiblyUnblinded, TreatmentGuessed
from sevenfold.record.reading import read_head
from sevenfold.report.blinding import blinding_of
from sevenfold.report.page import ReportInput, render

AT = datetime(2024, 1, 1, tzinfo=UTC)
GUESSES = st.sampled_from(["active", "comparator", "does not know"])


def with_guesses(history: History, said: list[tuple[str, list[str]]]) -> History:
    """A copy in which the first subjects' patients (or others) guessed, one guess after the other."""
    guessed = copy.deepcopy(history)
    for one, (by, guesses) in zip(guessed.randomised, said, strict=False):
        one.guesses = [(AT, TreatmentGuessed.model_validate({"by": by, "guess": guess})) for guess in guesses]
    return guessed


def test_nothing_is_said_where_nothing_was_guessed_seen_or_shown(small_trial: Rehearsed) -> None:
    """A rehearsal has no guesses, and its report no such section."""
    assert blinding_of(small_trial.history, small_trial.file.protocol) is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["patient", "nurse"]), st.lists(GUESSES, min_size=1, max_size=3)), max_size=8)
)
def test_everybody_is_counted_once_by_the_last_guess(small_trial: Rehearsed, said: list[tuple[str, list[str]]]) -> None:
    """Right, wrong and unsure close, and the index is (right - wrong) / asked."""
    history, protocol = with_guesses(small_trial.history, said), small_trial.file.protocol
    found = blinding_of(history, protocol)
    people = history.randomised
    assert sum(row.index.n for row in found.rows) if found else min(len(said), len(people)) == 0
    for row in found.rows if found else ():
        assert row.n_correct + row.n_wrong + row.n_unsure == row.index.n <= row.n_in_arm
        assert row.index.estimate == pytest.approx((row.n_correct - row.n_wrong) / row.index.n)
        last = [one.guesses[-1][1].guess for one in people if one.guesses and one.arm == row.arm and
                one.guesses[-1][1].by == row.by]  # fmt: skip
        assert row.n_correct == last.count("comparator" if row.arm == "placebo" else "active")


def test_whoever_objects_to_the_use_of_the_data_is_in_no_count(small_trial: Rehearsed) -> None:
    """Their guesses, what was seen and what was shown of them are used nowhere."""
    history = with_guesses(small_trial.history, [("patient", ["active"])])
    one = history.randomised[0]
    one.seen = [(AT, PossiblyUnblinded(who="nurse", what="a differential"))]
    one.unblindings = [(AT, "the surgeon")]
    assert blinding_of(history, small_trial.file.protocol) is not None
    one.may_use_data = False
    assert blinding_of(history, small_trial.file.protocol) is None


def test_the_report_prints_the_index_and_what_was_seen(small_trial: Rehearsed) -> None:
    """With its counts, its interval, and its name in the contents."""
    history, file = with_guesses(small_trial.history, [("patient", ["active"])] * 8), small_trial.file
    history.randomised[0].seen = [(AT, PossiblyUnblinded(who="nurse", what="a differential"))]
    history.randomised[1].unblindings = [(AT, "the surgeon")]
    estimates = analyse(small_trial.cohort, history, file.protocol, 1)
    given = ReportInput(
        file=file,
        history=history,
        cohort=small_trial.cohort,
        estimates=estimates,
        comparisons=(),
        assumptions=(),
        seed=1,
        head=read_head(small_trial.folder / "trial.db"),
        changed=(),
    )
    page = render(given)
    assert 'href="#blinding"' in page
    assert "1 of 8 subjects: somebody who had to be blind has seen" in page
    assert "1.00 <span" in page
    assert "-1.00 <span" in page
    assert 'id="blinding"' not in render(replace(given, history=small_trial.history))
