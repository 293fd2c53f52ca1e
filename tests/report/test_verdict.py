"""The verdict on a published rise: judged by the reference that was published, and said plainly."""

import pytest

from sevenfold.evidence.compare import Comparison, Measure, Reading, _agreement, _plans, compare
from sevenfold.evidence.figures import figures, figures_of
from sevenfold.report.verdict import Verdict, verdicts

FOLD = "fold increase range"


def rises(trial: str, values: dict[str, float]) -> tuple[Comparison, ...]:
    """Comparisons where every rise of a trial is ``values`` of its reference, whatever else was published."""
    made = {
        name: Measure(value=1.0, lower=None, upper=None, text=name) for plan in _plans().values() for name in plan.ours
    }
    for name in made:
        kind, *parts = name.split("/")
        if kind in ("fold", "ratio"):
            over = "baseline" if kind == "fold" else parts[2]
            value = values.get(f"{over} {parts[-1]}", values[over])
            made[name] = Measure(
                value=value, lower=0.6 * value, upper=1.6 * value, text=name, against=over, visit=parts[-1]
            )
        else:
            made[name] = Measure(value=0.1, lower=0.0, upper=0.3, text=name, n_events=1, n=10)
    return compare(trial, made)


def of(trial: str, values: dict[str, float]) -> Verdict:
    return verdicts(rises(trial, values))[0]


def test_a_rise_against_baseline_is_no_verdict_on_one_published_against_placebo() -> None:
    """IRIS-7C's abstract is explicit: two to three times placebo."""
    found = of("IRIS-7C", {"baseline": 2.68, "placebo": 1.74})
    assert found.plain == "ALC, published 2 to 3-fold against placebo: this rehearsal does not lie in that range."
    assert "1.74" in found.detail.partition("for information")[0]
    assert "2.68" in found.detail.partition("for information")[2]
    for c in rises("IRIS-7C", {"baseline": 2.68, "placebo": 1.74}):
        if c.figure.statistic == FOLD and c.measure is not None and c.measure.against == "baseline":
            assert c.reading is Reading.NOT_COMPARED
            assert c.agreement is not None
            assert "inside" not in c.agreement.value


def test_a_rise_that_lies_in_the_range_says_so_by_the_right_reference() -> None:
    assert "lies in that range" in of("IRIS-7C", {"baseline": 9.0, "placebo": 2.5}).plain


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"baseline": 3.4, "placebo": 1.9},
            "rehearsal lies in that range against baseline, and does not lie in that range against placebo",
        ),
        ({"baseline": 2.4, "placebo": 1.9}, "rehearsal does not lie in that range against baseline, and does not"),
        ({"baseline": 3.4, "baseline day 42": 4.4, "placebo": 1.9}, "against baseline on day 29 but not on day 42,"),
    ],
)
def test_where_the_reference_is_not_stated_each_is_judged_apart(values: dict[str, float], words: str) -> None:
    found = of("IRIS-7", values)
    assert words in found.plain
    assert found.plain.endswith("The publication does not say which is meant.")


def test_every_published_rise_says_what_it_is_over() -> None:
    for one in figures():
        if one.statistic == FOLD and one.trial in ("IRIS-7", "IRIS-7C"):
            assert _plans()[one.id].against in ("baseline", "placebo", "not stated"), one.id
            assert ("vs placebo" in one.arm) == (_plans()[one.id].against == "placebo")


def test_subjects_with_an_event_are_compared_as_shares() -> None:
    """3 of 15 is 20 %, and 3 of 60 is 5 % (Clopper and Pearson: 1 to 14 %): not the same though both are 3."""
    figure = next(one for one in figures_of("IRIS-7C") if one.id == "iris7c_resp")
    assert (figure.value, figure.n) == (3, 15)
    few = Measure(value=0.05, lower=0.0104, upper=0.1392, text="", n_events=3, n=60)
    many = Measure(value=0.2, lower=0.1078, upper=0.3233, text="", n_events=12, n=60)
    found = [_agreement(figure, measure) for measure in (few, many)]
    assert [agreement.value if agreement else None for agreement in found] == ["outside", "inside"]


def test_what_set_the_protocol_file_is_not_called_predicted() -> None:
    """The ratio of the arms and the sites' rates were chosen in view of these."""
    for name in ("iris7_n_cyt107", "iris7_n_placebo"):
        assert _plans()[name].kind is Reading.DESIGN
    for name in ("iris7_n_france", "iris7_n_us"):
        assert _plans()[name].kind is Reading.ASSUMED
