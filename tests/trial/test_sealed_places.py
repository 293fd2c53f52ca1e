"""A place holds one sealed text: else two equal ones in it would be seen to be equal, and two others to differ."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_stock import AT, SITE, Shop, lots

from sevenfold.edge.unblinding import reveal
from sevenfold.errors import OutOfOrder
from sevenfold.record.event import Event
from sevenfold.record.history import read_history
from sevenfold.record.payloads import (
    DataLocked,
    DataUnlocked,
    DoseNotGiven,
    FurtherMaskedResults,
    KitDestroyed,
    Result,
    SafetyReviewed,
    UnblindingAsked,
    read_payload,
)
from sevenfold.record.sealed import Sealed, place_of_sealed, sealed_place
from sevenfold.trial.closing import lock_database
from sevenfold.trial.sealed_queries import answer_sealed_query, ask_sealed, open_sealed_queries
from sevenfold.trial.signing import MEANINGS, sign_data
from sevenfold.trial.stock import Supplied, supply_place
from sevenfold.trial.supplying import count_vials, destroy_kit, return_kit
from sevenfold.trial.vials import VialStatus
from sevenfold.trial.visiting import receive_masked

VISITS = {"day 8": 7, "day 15": 14}
TESTS = ("alc", "cd4", "cd8")
LOW, HIGH = 1000.0, 60_000.0
"""Counts that hold no dose and that hold every dose."""


def place_of(event: Event) -> str:
    """Where what an event holds sealed belongs."""
    said, subject = read_payload(event), str(event.subject)
    if isinstance(said, Sealed):
        return place_of_sealed(subject, said)
    if isinstance(said, KitDestroyed):
        return sealed_place("kit destroyed", subject, str(said.study_day))
    assert isinstance(said, Supplied)
    return supply_place(str(event.site), said.number)


def sealed_of(shop: Shop) -> list[tuple[str, str]]:
    """Every sealed text that is in the ledger, with its place, in order."""
    found = [event for event in shop.ledger.events() if json.loads(event.payload).get("sealed")]
    return [(place_of(event), json.loads(event.payload)["sealed"]) for event in found]


def a_shop() -> tuple[Shop, str]:
    """A site with a subject who was randomised sixteen days ago, and a kit that was not given."""
    shop = Shop.opened(Path(mkdtemp()))
    subject = shop.enrolled()
    shop.receive(*lots())
    shop.dispensed(subject)
    shop.conduct.record(subject, DoseNotGiven(study_day=1, reason="fever"), "nurse", AT)
    return_kit(shop.conduct, subject, 1, "not given", AT)
    destroy_kit(shop.conduct, subject, 1, "w", "c", AT)
    shop.clock.at = AT + timedelta(days=16)
    shop.conduct.commit()
    return shop, subject


def results(value: float) -> Result:
    return Result(value=value, unit="cells/µL")


def sends(shop: Shop, subject: str, visit: str, test: str, value: float) -> None:
    """A value from the laboratory; another one of the same test becomes a sealed query."""
    at, recorded = AT + timedelta(days=VISITS[visit]), shop.conduct.followed.reviewer.sent(subject, visit).get(test)
    if recorded is None:
        receive_masked(shop.conduct, subject, visit, {test: results(value)}, at)
    else:
        ask_sealed(shop.conduct, subject, visit, test, recorded, results(value), shop.clock.at)


def answers(shop: Shop, subject: str, right: str) -> None:
    """The laboratory answers the first query that is open."""
    for query in open_sealed_queries(shop.conduct)[:1]:
        answer_sealed_query(shop.conduct, subject, query.number, right=right, reason="r", happened=shop.clock.at)


def unblinded(shop: Shop, subject: str) -> dict[str, int]:
    """Reviews by visit, as the ledger alone tells them after the planned unblinding."""
    while open_sealed_queries(shop.conduct):
        answers(shop, subject, "sent")
        shop.conduct.commit()
    shop.conduct.ending(subject, shop.clock.at)
    sign_data(shop.conduct, subject, "Dr Ida", MEANINGS[0], None, shop.clock.at)
    lock_database(shop.conduct, shop.clock.at)
    shop.conduct.say_of_trial(UnblindingAsked(person="p", name="n"), "sponsor", shop.clock.at)
    reveal(shop.conduct, shop.vault, shop.clock.at)
    shop.conduct.commit()
    return dict(Counter(visit for visit, _ in read_history(shop.ledger.events()).subjects[subject].reviews))


SENT = st.tuples(st.just("sent"), st.sampled_from(sorted(VISITS)), st.sampled_from(TESTS), st.sampled_from((LOW, HIGH)))
STEP = SENT | st.tuples(st.sampled_from(["answer recorded", "answer sent", "supplies", "count", "started anew"]))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.tuples(STEP, st.booleans()), min_size=4, max_size=12))
def test_no_place_is_used_twice_and_no_two_sealed_texts_are_equal(
    steps: list[tuple[tuple[str, ...] | tuple[str, str, str, float], bool]],
) -> None:
    """Whatever comes from the laboratory and of supplies in whatever order, with steps that were abandoned between;
    every text opens in its place, with the server's key and with the one that the unblinding reveals.
    """
    shop, subject = a_shop()
    for (what, *more), is_kept in steps:
        match what:
            case "sent":
                visit, test, value = more
                sends(shop, subject, str(visit), str(test), float(str(value)))
            case "supplies":
                shop.receive(*lots())
            case "count":
                stood = {key: lot[VialStatus.IN_STOCK] for key, lot in shop.stock.lots[SITE].items()}
                count_vials(shop.conduct, SITE, stood, stood, "recount", "w", shop.clock.at)
            case "started anew":
                shop.again()
            case _:
                answers(shop, subject, what.removeprefix("answer "))
        shop.conduct.commit() if is_kept else shop.conduct.abandon()
    found = sealed_of(shop)
    assert len({place for place, _ in found}) == len(found)
    assert len({sealed for _, sealed in found}) == len(found)
    for place, sealed in found:
        shop.vault.open(place, sealed)
    assert unblinded(shop, subject) == shop.conduct.standings[subject].n_reviews


def test_the_first_of_a_visit_has_the_place_and_the_bytes_that_it_always_had() -> None:
    """A number is shown from the second on, so that older ledgers open and rehearsals repeat to the byte."""
    shop, subject = a_shop()
    for test in TESTS[:3]:
        sends(shop, subject, "day 8", test, LOW)
    shop.conduct.commit()
    assert [place for place, _ in sealed_of(shop) if "supplies" not in place and "kit" not in place] == [
        f"results {subject} day 8",
        f"review {subject} day 8",
        f"further results {subject} day 8",
        f"review 2 {subject} day 8",
        f"further results 2 {subject} day 8",
        f"review 3 {subject} day 8",
    ]
    numbers = [json.loads(event.payload).get("number") for event in shop.ledger.events_of(subject)]
    assert numbers[-6:] == [None, None, None, 2, 2, 3]


@pytest.mark.parametrize("second", [LOW, HIGH])
def test_a_hold_that_changed_and_one_that_did_not_look_alike(second: float) -> None:
    """Two reviews of a visit, after a value that holds a dose or one that doesn't: their texts always differ."""
    shop, subject = a_shop()
    sends(shop, subject, "day 8", "cd4", LOW)
    sends(shop, subject, "day 8", "alc", second)
    shop.conduct.commit()
    assert shop.conduct.followed.reviewer.withheld == ({} if second == LOW else {subject: True})
    sealed = [text for _, text in sealed_of(shop)]
    assert len(set(sealed)) == len(sealed)


@pytest.mark.parametrize("right", ["sent", "recorded"])
def test_a_question_to_the_laboratory_bars_the_locks_until_it_is_answered(right: str) -> None:
    """Of its visit, of the subject and of the database, and of no other visit. What is said against a lock is the
    same whatever the values are, and tells none.
    """
    shop, subject = a_shop()
    conduct, at = shop.conduct, shop.clock.at
    sends(shop, subject, "day 8", "alc", LOW)
    sends(shop, subject, "day 8", "alc", HIGH)
    sends(shop, subject, "day 15", "alc", LOW)
    told = f"the laboratory has a question open on masked results of {subject}.$"
    for scope, name in (("visit", "day 8"), ("subject", subject)):
        with pytest.raises(OutOfOrder, match=told):
            conduct.record(subject, DataLocked.model_validate({"scope": scope, "name": name}), "data manager", at)
    conduct.record(subject, DataLocked(scope="visit", name="day 15"), "data manager", at)
    conduct.ending(subject, at)
    sign_data(conduct, subject, "Dr Ida", MEANINGS[0], None, at)
    with pytest.raises(OutOfOrder, match=f"The database cannot be locked: {told}"):
        lock_database(conduct, at)
    conduct.commit()
    answers(shop, subject, right)
    conduct.commit()
    conduct.record(subject, DataLocked(scope="visit", name="day 8"), "data manager", at)
    conduct.record(subject, DataLocked(scope="subject", name=subject), "data manager", at)
    lock_database(conduct, at)
    assert conduct.is_locked


def test_a_question_that_came_after_the_lock_of_a_subject_is_answered_once_the_data_are_open_again() -> None:
    """The laboratory's other value is not lost, and the database waits for its answer."""
    shop, subject = a_shop()
    conduct, at = shop.conduct, shop.clock.at
    sends(shop, subject, "day 8", "alc", LOW)
    sign_data(conduct, subject, "Dr Ida", MEANINGS[0], None, at)
    conduct.record(subject, DataLocked(scope="subject", name=subject), "data manager", at)
    sends(shop, subject, "day 8", "alc", HIGH)
    conduct.commit()
    with pytest.raises(OutOfOrder, match="the subject's data are locked"):
        answers(shop, subject, "sent")
    conduct.abandon()
    conduct.record(
        subject, DataUnlocked(scope="subject", name=subject, reason="the laboratory asks"), "data manager", at
    )
    answers(shop, subject, "sent")
    conduct.commit()
    conduct.record(subject, DataLocked(scope="subject", name=subject), "data manager", at)
    assert conduct.followed.reviewer.sent(subject, "day 8")["alc"].value == HIGH


def test_a_number_that_is_not_the_next_is_refused() -> None:
    """The record itself bars a place that was used."""
    shop, subject = a_shop()
    sends(shop, subject, "day 8", "cd4", LOW)
    with pytest.raises(OutOfOrder, match="number 2 of visit 'day 8' is not the next"):
        shop.conduct.record(
            subject, FurtherMaskedResults(visit="day 8", study_day=8, sealed="", number=2), "laboratory", shop.clock.at
        )
    shop.conduct.record(
        subject, FurtherMaskedResults(visit="day 8", study_day=8, sealed=""), "laboratory", shop.clock.at
    )
    with pytest.raises(OutOfOrder, match="number 1 of visit 'day 8' is not the next"):
        shop.conduct.record(subject, SafetyReviewed(visit="day 8", sealed=""), "safety reviewer", shop.clock.at)
