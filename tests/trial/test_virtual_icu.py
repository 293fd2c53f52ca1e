"""The virtual ICU: what it was set to, and what one change does to the others."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.solve import Dose, advance
from sevenfold.protocol.load import load
from sevenfold.rules.eligibility import unmet_criteria
from sevenfold.trial.enrolment import arrivals
from sevenfold.trial.icu.assumptions import assays, background, shipped
from sevenfold.trial.icu.laboratory import FROM_MECHANISM, measured
from sevenfold.trial.icu.nature import VirtualIcu
from sevenfold.trial.icu.person import Draws, draw_person
from sevenfold.trial.icu.ranges import range_of
from sevenfold.trial.icu.reactions import reactions

IRIS_7 = load("iris-7").protocol
AT = datetime(2016, 5, 1, 9, tzinfo=ZoneInfo("Europe/Paris"))


def icu(seed: int = 1, product: str = "placebo", **assume: float) -> VirtualIcu:
    return VirtualIcu(IRIS_7, shipped().changed(assume), seed, lambda _kit: product)


def test_one_candidate_more_changes_nobody_else() -> None:
    alone, among = icu(), icu()
    for number in range(1, 6):
        among.candidate(f"FR-1-{number:03d}", "FR-1", AT)
    late = alone.candidate("FR-1-004", "FR-1", AT)
    assert late == among.candidate("FR-1-004", "FR-1", AT)
    assert late != icu().candidate("US-1-004", "US-1", AT)


@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_treatment_acts_on_fate_only_where_that_is_assumed(effect: float) -> None:
    """With the switch off, what is in the syringe changes neither death nor infection nor support, day for day."""
    worlds = []
    for product in ("placebo", "cyt107"):
        one = icu(4, product, treatment_effect_through_alc=effect)
        happened = []
        for number in range(1, 9):
            subject = f"FR-1-{number:03d}"
            one.candidate(subject, "FR-1", AT)
            for day in (0, 3, 7, 10, 14, 17, 21, 24):
                one.assess(subject, f"day {day + 1}", float(day), ("alc",))
                one.receive(subject, day + 1, float(day), "kit", "IM", 0.4)
            one.assess(subject, "day 60", 59.0, ("alc",))
            course = one.subjects[subject].course
            course.follow(90)
            happened.append((course.death_day, tuple(course.infections), course.left_icu_day))
        worlds.append(happened)
    assert (worlds[0] == worlds[1]) == (effect == 0.0)


def test_il7_in_the_syringe_raises_the_count_and_placebo_does_not() -> None:
    counts = {}
    for product in ("placebo", "cyt107"):
        one = icu(4, product)
        one.candidate("FR-1-001", "FR-1", AT)
        for day in (0, 3, 7, 10):
            one.receive("FR-1-001", day + 1, float(day), "kit", "IM", 0.4)
        answer = one.assess("FR-1-001", "day 15", 14.0, ("alc", "ki67_cd4"))
        assert not isinstance(answer, str)
        counts[product] = answer["alc"].value
    assert counts["cyt107"] > 1.5 * counts["placebo"]


def test_the_virtual_icu_is_where_it_was_calibrated_to() -> None:
    """Death, infection, SOFA and counts of those let in, against the figures they were set to. Tolerance: four
    standard errors of this sample, and for the medians what four standard errors of a median come to (1.2533
    sd/sqrt(n)).
    """
    one = icu(2024)
    counts, enrolled = [], []
    for number in range(1, 1201):
        subject = f"FR-1-{number:03d}"
        known = one.candidate(subject, "FR-1", AT).screening
        counts.append(known.laboratory["alc"][-1].value)
        if not unmet_criteria(IRIS_7.population.criteria, known, IRIS_7):
            enrolled.append(one.subjects[subject])
    n = len(enrolled)
    for each in enrolled:
        each.course.follow(91)

    def share(days: list[float | None], by: float) -> float:
        return float(np.mean([day is not None and day <= by for day in days]))

    deaths = [each.course.death_day for each in enrolled]
    infections = [min(each.course.infections, default=None) for each in enrolled]
    for found, published in (
        (share(deaths, 28.0), 0.21),
        (share(deaths, 90.0), 0.288),
        (share(infections, 30.0), 0.222),
    ):
        assert found == pytest.approx(published, abs=4.0 * np.sqrt(published * (1 - published) / n))
    log_counts = np.log(counts)
    assert float(np.median(log_counts)) == pytest.approx(
        np.log(830.0), abs=4 * 1.2533 * log_counts.std() / np.sqrt(len(counts))
    )
    entry = np.array([each.course.days[0].total for each in enrolled])
    assert 8.0 < float(np.median(entry)) < 11.5  # continuous; whole points are about one lower


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_person_is_within_what_people_are(seed: int) -> None:
    person = draw_person(Draws(seed, 0, 1), shipped())
    assert 18 <= person.age_year <= 97
    assert 35 <= person.weight_kg <= 250
    assert 0.0 < person.parameters["bioavailable_fraction"] <= 0.95
    assert all(value > 0 for value in person.parameters.values())


def test_another_arm_moves_only_reactions_between_the_two_chances() -> None:
    """The same numbers are compared with both chances: every reaction to placebo happens on the product too."""
    for number in range(400):
        draws = Draws(3, 0, number)
        on_placebo, on_product = (
            {r.event.detail["term"] for r in reactions(draws, shipped(), 4, 3.0, "IM", is_active=active)}
            for active in (False, True)
        )
        assert on_placebo <= on_product


def test_reactions_come_as_often_as_assumed() -> None:
    """Injection-site reactions to 4 000 doses: four binomial standard errors."""
    n, p = 4000, shipped().injection_site_reaction
    count = sum(
        any(
            r.event.detail["term"] == "Injection site reaction"
            for r in reactions(Draws(8, 0, i), shipped(), 1, 0.0, "IM", is_active=True)
        )
        for i in range(n)
    )
    assert count / n == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n))


def test_every_assay_belongs_to_a_catalogued_test_and_reports_its_limit() -> None:
    assert set(assays()) <= set(IRIS_7.known_variables)
    assert set(FROM_MECHANISM) <= set(assays())
    low = measured("il7", 1e-9, Draws(1, 0, 1), "day 4")
    assert (low.qualifier, low.value) == ("<", assays()["il7"].lloq)


def test_assay_error_has_the_size_that_is_stated() -> None:
    """Standard deviation of 2 000 logarithms: four standard errors, sd/sqrt(2n)."""
    n, sd = 2000, assays()["cd4"].log_sd
    logs = np.log([measured("cd4", 5e5, Draws(1, 0, i), "x").value for i in range(n)])
    assert logs.std(ddof=1) == pytest.approx(sd, abs=4 * sd / np.sqrt(2 * n))


def test_grades_of_background_events_are_distributions() -> None:
    for event in background():
        assert sum(event.grades) == pytest.approx(1.0), event.term


def test_an_unknown_assumption_names_its_neighbour() -> None:
    with pytest.raises(InvalidInput, match="Did you mean 'death_hazard'"):
        shipped().changed({"death_hazards": 1.0})


def test_candidates_come_as_often_as_planned() -> None:
    """Gaps between 400 arrivals: their mean has standard error mean/sqrt(400)."""
    stream = arrivals(IRIS_7, "FR-1", 5)
    moments = [next(stream).at for _ in range(400)]
    months = (moments[-1] - moments[0]).total_seconds() / 86_400 / (365.25 / 12)
    assert 399 / months == pytest.approx(IRIS_7.sites["FR-1"][1].screened_per_month, rel=4 / np.sqrt(399))
    assert moments == sorted(moments)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -0.1, 1e300])
def test_an_assumption_outside_what_it_can_be_is_refused(value: float) -> None:
    for name in shipped().by_name:
        if name.endswith("_correlation") and value == -0.1:
            continue
        if shipped().by_name[name].unit == "log hazard" and value == -0.1:
            continue
        with pytest.raises(InvalidInput, match=f"{name}' cannot be .* lies between"):
            shipped().changed({name: value})


def test_what_is_shipped_lies_within_its_range() -> None:
    for name, assumption in shipped().by_name.items():
        low, high = range_of(assumption)
        assert low < high
        assert low <= assumption.value <= high, name


@pytest.mark.parametrize("end", [0, 1])
def test_a_patient_lives_at_either_end_of_every_range(end: int) -> None:
    """One assumption at a time, at the lowest and at the highest value that may be set."""
    for name, assumption in shipped().by_name.items():
        one = VirtualIcu(IRIS_7, shipped().changed({name: range_of(assumption)[end]}), 2, lambda _kit: "placebo")
        one.candidate("FR-1-001", "FR-1", AT)
        assert isinstance(one.assess("FR-1-001", "day 1", 0.0, ("alc", "il6", "temperature")), dict)
        one.next_event("FR-1-001", 0.0, 90.0)


def test_a_visit_years_later_can_be_held() -> None:
    one = icu(2)
    one.candidate("FR-1-001", "FR-1", AT)
    assert one.assess("FR-1-001", "day 3650", 3649.0, ("temperature",))


@pytest.mark.parametrize("looks", [(), (0.01, 0.02)])
def test_an_infusion_runs_over_its_hours_however_often_it_is_looked_at(looks: tuple[float, ...]) -> None:
    """Against the model itself, given the whole infusion at once; looking while it runs cuts it and loses nothing."""
    one = icu(3, "cyt107")
    one.candidate("FR-1-001", "FR-1", AT)
    subject = one.subjects["FR-1-001"]
    before, hours = subject.body, 1.0
    one.receive("FR-1-001", 1, 0.0, "kit", "IV", 0.4, hours)
    for number, look in enumerate(looks):
        one.assess("FR-1-001", f"look {number}", look, ("il7",))
    seen = one._observe("FR-1-001", 0.5)
    strength = IRIS_7.products["cyt107"].strength_ug_per_ml
    whole = Dose(time_day=0.0, amount=0.4 * strength, route="IV", duration_day=hours / 24.0)
    expected = advance(before, [[whole]], [[0.5]], [0.5]).seen["il7_ng_per_ml"][0][-1]
    bolus = advance(before, [[replace(whole, duration_day=0.0)]], [[0.5]], [0.5]).seen["il7_ng_per_ml"][0][-1]
    assert seen["il7_ng_per_ml"] == pytest.approx(expected, rel=1e-6)
    assert abs(bolus / expected - 1.0) > 1e-3, "the duration matters"
