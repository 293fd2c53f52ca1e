"""Audit: a record that can't be altered unseen, that says when and by whom, and that refuses steps out of order."""

import dataclasses
import hashlib
import json
import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from requirement.conftest import Run
from requirement.forgery import COLUMNS, chained_anew, copied, edited, head_of, rewritten, signed
from requirement.scripted import AT, KEY, SUPPLY, Desk, Fate, acted, desk, planned, screening
from sevenfold.cli import main
from sevenfold.errors import OutOfOrder, SevenfoldError
from sevenfold.record.event import Event
from sevenfold.record.head import Head, LedgerState, SigningKey
from sevenfold.record.payloads import (
    AdverseEventReported,
    ConsentGiven,
    ConsentWithdrawn,
    Died,
    DoseGiven,
    DosingStopped,
    FollowUpCompleted,
    LeftHospital,
    LostToFollowUp,
    Payload,
    Reconsented,
    SecondaryInfection,
    VisitHeld,
    VisitMissed,
)
from sevenfold.record.reading import read_events, read_head
from sevenfold.record.verify import verify
from sevenfold.trial.closing import lock_database, unblind_trial
from sevenfold.trial.dosing import prepare_dose
from sevenfold.trial.enrolling import randomise_subject, screen_candidate

STRANGER = SigningKey(bytes(reversed(range(32))))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A finished ledger, the head that was exported at its end, and heads of earlier moments."""

    ledger: Path
    exported: Path
    events: list[Event]
    head: Head
    earlier: list[Head]

    def verified(self, path: Path, capsys: pytest.CaptureFixture[str], *, with_head: bool = True) -> tuple[int, str]:
        """Exit code and words of ``sevenfold verify``."""
        code = main(["verify", str(path), *(("--head", str(self.exported)) if with_head else ())])
        printed = capsys.readouterr()
        return code, printed.out + printed.err


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """IRIS-7 with three subjects, by script, unblinded; and the heads that a run of it signs on the way."""
    folder = tmp_path_factory.mktemp("original")
    supply = dataclasses.replace(SUPPLY["iris-7"], n_planned=3)
    world = acted(planned("iris-7", 3), folder, supply, lambda _k: Fate())
    earlier = [read_head(world.ledger)]
    world.unblind()
    events, head = read_events(world.ledger), read_head(world.ledger)
    earlier += [head_of(events[:count], KEY, LedgerState.RUNNING) for count in (1, 40)]
    exported = folder / "run.json"
    exported.write_text(json.dumps({"ledger head": dataclasses.asdict(head)}), encoding="utf-8")
    return Original(ledger=world.ledger, exported=exported, events=events, head=head, earlier=earlier)


@pytest.mark.requirement("AUDIT-1")
def test_an_untouched_ledger_passes(original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With and without an exported head, as often as asked, and verifying changes no byte of it."""
    copy = copied(original.ledger, tmp_path / "trial.db")
    before = copy.read_bytes()
    for with_head in (True, False, True):
        code, said = original.verified(copy, capsys, with_head=with_head)
        assert (code, "FAULT" in said) == (0, False)
        assert f"{len(original.events)} events" in said
        assert ("No exported head was compared" in said) is not with_head
    assert copy.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["trial.db"]


@pytest.mark.requirement("AUDIT-1")
def test_the_ledgers_of_runs_pass(
    open_runs: tuple[Run, ...], blind_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """The head that run.json exports beside them is compared without being asked for."""
    for run in (*open_runs, blind_run):
        assert main(["verify", str(run.folder / "trial.db")]) == 0
        said = capsys.readouterr().out
        assert ("locked" if run is blind_run else "complete") in said
        assert "An exported head was compared" in said


OTHER_VALUES: dict[str, object] = {
    "type": "Died",
    "schema_version": 2,
    "subject": "FR-1-999",
    "site": "US-2",
    "actor": "monitor",
    "happened_at": "2016-01-01T00:00+01:00",
    "recorded_at": "2016-01-01T00:00:00.000Z",
    "payload": b"{}",
    "previous_hash": "0" * 63 + "1",
    "hash": "f" * 64,
    "sequence": 100_000,
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("with_head", [True, False])
@pytest.mark.requirement("AUDIT-2")
def test_an_edit_of_any_column_of_any_event_is_found_and_located(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, with_head: bool
) -> None:
    """At the beginning, in the middle and at the end."""
    n = len(original.events)
    for place in (1, 2, n // 2, n - 1, n):
        copy = copied(original.ledger, tmp_path / f"{place}.db")
        edited(copy, (f"UPDATE event SET {column} = ? WHERE sequence = ?", (OTHER_VALUES[column], place)))
        code, said = original.verified(copy, capsys, with_head=with_head)
        assert code == 2
        assert f"Event {place} " in said


@pytest.mark.parametrize("change", ["a byte", "a space", "a digit", "emptied"])
@pytest.mark.requirement("AUDIT-2")
def test_the_smallest_edit_of_a_payload_is_found(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    """Even where what it says stays the same."""
    place = next(event.sequence for event in original.events if event.type == "VisitHeld")
    payload = original.events[place - 1].payload
    other = {
        "a byte": payload[:-1] + b"]",
        "a space": payload.replace(b":", b": ", 1),
        "a digit": re.sub(rb"\d", lambda m: b"%d" % ((int(m[0]) + 1) % 10), payload, count=1),
        "emptied": b"",
    }[change]
    assert other != payload
    copy = copied(original.ledger, tmp_path / "trial.db")
    edited(copy, ("UPDATE event SET payload = ? WHERE sequence = ?", (other, place)))
    code, said = original.verified(copy, capsys, with_head=False)
    assert code == 2
    assert f"Event {place} (VisitHeld) was changed" in said


@pytest.mark.requirement("AUDIT-2")
def test_an_event_altered_with_its_own_hash_recomputed_is_found_behind_it(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It agrees with itself and with the one before; the next one doesn't follow any more."""
    n = len(original.events)
    for place in (1, n // 2, n - 1):
        event = original.events[place - 1]
        altered = chained_anew([*original.events[: place - 1], dataclasses.replace(event, actor="monitor")])[-1]
        assert altered.hash != event.hash
        copy = copied(original.ledger, tmp_path / f"{place}.db")
        rewritten(copy, [*original.events[: place - 1], altered, *original.events[place:]])
        code, said = original.verified(copy, capsys, with_head=False)
        assert code == 2
        assert f"Event {place + 1} " in said
        assert said.count("FAULT") == 1


@pytest.mark.requirement("AUDIT-3")
def test_a_deleted_event_is_found_and_located(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether the gap is left or closed by renumbering."""
    n = len(original.events)
    for place in (1, n // 2, n - 1):
        gap = copied(original.ledger, tmp_path / f"gap {place}.db")
        edited(gap, ("DELETE FROM event WHERE sequence = ?", (place,)))
        code, said = original.verified(gap, capsys, with_head=False)
        assert code == 2
        assert f"Event {place} is missing" in said
        closed = copied(original.ledger, tmp_path / f"closed {place}.db")
        left = [event for event in original.events if event.sequence != place]
        rewritten(closed, [dataclasses.replace(event, sequence=k) for k, event in enumerate(left, start=1)])
        code, said = original.verified(closed, capsys, with_head=False)
        assert code == 2
        assert f"Event {place} " in said


@pytest.mark.requirement("AUDIT-3")
def test_an_inserted_event_is_found_and_located(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is chained well to the one before it; those behind it are renumbered."""
    place = len(original.events) // 2
    before, behind = original.events[:place], original.events[place:]
    made = chained_anew([*before, dataclasses.replace(before[-1], actor="monitor")])
    moved = [dataclasses.replace(event, sequence=event.sequence + 1) for event in behind]
    copy = rewritten(copied(original.ledger, tmp_path / "trial.db"), [*before, made[-1], *moved])
    code, said = original.verified(copy, capsys, with_head=False)
    assert code == 2
    assert f"Event {place + 2} " in said
    assert f"Event {place} " not in said


@pytest.mark.requirement("AUDIT-3")
def test_events_in_another_order_are_found_and_located(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two neighbours exchanged, their numbers with them."""
    place = len(original.events) // 2
    order = list(original.events)
    order[place - 1], order[place] = order[place], order[place - 1]
    copy = rewritten(
        copied(original.ledger, tmp_path / "trial.db"),
        [dataclasses.replace(event, sequence=k) for k, event in enumerate(order, start=1)],
    )
    code, said = original.verified(copy, capsys, with_head=False)
    assert code == 2
    assert f"Event {place} " in said
    assert f"Event {place - 1} " not in said


@pytest.mark.requirement("AUDIT-4")
def test_a_ledger_cut_short_is_found_by_its_own_head(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By one event, by half, by all."""
    n = len(original.events)
    for left in (n - 1, n // 2, 0):
        copy = copied(original.ledger, tmp_path / f"{left}.db")
        edited(copy, ("DELETE FROM event WHERE sequence > ?", (left,)))
        code, said = original.verified(copy, capsys, with_head=False)
        assert code == 2
        assert "cut short" in said
        assert f"{n} events, {left} are there" in said


@pytest.mark.requirement("AUDIT-4")
def test_a_ledger_cut_short_with_its_head_altered_to_fit_is_found(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has no key can't sign; who signs with another key isn't who opened the trial."""
    left = original.events[: len(original.events) // 2]
    plain = dataclasses.replace(original.head, count=len(left), hash=left[-1].hash)
    copy = rewritten(copied(original.ledger, tmp_path / "plain.db"), left, plain)
    code, said = original.verified(copy, capsys, with_head=False)
    assert code == 2
    assert "signature of the head" in said
    copy = rewritten(copied(original.ledger, tmp_path / "stranger.db"), left, head_of(left, STRANGER))
    code, said = original.verified(copy, capsys, with_head=False)
    assert code == 2
    assert "another key" in said


@pytest.mark.requirement("AUDIT-4")
def test_a_ledger_cut_back_to_an_earlier_head_is_found_with_the_exported_one(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That head was truly signed, so only one kept elsewhere can tell; without one, verify says that it had none."""
    for head in original.earlier:
        copy = rewritten(copied(original.ledger, tmp_path / f"{head.count}.db"), original.events[: head.count], head)
        code, said = original.verified(copy, capsys)
        assert code == 2
        assert "cut short" in said
        assert f"the exported head says {len(original.events)} events, {head.count} are there" in said
        code, said = original.verified(copy, capsys, with_head=False)
        assert "No exported head was compared" in said


@pytest.mark.requirement("AUDIT-4")
def test_an_older_head_put_back_over_the_same_events_is_found(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would hide that something was added since."""
    for head in original.earlier:
        copy = rewritten(copied(original.ledger, tmp_path / f"{head.count}.db"), original.events, head)
        code, said = original.verified(copy, capsys, with_head=False)
        assert code == 2
        assert f"says {head.count}, {len(original.events)} are there" in said


@pytest.mark.requirement("AUDIT-5")
def test_an_altered_payload_with_all_hashes_recomputed_is_found(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The chain is sound from end to end, but the head says another last event."""

    def forged(event: Event) -> Event:
        if event.type != "VisitHeld":
            return event
        return dataclasses.replace(event, payload=event.payload.replace(b"150000.0", b"149000.0"))

    events = chained_anew(original.events, forged)
    assert sum(a.payload != b.payload for a, b in zip(events, original.events, strict=True)) > 10
    copy = rewritten(copied(original.ledger, tmp_path / "trial.db"), events)
    code, said = original.verified(copy, capsys, with_head=False)
    assert code == 2
    assert "last event is not the one" in said
    head = dataclasses.replace(original.head, hash=events[-1].hash)
    copy = rewritten(copied(original.ledger, tmp_path / "unsigned.db"), events, head)
    code, said = original.verified(copy, capsys, with_head=False)
    assert code == 2
    assert "signature of the head" in said


@pytest.mark.requirement("AUDIT-5")
def test_a_chain_made_anew_and_signed_with_another_key_is_found(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the key that the first event names; and if that is forged too, by the exported head."""
    events = chained_anew(original.events, lambda event: dataclasses.replace(event, actor="somebody"))
    copy = rewritten(copied(original.ledger, tmp_path / "half.db"), events, head_of(events, STRANGER))
    code, said = original.verified(copy, capsys, with_head=False)
    assert code == 2
    assert "another key" in said

    def renamed(event: Event) -> Event:
        payload = event.payload.replace(KEY.public_key.encode(), STRANGER.public_key.encode())
        return dataclasses.replace(event, payload=payload)

    events = chained_anew(events, renamed)
    copy = rewritten(copied(original.ledger, tmp_path / "whole.db"), events, head_of(events, STRANGER))
    code, said = original.verified(copy, capsys)
    assert code == 2
    assert "another key than the exported head" in said
    assert verify(copy).is_whole, "this one can only be told by a head kept elsewhere"


@pytest.mark.requirement("AUDIT-5")
def test_a_chain_made_anew_by_the_holder_of_the_key_is_found_with_the_exported_head(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was exported can't be taken back: also when the forged ledger has gone on since."""
    events = chained_anew(original.events, lambda event: dataclasses.replace(event, actor="somebody"))
    for name, more in (("same", 0), ("longer", 5)):
        longer = chained_anew([*events, *events[-1:] * more])
        copy = rewritten(copied(original.ledger, tmp_path / f"{name}.db"), longer, head_of(longer, KEY))
        code, said = original.verified(copy, capsys)
        assert code == 2
        assert f"event {len(original.events)} is not the one" in said


@pytest.mark.requirement("AUDIT-5")
def test_a_forged_exported_head_is_found(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Count, hash and state are signed together."""
    for changed in ({"count": 1}, {"hash": "0" * 64}, {"state": "running"}, {"signature": "0" * 128}):
        head = tmp_path / "head.json"
        head.write_text(json.dumps({**dataclasses.asdict(original.head), **changed}), encoding="utf-8")
        assert main(["verify", str(original.ledger), "--head", str(head)]) == 2
        assert "signature of the exported head" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("count", 1),
        ("hash", "0" * 64),
        ("state", "running"),
        ("state", "interrupted"),
        ("public_key", STRANGER.public_key),
        ("signature", "0" * 128),
        ("signature", "not hexadecimal"),
    ],
)
@pytest.mark.requirement("AUDIT-4")
def test_an_edit_of_the_head_is_found(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, value: object
) -> None:
    """Each of its columns."""
    copy = edited(copied(original.ledger, tmp_path / "trial.db"), (f'UPDATE head SET "{column}" = ?', (value,)))
    code, said = original.verified(copy, capsys, with_head=False)
    assert code == 2
    assert "signature of the head" in said


def hashed_by_hand(event: dict[str, object]) -> str:
    """An event's hash as anybody can work it out from events.jsonl."""
    payload = hashlib.sha256(str(event["payload"]).encode()).hexdigest()
    names = ("sequence", "type", "schema_version", "subject", "site", "actor", "happened_at", "recorded_at")
    envelope = [1, *(event[name] for name in names), payload, event["previous_hash"]]
    return hashlib.sha256(json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


@pytest.mark.requirement("AUDIT-6")
def test_the_exported_events_can_be_verified_without_sevenfold(open_runs: tuple[Run, ...], blind_run: Run) -> None:
    """With SHA-256, Ed25519 and a few lines; and they are the ledger's, event by event."""
    for run in (*open_runs, blind_run):
        lines = (run.folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
        events: list[dict[str, object]] = [json.loads(line) for line in lines]
        previous = "0" * 64
        for number, event in enumerate(events, start=1):
            assert (event["sequence"], event["previous_hash"]) == (number, previous)
            previous = hashed_by_hand(event)
            assert event["hash"] == previous
        head = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["ledger head"]
        state = "locked" if run is blind_run else "complete"
        assert (head["count"], head["hash"], head["state"]) == (len(events), previous, state)
        said = json.dumps(
            ["sevenfold ledger head", 1, head["count"], head["hash"], head["state"]], separators=(",", ":")
        )
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head["public_key"]))
        key.verify(bytes.fromhex(head["signature"]), said.encode())
        with pytest.raises(InvalidSignature):
            key.verify(bytes.fromhex(head["signature"]), said.replace(state, "running").encode())
        stored = [dataclasses.asdict(event) for event in read_events(run.folder / "trial.db")]
        assert [{**event, "payload": event["payload"].decode()} for event in stored] == events


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished ledger: a handful of events on a few pages."""
    trial = desk(tmp_path_factory.mktemp("tiny"), 4)
    trial.consented()
    trial.screened("US-1-001")
    return trial.closed()


@pytest.mark.requirement("AUDIT-7")
def test_no_flipped_bit_of_the_file_passes_with_other_content(tiny: Path, tmp_path: Path) -> None:
    """Bits anywhere in the file, and every low bit of its first page: whatever is not refused reads back identical.

    Whether damage is told in a sentence is another requirement; here it only must not pass.
    """
    raw, events, head = tiny.read_bytes(), read_events(tiny), read_head(tiny)
    rng = random.Random(20160114)
    places = [(rng.randrange(len(raw)), 1 << rng.randrange(8)) for _ in range(500)]
    places += [(place, 1) for place in range(200)]
    copy = tmp_path / "flipped.db"
    n_refused = 0
    for place, bit in places:
        flipped = bytearray(raw)
        flipped[place] ^= bit
        copy.write_bytes(flipped)
        try:
            is_passed = verify(copy, head).is_whole
        except (SevenfoldError, TypeError, ValueError):
            is_passed = False
        if is_passed:
            assert read_events(copy) == events, (place, bit)
            assert read_head(copy) == head, (place, bit)
        n_refused += not is_passed
    assert n_refused > 100


@pytest.mark.requirement("AUDIT-7")
def test_what_is_no_ledger_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty file, a text, another database, nothing at all: exit code 2, and no traceback."""
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE something (x INTEGER)")
    (tmp_path / "empty.db").write_bytes(b"")
    (tmp_path / "text.db").write_text("This is not a ledger. " * 100, encoding="utf-8")
    for name in ("other.db", "empty.db", "text.db", "missing.db"):
        assert main(["verify", str(tmp_path / name)]) == 2
        assert "ledger" in capsys.readouterr().err


@pytest.mark.requirement("AUDIT-8")
def test_events_can_be_neither_changed_nor_deleted_through_sql(original: Original, tmp_path: Path) -> None:
    """Each column, one row or all, also by replacing a row."""
    copy = copied(original.ledger, tmp_path / "trial.db")
    with closing(sqlite3.connect(copy)) as connection:
        for column in COLUMNS:
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                connection.execute(f"UPDATE event SET {column} = {column} WHERE sequence = 3")
        with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
            connection.execute("DELETE FROM event WHERE sequence = 3")
        with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
            connection.execute("DELETE FROM event")
        connection.rollback()
    assert read_events(copy) == original.events


@pytest.mark.requirement("AUDIT-9")
def test_every_event_says_when_it_happened_and_when_it_was_recorded(
    original: Original, open_runs: tuple[Run, ...], blind_run: Run
) -> None:
    """When it happened with the site's offset, when it was recorded in UTC: later, and in order."""
    zones = {"FR": {1.0, 2.0}, "US": {-6.0, -5.0, -4.0}}
    for events in (original.events, *(read_events(run.folder / "trial.db") for run in (*open_runs, blind_run))):
        recorded = [datetime.fromisoformat(event.recorded_at) for event in events]
        assert recorded == sorted(recorded)
        for event, at in zip(events, recorded, strict=True):
            assert event.recorded_at.endswith("Z")
            happened = datetime.fromisoformat(event.happened_at)
            offset = happened.utcoffset()
            assert offset is not None
            assert happened <= at
            assert event.actor
            if event.site is not None:
                assert offset.total_seconds() / 3600.0 in zones[event.site[:2]]


@pytest.mark.requirement("AUDIT-9")
def test_what_a_person_says_of_the_time_is_kept_though_it_is_entered_late(open_desk: Callable[..., Desk]) -> None:
    """Long after, at another clock."""
    trial = open_desk()
    trial.randomised()
    entered = trial.clock.now() + timedelta(days=6)
    trial.clock.move_to(entered)
    trial.seen("FR-1-001", "day 4", 4, alc=700.0, platelets=90_000.0, inr=1.1)
    trial.conduct.ledger.commit()
    event = next(event for event in read_events(trial.ledger) if event.type == "VisitHeld")
    assert datetime.fromisoformat(event.happened_at) == AT + timedelta(days=3)
    assert datetime.fromisoformat(event.recorded_at) == entered


def reported(grade: int = 2) -> AdverseEventReported:
    """An adverse event."""
    return AdverseEventReported(
        number=1, term="Fever", system="General", grade=grade, is_serious=False, relation="possible",
        began_at="2016-05-03T09:00+02:00", hours_after_dose=2.0, outcome="recovered",
    )  # fmt: skip


def held(visit: str = "day 4") -> VisitHeld:
    """A visit without results."""
    return VisitHeld(visit=visit, study_day=4, results={})


def after_consent(trial: Desk) -> None:
    """Consented, not randomised."""
    trial.consented()


def after_randomisation(trial: Desk) -> None:
    """Randomised, no dose yet."""
    trial.randomised()


def after(*said: Payload) -> Callable[[Desk], None]:
    """Randomised, and then this."""

    def made(trial: Desk) -> None:
        trial.randomised()
        for one in said:
            trial.conduct.record("FR-1-001", one, "investigator", AT + timedelta(days=3))

    return made


def records(said: Payload) -> Callable[[Desk], object]:
    """Recording this."""
    return lambda trial: trial.conduct.record("FR-1-001", said, "nurse", AT + timedelta(days=3))


def prepares(day: int) -> Callable[[Desk], object]:
    """Preparing a dose."""
    return lambda trial: prepare_dose(trial.conduct, "FR-1-001", day, AT)


OUT_OF_ORDER: dict[str, tuple[Callable[[Desk], object], Callable[[Desk], object]]] = {
    "consent before screening": (lambda _t: None, records(ConsentGiven(by="patient"))),
    "second screening": (after_consent, lambda t: screen_candidate(t.conduct, "FR-1-001", "FR-1", screening(AT))),
    "second consent": (after_consent, records(ConsentGiven(by="patient"))),
    "visit before consent": (lambda t: t.screened(), records(held())),
    "visit of nobody": (lambda _t: None, records(held())),
    "kit before randomisation": (after_consent, prepares(1)),
    "dose before randomisation": (
        after_consent, records(DoseGiven(study_day=1, kit="1", volume_ml=0.3, route="IM"))
    ),
    "dose without a kit": (
        after_randomisation, records(DoseGiven(study_day=1, kit="1", volume_ml=0.3, route="IM"))
    ),
    "adverse event before randomisation": (after_consent, records(reported())),
    "second randomisation": (after_randomisation, lambda t: randomise_subject(t.conduct, "FR-1-001", AT)),
    "consent after randomisation": (after_randomisation, records(ConsentGiven(by="patient"))),
    "double visit": (after(held()), records(held())),
    "visit held and then missed": (after(held()), records(VisitMissed(visit="day 4", reason="x"))),
    "visit missed and then held": (after(VisitMissed(visit="day 4", reason="x")), records(held())),
    "double dose": (lambda t: (t.randomised(), t.dosed("FR-1-001", 1)), lambda t: t.dosed("FR-1-001", 1)),
    "second kit for a day": (lambda t: (t.randomised(), prepares(1)(t)), prepares(1)),
    "kit after dosing was stopped": (after(DosingStopped(reason="x")), prepares(1)),
    "visit after death": (after(Died(cause="x")), records(held())),
    "missed visit after death": (after(Died(cause="x")), records(VisitMissed(visit="day 4", reason="x"))),
    "kit after death": (after(Died(cause="x")), prepares(1)),
    "second death": (after(Died(cause="x")), records(Died(cause="x"))),
    "end of follow-up after death": (after(Died(cause="x")), records(FollowUpCompleted())),
    "infection after death": (after(Died(cause="x")), records(SecondaryInfection(site="x", began_at="2016-05-03"))),
    "visit after withdrawal": (after(ConsentWithdrawn()), records(held())),
    "adverse event after withdrawal": (after(ConsentWithdrawn()), records(reported())),
    "visit after loss to follow-up": (after(LostToFollowUp()), records(held())),
    "visit after the end of follow-up": (after(FollowUpCompleted()), records(held())),
    "death after the end of follow-up": (after(FollowUpCompleted()), records(Died(cause="x"))),
    "lock while somebody is in the trial": (after_randomisation, lambda t: lock_database(t.conduct, AT)),
    "unblinding before lock": (after(Died(cause="x")), lambda t: unblind_trial(t.conduct, {}, {}, "", "", AT)),
}  # fmt: skip


@pytest.mark.parametrize("what", OUT_OF_ORDER)
@pytest.mark.requirement("AUDIT-10")
def test_a_step_out_of_order_is_refused_and_leaves_no_trace(open_desk: Callable[..., Desk], what: str) -> None:
    """Nothing is appended, and the ledger stays whole."""
    before, step = OUT_OF_ORDER[what]
    trial = open_desk()
    before(trial)
    n = trial.conduct.ledger.commit().count
    with pytest.raises(OutOfOrder):
        step(trial)
    assert trial.conduct.ledger.commit().count == n
    trial.conduct.ledger.close()
    assert verify(trial.ledger).is_whole


@pytest.mark.parametrize(
    "said",
    [
        Reconsented(), held("day 8"), VisitMissed(visit="day 8", reason="x"), reported(), Died(cause="x"),
        LeftHospital(), DosingStopped(reason="x"), ConsentWithdrawn(), FollowUpCompleted(),
    ],
    ids=lambda said: type(said).__name__,
)  # fmt: skip
@pytest.mark.requirement("AUDIT-11")
def test_nothing_is_recorded_of_a_subject_after_the_lock(open_desk: Callable[..., Desk], said: Payload) -> None:
    """Neither of one who was in the trial nor of one who was only screened."""
    trial = open_desk()
    trial.randomised()
    trial.consented("FR-1-002")
    trial.locked()
    n = trial.conduct.ledger.commit().count
    for subject in ("FR-1-001", "FR-1-002"):
        with pytest.raises(OutOfOrder):
            trial.conduct.record(subject, said, "nurse", AT)
    with pytest.raises(OutOfOrder):
        randomise_subject(trial.conduct, "FR-1-002", AT)
    with pytest.raises(OutOfOrder):
        prepare_dose(trial.conduct, "FR-1-001", 1, AT)
    assert trial.conduct.ledger.commit().count == n


@pytest.mark.requirement("AUDIT-12")
def test_events_that_were_not_committed_are_gone_and_the_rest_is_whole(open_desk: Callable[..., Desk]) -> None:
    """A crash between two commits leaves what was committed, and says that it was running."""
    trial = open_desk()
    trial.randomised()
    committed = trial.conduct.ledger.commit()
    trial.dosed("FR-1-001", 1)
    trial.conduct.ledger.close()
    found = verify(trial.ledger, committed)
    assert found.is_whole
    assert found.state is LedgerState.RUNNING
    assert found.n_events == committed.count
    assert not any(event.type == "DoseGiven" for event in read_events(trial.ledger))


@pytest.mark.requirement("AUDIT-5")
def test_the_signature_covers_count_hash_and_state_and_nothing_less(original: Original) -> None:
    """Another of each gives another signature under the same key."""
    head = original.head
    assert signed(head.count, head.hash, KEY, head.state).signature == head.signature
    others = [
        signed(head.count - 1, head.hash, KEY, head.state),
        signed(head.count, "0" * 64, KEY, head.state),
        signed(head.count, head.hash, KEY, LedgerState.RUNNING),
        signed(head.count, head.hash, STRANGER, head.state),
    ]
    assert len({head.signature, *(one.signature for one in others)}) == 5
