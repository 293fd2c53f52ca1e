"""Laws of a trial: replay, counting, the blind, equivariance."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rehearsals import Rehearsed, with_planned
from sevenfold.clock import SimulatedClock
from sevenfold.cohort.cohort import Assignment, Cohort
from sevenfold.cohort.from_record import from_record
from sevenfold.edge.supply import supply_of
from sevenfold.protocol.load import load
from sevenfold.record.data import data_of
from sevenfold.record.event import Event as Recording
from sevenfold.record.flow import flow_of
from sevenfold.record.head import SigningKey
from sevenfold.record.history import read_history
from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import Payload, Result, read_payload
from sevenfold.record.reading import read_events
from sevenfold.record.tables import tables
from sevenfold.rules.cytokine_release import Bedside
from sevenfold.sealing import derived_key
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.icu.nature import VirtualIcu
from sevenfold.trial.ports import Candidate, Event, Nature
from sevenfold.trial.rehearse import rehearse
from sevenfold.vault.vault import Vault


def same(a: Any, b: Any) -> bool:
    """Equality of frozen results, arrays and NaN included."""
    if isinstance(a, np.ndarray):
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    if dataclasses.is_dataclass(a) and not isinstance(a, type):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def test_replay_folding_twice_is_the_same(small_trial: Rehearsed) -> None:
    events = read_events(small_trial.folder / "trial.db")
    protocol = small_trial.file.protocol
    first, second = (from_record(read_history(events), protocol) for _ in range(2))
    assert same(first, second)
    assert tables(read_history(events), protocol) == tables(small_trial.history, protocol)


def test_counting_screened_is_randomised_plus_excluded_and_everybody_ends_once(whole_trial: Rehearsed) -> None:
    """``Flow`` refuses to be built if its arithmetic does not close; here it is counted a second way, from the
    tables.
    """
    flow = flow_of(whole_trial.history, whole_trial.file.protocol)
    rows = tables(whole_trial.history, whole_trial.file.protocol)["subjects"]
    randomised = [row for row in rows if row["randomisation_number"]]
    assert flow.n_screened == len(rows)
    assert flow.n_randomised == len(randomised) == whole_trial.file.protocol.population.planned
    assert flow.n_excluded == sum(flow.not_eligible.values()) + flow.n_declined + flow.n_not_randomised
    ends = {"died", "completed follow-up", "withdrew consent", "lost to follow-up"}
    assert {row["disposition"] for row in randomised} <= ends
    assert sum(sum(arm.dispositions.values()) for arm in flow.arms.values()) == len(randomised)


def without_digest(event: Recording) -> Payload:
    """What a signature says, but for the hash over the hashes of the events that were signed."""
    return read_payload(event).model_copy(update={"digest": ""})


@dataclasses.dataclass
class Recorded:
    """A Nature that answers as another one did, whatever is in the syringes."""

    first: Nature
    answers: dict[tuple[Any, ...], Any]
    is_playing: bool = False

    def _answer(self, key: tuple[Any, ...], ask: Any) -> Any:
        if not self.is_playing:
            self.answers[key] = ask()
        return self.answers[key]

    def candidate(self, subject: str, site: str, at: datetime) -> Candidate:
        return self._answer(("candidate", subject), lambda: self.first.candidate(subject, site, at))  # type: ignore[no-any-return]

    def assess(self, subject: str, visit: str, time_day: float, names: Sequence[str]) -> Mapping[str, Result] | str:
        return self._answer(("assess", subject, visit), lambda: self.first.assess(subject, visit, time_day, names))  # type: ignore[no-any-return]

    def comes(self, subject: str, visit: str, time_day: float, earliest_day: int, latest_day: int) -> float:
        key = ("comes", subject, visit)
        return self._answer(key, lambda: self.first.comes(subject, visit, time_day, earliest_day, latest_day))  # type: ignore[no-any-return]

    def supports(self, subject: str, time_day: float) -> Sequence[str]:
        return self._answer(("supports", subject), lambda: self.first.supports(subject, time_day))  # type: ignore[no-any-return]

    def takes_dose(self, subject: str, study_day: int, time_day: float) -> str | None:
        return self._answer(("dose", subject, study_day), lambda: self.first.takes_dose(subject, study_day, time_day))  # type: ignore[no-any-return]

    def receive(
        self,
        subject: str,
        study_day: int,
        time_day: float,
        kit: str,
        route: str,
        volume_ml: float,
        over_h: float | None = None,
    ) -> None:
        if not self.is_playing:
            self.first.receive(subject, study_day, time_day, kit, route, volume_ml, over_h)

    def observed(self, subject: str, time_day: float, hours: float) -> tuple[Bedside, Bedside]:
        return self._answer(("seen", subject, time_day), lambda: self.first.observed(subject, time_day, hours))  # type: ignore[no-any-return]

    def next_event(self, subject: str, after_day: float, before_day: float) -> Event | None:
        key = ("next", subject, after_day, before_day)
        return self._answer(key, lambda: self.first.next_event(subject, after_day, before_day))  # type: ignore[no-any-return]


def swapped(vault: Vault, a: str, b: str) -> None:
    """Exchange two arms in a vault's lists."""
    exchange = {a: b, b: a}
    for stratum, arms in vault._list.items():
        vault._list[stratum] = [exchange.get(arm, arm) for arm in arms]


@pytest.mark.parametrize("pair", [("high", "placebo"), ("low", "placebo"), ("high", "low")])
def test_blind_swapping_arms_in_the_vault_changes_no_byte_that_a_blinded_role_can_see(
    tmp_path: Path, pair: tuple[str, str]
) -> None:
    """With all answers of Nature held fixed. The commitment differs (a hash with a nonce, which tells nothing), and
    with it the hashes that chain from it; everything else is compared byte for byte, sealed texts included.
    """
    file = with_planned(load("iris-7"), 6)
    nature = Recorded(None, {})  # type: ignore[arg-type]
    worlds = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        vault = Vault.create(folder / "vault.db", supply_of(file), derived_key(b"seed", "vault", 32))
        if name == "second":
            swapped(vault, *pair)
        clock = SimulatedClock(datetime(1970, 1, 1, tzinfo=UTC))
        ledger = Ledger.create(folder / "trial.db", clock, SigningKey(bytes(32)))
        nature.first = VirtualIcu(file.protocol, shipped(), 5, vault.contents)
        rehearse(Conduct(file, ledger, vault), nature, clock, 5, lambda _done, _of: None)
        ledger.close()
        nature.is_playing = True
        history = read_history(read_events(folder / "trial.db"))
        worlds.append((vault, read_events(folder / "trial.db"), tables(history, file.protocol)))
    (vault_a, events_a, tables_a), (vault_b, events_b, tables_b) = worlds
    arms = [set(vault._taken.values()) for vault in (vault_a, vault_b)]
    assert set(pair) & (arms[0] | arms[1]), "no subject was in either arm: the test would prove nothing"
    assert vault_a._taken != vault_b._taken
    assert tables_a == tables_b
    assert len(events_a) == len(events_b)
    for a, b in zip(events_a, events_b, strict=True):
        visible = ("sequence", "type", "schema_version", "subject", "site", "actor", "happened_at", "recorded_at")
        assert [getattr(a, name) for name in visible] == [getattr(b, name) for name in visible]
        if a.type == "Signed":  # over hashes, which follow from the commitment to the list
            assert without_digest(a) == without_digest(b)
        elif a.type != "TrialOpened":
            assert a.payload == b.payload, (a.sequence, a.type)
    for events in (events_a, events_b):  # each digest is that of its own world's visible events and of nothing else
        for subject in {event.subject for event in events if event.type == "Signed"}:
            own = data_of([event for event in events if event.subject == subject])
            assert [one.is_void for one in own.signatures] == [False]


def reordered(cohort: Cohort, order: list[int]) -> Cohort:
    """The same cohort with its subjects in another order."""

    def take(array: Any) -> Any:
        return array[:, order]

    assignment = cohort.revealed()
    return dataclasses.replace(
        cohort,
        subjects=tuple(cohort.subjects[i] for i in order),
        values={name: take(values) for name, values in cohort.values.items()},
        missing={name: take(codes) for name, codes in cohort.missing.items()},
        baseline={name: take(values) for name, values in cohort.baseline.items()},
        measured_day=take(cohort.measured_day),
        death_day=take(cohort.death_day),
        last_day=take(cohort.last_day),
        discharge_day=take(cohort.discharge_day),
        first_event_day={name: take(days) for name, days in cohort.first_event_day.items()},
        n_doses=take(cohort.n_doses),
        adverse_events=tuple(dataclasses.replace(e, subject=order.index(e.subject)) for e in cohort.adverse_events),
        assignment=Assignment(arms=assignment.arms, arm=take(assignment.arm)),
    )


def test_equivariance_the_order_of_subjects_changes_no_estimate(whole_trial: Rehearsed) -> None:
    """To 1e-9 relative: sums run in another order. The bootstrap of the survivors' interval draws by place, so its
    interval is left out; its bounds are not.
    """
    from sevenfold.analysis.trial.answering import answer

    protocol, cohort = whole_trial.file.protocol, whole_trial.cohort
    other = reordered(cohort, [int(i) for i in np.random.default_rng(2).permutation(cohort.n_subjects)])
    for planned in protocol.analyses:
        a, b = answer(planned, cohort, protocol, 1), answer(planned, other, protocol, 1)
        assert a.status is b.status
        assert a.left_out == b.left_out
        if a.bounds is not None:
            assert b.bounds == pytest.approx(a.bounds, rel=1e-9)
        elif a.value is not None:
            assert (b.value, b.lower, b.upper) == pytest.approx((a.value, a.lower, a.upper), rel=1e-7, abs=1e-9)


def test_equivariance_relabelling_the_arms_turns_the_effect_round(whole_trial: Rehearsed) -> None:
    """Comparing placebo with CYT107 gives the reciprocal ratio, or the opposite difference, and the same p-value."""
    from sevenfold.analysis.trial.answering import answer

    protocol, cohort = whole_trial.file.protocol, whole_trial.cohort
    turned = tuple(e.model_copy(update={"compare": e.compare[::-1]}) for e in protocol.estimands)
    other = protocol.model_copy(update={"estimands": turned})
    for planned in protocol.analyses:
        a, b = answer(planned, cohort, protocol, 1), answer(planned, cohort, other, 1)
        if a.value is None or b.value is None:
            assert a.status is b.status
        elif a.scale == "ratio":
            assert a.value * b.value == pytest.approx(1.0, rel=1e-6)
            assert b.p_value == pytest.approx(a.p_value, rel=1e-5)
        else:
            assert b.value == pytest.approx(-a.value, abs=1e-9)
            assert b.p_value == pytest.approx(a.p_value, rel=1e-6)
