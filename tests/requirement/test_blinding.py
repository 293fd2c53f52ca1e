"""Blinding: what may be seen before the unblinding, by whom, and what it says."""

import base64
import dataclasses
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, final

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from requirement.conftest import Run
from requirement.scripted import AT, SECRET, SUPPLY, Desk, Fate, World, acted, planned
from sevenfold.cli import main
from sevenfold.cohort.cohort import Missing
from sevenfold.cohort.from_record import from_record
from sevenfold.errors import AuditBroken, BlindBroken, OutOfOrder, SevenfoldError
from sevenfold.protocol.load import load
from sevenfold.record.data import data_of
from sevenfold.record.event import Event
from sevenfold.record.history import read_history
from sevenfold.record.payloads import Died, DosingStopped, VisitMissed
from sevenfold.record.reading import read_events
from sevenfold.record.tables import tables
from sevenfold.sealing import derived_key, open_sealed, seal
from sevenfold.trial.closing import lock_database, unblind_trial
from sevenfold.trial.dosing import prepare_dose
from sevenfold.trial.enrolling import randomise_subject
from sevenfold.trial.ports import Event as Happening
from sevenfold.vault.vault import Vault

ARM_IDS = ("high", "low", "placebo", "cyt107")
ARM_LABELS = ("twice a week", "weekly after a first week", "saline", "interleukin", "CYT107")
BETRAY = {
    "alc", "cd4", "cd8", "b_cells", "nk_cells", "ki67_cd4", "ki67_cd8", "hladr_tcell", "cd127_cd4", "il7",
    "anti_drug_antibodies",
}  # fmt: skip
ULN = 3859.0  # of lymphocytes, as both protocols print it
LIMIT = 2.5 * ULN  # dosing stops above it


def told(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys too, but no sealed one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            if key != "sealed":
                yield from told(item)
    elif isinstance(value, list):
        for item in value:
            yield from told(item)
    elif isinstance(value, str):
        yield value


def betrayals(text: str) -> list[str]:
    """Words of a text that name an arm or a product."""
    words = set(re.findall(r"[a-z0-9]+", text.lower()))
    return [arm for arm in ARM_IDS if arm in words] + [label for label in ARM_LABELS if label.lower() in text.lower()]


@pytest.mark.parametrize("name", ["iris-7", "iris-7c"])
@pytest.mark.requirement("BLIND-1")
def test_everything_that_betrays_the_arm_is_on_the_protocol_s_list(name: str) -> None:
    """Counts, subsets, activation and IL-7 after randomisation; compared with a list made by hand."""
    protocol = load(name).protocol
    asked = {assessment for visit in protocol.schedule.visits for assessment in visit.assessments}
    assert set(protocol.masking.assessments) == asked & BETRAY
    assert {"alc", "cd4", "cd8", "ki67_cd4", "il7"} <= asked & BETRAY


@pytest.mark.requirement("BLIND-2")
def test_no_file_of_a_blinded_run_names_an_arm_or_a_product(blind_run: Run) -> None:
    """But for the protocol, which says what the arms are and not who is in them, and the vault."""
    assert blind_run.code == 0
    texts = [word for event in blind_run.events for word in told(event)]
    texts.append((blind_run.folder / "run.json").read_text(encoding="utf-8"))
    texts.append(blind_run.printed)
    texts += [file.read_text(encoding="utf-8") for file in sorted((blind_run.folder / "data").glob("*.csv"))]
    assert len(texts) > 1000
    assert [found for text in texts for found in betrayals(text)] == []
    names = {path.name for path in blind_run.folder.iterdir()}
    assert names == {"data", "events.jsonl", "protocol.yaml", "run.json", "trial.db", "vault.db"}


@pytest.mark.requirement("BLIND-2")
def test_no_table_of_a_blinded_run_has_a_column_for_the_arm(blind_run: Run, open_runs: tuple[Run, ...]) -> None:
    """Neither as text nor as Parquet; after unblinding every table of subjects has one."""
    for file in sorted((blind_run.folder / "data").glob("*.parquet")):
        blind, shown = pl.read_parquet(file), pl.read_parquet(open_runs[0].folder / "data" / file.name)
        assert "arm" not in blind.columns
        assert set(shown.columns) - set(blind.columns) == {"arm"}
        words = [w for c in blind.columns if blind[c].dtype == pl.String for w in blind[c].drop_nulls().to_list()]
        assert [found for word in words for found in betrayals(word)] == []


@pytest.mark.requirement("BLIND-2")
def test_no_byte_of_a_blinded_ledger_names_an_arm_free_pages_included(
    blind_run: Run, open_runs: tuple[Run, ...]
) -> None:
    """Searched in the raw file; the same search finds all of them in the unblinded ledger."""
    raw, shown = ((run.folder / "trial.db").read_bytes() for run in (blind_run, open_runs[0]))
    for word in (b"cyt107", b"CYT107", b'"placebo"', b'"high"', b'"low"', b"saline", b"twice a week", b"results_key"):
        assert word not in raw
    for word in (b'"placebo"', b'"high"', b'"low"', b"results_key"):
        assert word in shown
    assert not list(blind_run.folder.glob("trial.db-*"))


@pytest.mark.requirement("BLIND-3")
def test_unblinding_adds_one_event_and_changes_nothing_before_it(blind_run: Run, opened_run: Run) -> None:
    """The same trial before and after unblinding: everything up to the lock is the same to the byte."""
    assert opened_run.code == 0, opened_run.printed
    blind, shown = (
        (run.folder / "events.jsonl").read_text(encoding="utf-8").splitlines() for run in (blind_run, opened_run)
    )
    assert shown[:-1] == blind
    assert json.loads(blind[-1])["type"] == "DatabaseLocked"
    assert json.loads(shown[-1])["type"] == "Unblinded"


@pytest.mark.requirement("BLIND-3")
def test_no_key_that_unblinding_reveals_lies_anywhere_before(blind_run: Run, opened_run: Run) -> None:
    """Neither in hexadecimal nor in bytes, in any file, the vault's included."""
    said = opened_run.events[-1]["payload"]
    files = [path for path in blind_run.folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    for secret in (said["results_key"], said["commitment_nonce"]):
        for path in files:
            raw = path.read_bytes()
            assert secret.encode() not in raw
            assert bytes.fromhex(secret) not in raw


@pytest.mark.requirement("BLIND-14")
def test_nothing_in_a_blinded_run_s_folder_opens_it(blind_run: Run, opened_run: Run) -> None:
    """Neither the seed nor any file's bytes give the vault's key, tried as what every secret is derived from."""
    key = bytes.fromhex(opened_run.events[-1]["payload"]["results_key"])
    about = (blind_run.folder / "run.json").read_text(encoding="utf-8")
    guesses = [str(blind_run.seed).encode(), blind_run.seed.to_bytes(8, "big"), b""]
    guesses += [word.encode() for word in re.findall(r"[0-9A-Za-z]+", about)]
    guesses += [bytes.fromhex(word) for word in re.findall(r"\b[0-9a-f]{64}\b", about)]
    assert len(guesses) > 100
    for guess in guesses:
        root = derived_key(guess, "rehearsal: vault", 32)
        assert derived_key(root, "masked results") != key
        assert derived_key(guess, "masked results") != key


@pytest.mark.requirement("BLIND-4")
def test_no_masked_result_is_readable_after_randomisation(blind_run: Run) -> None:
    """In the events none stands in clear once a subject is randomised; in the tables none but at baseline."""
    randomised: set[str] = set()
    n_before, n_after, n_sealed = 0, 0, 0
    for event in blind_run.events:
        if event["type"] == "Randomised":
            randomised.add(event["subject"])
        if event["type"] == "VisitHeld":
            clear = BETRAY & set(event["payload"]["results"])
            if event["subject"] in randomised:
                assert not clear, event["sequence"]
                n_after += 1
            else:
                n_before += len(clear)
        if event["type"] in ("MaskedResults", "SafetyReviewed"):
            assert set(event["payload"]) <= {"visit", "study_day", "sealed"}
            n_sealed += 1
    assert n_before > 0
    assert n_sealed >= n_after > 0
    rows = blind_run.table("labs")
    assert {row["visit"] for row in rows if row["test"] in BETRAY} == {"day 1"}
    assert {row["was_sealed"] for row in rows} == {"false"}


@pytest.mark.requirement("BLIND-4")
def test_the_cohort_of_a_blinded_run_has_no_arm_and_says_that_results_are_sealed(blind_run: Run) -> None:
    """Whoever asks for the comparison is refused, and a sealed value is not taken for a missing one."""
    protocol = load("iris-7").protocol
    history = read_history(read_events(blind_run.folder / "trial.db"))
    cohort = from_record(history, protocol)
    with pytest.raises(BlindBroken, match="blind"):
        cohort.revealed()
    why = cohort.why_missing("alc", "day 29")[0]
    assert Missing.SEALED in why
    assert Missing.PRESENT not in why
    assert not any("arm" in row for rows in tables(history, protocol).values() for row in rows)


@pytest.mark.requirement("BLIND-5")
def test_sealed_texts_all_have_one_length(blind_run: Run) -> None:
    """Whether many results were sealed or none, whether a review stops dosing or not."""
    lengths = {
        len(event["payload"]["sealed"])
        for event in blind_run.events
        if event["type"] in ("MaskedResults", "SafetyReviewed")
    }
    assert len(lengths) == 1
    key = derived_key(SECRET, "test")
    values: list[object] = [{}, {"withhold": True, "rules": ["x" * 900]}, {"alc": 1.5}, [1] * 1000, None]
    assert {len(seal(key, "results S visit", value)) for value in values} == lengths


@settings(max_examples=40, deadline=None)
@given(place=st.text(max_size=20), other=st.text(max_size=20), byte=st.integers(0, 4111), bit=st.integers(0, 7))
@pytest.mark.requirement("BLIND-5")
def test_a_sealed_text_opens_under_no_other_key_nowhere_else_and_not_with_one_bit_changed(
    place: str, other: str, byte: int, bit: int
) -> None:
    """Of its 4112 bytes, any."""
    key, another = derived_key(SECRET, "one"), derived_key(SECRET, "another")
    sealed = seal(key, place, {"alc": 9876})
    assert open_sealed(key, place, sealed) == {"alc": 9876}
    with pytest.raises(AuditBroken):
        open_sealed(another, place, sealed)
    if other != place:
        with pytest.raises(AuditBroken):
            open_sealed(key, other, sealed)
    raw = bytearray(base64.b64decode(sealed))
    raw[byte % len(raw)] ^= 1 << bit
    for altered in (bytes(raw), bytes(raw[:-1]), bytes(raw[1:]), b""):
        with pytest.raises(AuditBroken):
            open_sealed(key, place, base64.b64encode(altered).decode())


@pytest.mark.requirement("BLIND-5")
def test_equal_results_of_two_subjects_or_visits_do_not_look_alike(tmp_path: Path) -> None:
    """Else a reader could sort subjects by their sealed texts."""
    vault = Vault.create(tmp_path / "vault.db", SUPPLY["iris-7"], SECRET)
    texts = {vault.seal(f"results {who} {visit}", {"alc": 700}) for who in ("S-1", "S-2") for visit in ("a", "b")}
    assert len(texts) == 4
    assert vault.open("results S-1 a", vault.seal("results S-1 a", {"alc": 700})) == {"alc": 700}


SENTINELS = {"alc": 1234.56789, "cd4": 234.56781, "ki67_cd4": 34.567812, "il7": 4.5678123, "platelets": 156789.125}


@pytest.mark.requirement("BLIND-4")
def test_a_masked_value_that_occurs_nowhere_else_is_found_in_no_file(open_desk: Callable[..., Desk]) -> None:
    """Searched as text in the raw files, the write-ahead log included; an open value is found by the same search."""
    trial = open_desk(3)
    folder = trial.ledger.parent
    trial.randomised()
    trial.conduct.ledger.commit()
    with closing(sqlite3.connect(trial.ledger)) as reader:  # as long as it reads, the log is not merged
        assert reader.execute("SELECT count(*) FROM event").fetchone()[0] > 3
        for visit, day in (("day 4", 4), ("day 8", 8), ("day 11", 11)):
            trial.seen("FR-1-001", visit, day, **SENTINELS)
            trial.conduct.ledger.commit()
            trial.vault.persist()
        assert (folder / "trial.db-wal").stat().st_size > 0
        logged = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    trial.locked()
    trial.closed()
    merged = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    for name, value in SENTINELS.items():
        for raw in (logged, merged):
            assert (str(value).encode() in raw) is (name == "platelets"), name


@pytest.mark.requirement("BLIND-4")
def test_masked_results_are_all_there_after_unblinding(tmp_path: Path) -> None:
    """Sealing loses nothing: each value comes out as it went in, at the visit at which it was measured."""
    visits = {visit.id: set(visit.assessments) for visit in load("iris-7").protocol.schedule.visits if visit.day > 1}
    marked = Fate(values={(visit, name): value for visit in visits for name, value in SENTINELS.items()})
    supply = dataclasses.replace(SUPPLY["iris-7"], n_planned=3)
    world = acted(planned("iris-7", 3), tmp_path, supply, lambda _k: marked)
    world.unblind()
    rows = tables(read_history(read_events(world.ledger)), world.file.protocol)["labs"]
    for name in ("alc", "cd4", "ki67_cd4", "il7"):
        found = [row for row in rows if row["test"] == name and row["visit"] in visits]
        assert len(found) == 3 * sum(name in asked for asked in visits.values())
        assert {row["value"] for row in found} == {SENTINELS[name]}
        assert all(row["was_sealed"] for row in found)


@final
@dataclass(frozen=True, slots=True)
class Seen:
    """An event but for the hashes that chain it."""

    envelope: tuple[object, ...]
    payload: dict[str, Any]


def seen(event: Event) -> Seen:
    """What of an event does not chain from another one."""
    fields = ("sequence", "type", "schema_version", "subject", "site", "actor", "happened_at", "recorded_at")
    return Seen(tuple(getattr(event, name) for name in fields), json.loads(event.payload))


def of_kits(world: World) -> list[tuple[str, int, str, str]]:
    """(subject, day, kit, product) of every dose."""
    return [(*given, world.vault.contents(given[2])) for given in world.nature.kits]


def fateful(k: int) -> Fate:
    """Some die, leave, withdraw or stop, some have counts above the limit, whichever arm they are in."""
    happenings = {
        1: (Happening(time_day=9.4, kind="death", detail={"cause": "septic shock"}),),
        2: (Happening(time_day=6.2, kind="left icu"), Happening(time_day=12.7, kind="left hospital")),
        3: (Happening(time_day=16.1, kind="withdrawn"),),
        4: (Happening(time_day=10.1, kind="stopped dosing", detail={"reason": "adverse event"}),),
    }
    high = {("day 8", "alc"): LIMIT + 100.0, ("day 15", "alc"): LIMIT + 1.0} if k % 3 == 0 else {}
    return Fate(events=happenings.get(k % 6, ()), values=high)


@pytest.mark.parametrize(
    ("name", "turned"),
    [
        ("iris-7", {"placebo": "high", "high": "placebo"}),
        ("iris-7", {"placebo": "low", "low": "placebo"}),
        ("iris-7", {"low": "high", "high": "low"}),
        ("iris-7c", {"placebo": "cyt107", "cyt107": "placebo"}),
    ],
)
@pytest.mark.requirement("BLIND-6")
def test_two_worlds_with_the_arms_exchanged_have_the_same_ledger(
    tmp_path: Path, name: str, turned: dict[str, str]
) -> None:
    """Nature answers the same and knows no arm. All that differs is the commitment, and the hashes chained from it:
    every other byte, number of events, order, time, kit and sealed text is the same.
    """
    n = 10
    supply = dataclasses.replace(SUPPLY[name], n_planned=n)
    other = dataclasses.replace(supply, ratio=tuple(turned.get(arm, arm) for arm in supply.ratio))
    worlds = [acted(planned(name, n), tmp_path / side, s, fateful) for side, s in (("a", supply), ("b", other))]
    events = [read_events(world.ledger) for world in worlds]
    assert len(events[0]) == len(events[1])
    for a, b in zip(*events, strict=True):
        one, two = seen(a), seen(b)
        assert one.envelope == two.envelope
        if a.sequence == 1:
            assert one.payload.pop("allocation_commitment") != two.payload.pop("allocation_commitment")
            assert one.payload == two.payload
        elif a.type == "Signed":  # over hashes, which are chained from the commitment
            assert one.payload.pop("digest") != two.payload.pop("digest")
            assert one.payload == two.payload
        else:
            assert a.payload == b.payload, (a.sequence, a.type)
        assert a.hash != b.hash
    for side in events:  # a digest is that of what its own world shows, and of nothing else
        for subject in {event.subject for event in side if event.type == "Signed"}:
            (signature,) = data_of([event for event in side if event.subject == subject]).signatures
            assert not signature.is_void
    kits = [of_kits(world) for world in worlds]
    assert [given[:3] for given in kits[0]] == [given[:3] for given in kits[1]]
    assert kits[0] != kits[1], "the arms were not exchanged: nothing would be shown"
    assert sum(a != b for a, b in zip(*kits, strict=True)) > 2
    for world in worlds:
        world.unblind()
    arms = [json.loads(read_events(world.ledger)[-1].payload)["assignments"] for world in worlds]
    assert {subject: turned.get(arm, arm) for subject, arm in arms[0].items()} == arms[1]


def in_arm(trial: Desk, arm: str) -> str:
    """A subject who is in an arm, found by going through the list."""
    for k in range(1, 28):
        subject = trial.randomised(f"FR-1-{k:03d}")
        number = str(trial.conduct.standings[subject].number)
        if trial.vault.reveal(is_locked=True).assignments[number] == arm:
            return subject
    raise AssertionError(f"nobody in {arm}")


@pytest.mark.parametrize(("count", "is_stopped"), [(LIMIT, False), (LIMIT + 1.0, True), (900.0, False)])
@pytest.mark.requirement("BLIND-7")
def test_a_count_above_the_limit_puts_placebo_into_the_kit_and_leaves_no_trace(
    open_desk: Callable[..., Desk], count: float, is_stopped: bool
) -> None:
    """Above 2.5 x ULN, not at it. For good, though the count comes down again. Beside it the same subject with a low
    count: all that can be seen is the same but for the sealed texts.
    """
    ledgers, products, kits = [], [], []
    for alc in (count, 800.0):
        trial = open_desk(27)
        subject = in_arm(trial, "high")
        given = [trial.dosed(subject, 1)]
        trial.seen(subject, "day 4", 4, alc=alc, il7=0.5, platelets=90_000.0, inr=1.1)
        given.append(trial.dosed(subject, 4))
        trial.seen(subject, "day 8", 8, alc=800.0, platelets=90_000.0, inr=1.1)
        given += [trial.dosed(subject, 8), trial.dosed(subject, 11)]
        products.append([trial.vault.contents(kit) for kit in given])
        kits.append(given)
        trial.conduct.ledger.commit()
        ledgers.append([seen(event) for event in read_events(trial.ledger)])
        trial.conduct.ledger.close()
    assert products[0] == ["cyt107", *["placebo" if is_stopped else "cyt107"] * 3]
    assert products[1] == ["cyt107"] * 4
    assert kits[0] == kits[1]
    n_sealed = 0
    for a, b in zip(*ledgers, strict=True):
        assert a.envelope == b.envelope
        sealed = a.payload.pop("sealed", ""), b.payload.pop("sealed", "")
        assert a.payload == b.payload
        assert len(sealed[0]) == len(sealed[1])
        n_sealed += bool(sealed[0])
    assert n_sealed == 4


@pytest.mark.requirement("BLIND-7")
def test_a_stop_on_placebo_looks_like_any_other_and_changes_nothing(open_desk: Callable[..., Desk]) -> None:
    """A count can be high for another reason; what was placebo stays placebo."""
    trial = open_desk(27)
    subject = in_arm(trial, "placebo")
    given = [trial.dosed(subject, 1)]
    trial.seen(subject, "day 4", 4, alc=12_000.0, platelets=90_000.0, inr=1.1)
    given.append(trial.dosed(subject, 4))
    assert [trial.vault.contents(kit) for kit in given] == ["placebo", "placebo"]


@pytest.mark.requirement("BLIND-8")
def test_nothing_is_revealed_before_the_database_is_locked(open_desk: Callable[..., Desk]) -> None:
    """The vault refuses, and so does the record; the ledger stays without an arm."""
    trial = open_desk()
    trial.randomised()
    with pytest.raises(BlindBroken, match="lock"):
        trial.vault.reveal(is_locked=trial.conduct.is_locked)
    with pytest.raises(OutOfOrder, match="lock"):
        unblind_trial(trial.conduct, {"A-001": "high"}, {"France": ["high"]}, "00", "00", AT)
    with pytest.raises(OutOfOrder, match="still in the trial"):
        lock_database(trial.conduct, AT)
    assert not trial.conduct.is_locked
    trial.conduct.ledger.commit()
    assert {event.type for event in read_events(trial.ledger)} & {"Unblinded", "DatabaseLocked"} == set()
    trial.locked()
    assert trial.vault.reveal(is_locked=trial.conduct.is_locked).assignments.keys() == {"A-001"}


def refusals(trial: Desk) -> Iterator[Callable[[], object]]:
    """Steps that are refused, of a subject who is randomised and dosed."""
    conduct, vault = trial.conduct, trial.vault
    yield lambda: randomise_subject(conduct, "FR-1-001", AT)
    yield lambda: prepare_dose(conduct, "FR-1-001", 1, AT)
    yield lambda: conduct.record("FR-1-001", VisitMissed(visit="day 4", reason="x"), "nurse", AT)
    yield lambda: lock_database(conduct, AT)
    yield lambda: unblind_trial(conduct, {}, {}, "", "", AT)
    yield lambda: vault.reveal(is_locked=False)
    yield lambda: vault.allocate("Spain")
    yield lambda: vault.open("results FR-1-001 day 4", "AAAA")
    yield lambda: vault.seal("results FR-1-001 day 4", "placebo high cyt107" * 400)
    yield lambda: Vault.create(vault.path, vault.supply, SECRET)
    yield lambda: conduct.record("FR-1-002", Died(cause="x"), "nurse", AT)
    yield lambda: [vault.allocate("France") for _ in range(9)]


@pytest.mark.requirement("BLIND-9")
def test_no_error_text_shows_an_arm_a_product_or_a_masked_value(open_desk: Callable[..., Desk]) -> None:
    """Every kind of refusal, with whatever it was caused by."""
    trial = open_desk(4)
    trial.randomised()
    trial.dosed("FR-1-001", 1)
    trial.seen("FR-1-001", "day 4", 4, alc=9876.5, platelets=90_000.0, inr=1.1)
    texts = []
    for step in refusals(trial):
        with pytest.raises(SevenfoldError) as refused:
            step()
        error: BaseException | None = refused.value
        while error is not None:
            texts.append(f"{error} {error.args}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert len(texts) >= 12
    for text in texts:
        assert betrayals(text) == []
        assert "9876" not in text


@pytest.mark.requirement("BLIND-9")
def test_the_vault_shows_no_list_key_or_content_when_it_is_printed(open_desk: Callable[..., Desk]) -> None:
    """As a debugger or a log would print it: nothing changes as places and kits are handed out."""
    trial = open_desk(4)
    before = repr(trial.vault)
    trial.randomised()
    kit = trial.dosed("FR-1-001", 1)
    assert repr(trial.vault) == before
    assert kit not in before
    assert SECRET.hex() not in before
    assert repr(SECRET) not in before
    revealed = trial.vault.reveal(is_locked=True)
    assert str(list(revealed.allocation_list["France"])) not in before
    assert revealed.results_key not in before


@pytest.mark.requirement("BLIND-9")
def test_verifying_a_blinded_ledger_prints_no_arm(blind_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does verifying one that is broken."""
    assert main(["verify", str(blind_run.folder / "trial.db")]) == 0
    printed = capsys.readouterr()
    assert betrayals(printed.out + printed.err + blind_run.printed) == []


@pytest.mark.requirement("BLIND-10")
def test_the_vault_s_file_tells_nothing_without_its_key(open_desk: Callable[..., Desk]) -> None:
    """No arm, product, kit or randomisation number in its bytes; all rows have one length; and two vaults whose arms
    are exchanged have files of the same shape.
    """
    trial = open_desk(9)
    given = []
    for k in range(1, 5):
        subject = trial.randomised(f"FR-1-{k:03d}")
        given.append(trial.dosed(subject, 1))
    trial.vault.persist()
    raw = trial.vault.path.read_bytes()
    for word in ("cyt107", "placebo", '"high"', '"low"', "A-001", "France", *given):
        assert word.encode() not in raw
    with closing(sqlite3.connect(trial.vault.path)) as connection:
        rows = connection.execute("SELECT name, text FROM sealed").fetchall()
    assert len({len(text) for _, text in rows}) == 1
    assert all(betrayals(name) == [] for name, _ in rows)


@pytest.mark.requirement("BLIND-11")
def test_dose_volume_route_and_day_are_the_same_in_every_arm(open_desk: Callable[..., Desk]) -> None:
    """Also where the route changes for a bleeding tendency: the rule reads open results only."""
    shown = {}
    for arm in ("high", "low", "placebo"):
        trial = open_desk(27)
        subject = in_arm(trial, arm)
        trial.dosed(subject, 1)
        trial.seen(subject, "day 4", 4, alc=700.0, platelets=30_000.0, inr=1.1)
        trial.dosed(subject, 4)
        trial.seen(subject, "day 8", 8, alc=700.0, platelets=35_000.0, inr=2.5)
        trial.dosed(subject, 8)
        trial.seen(subject, "day 11", 11, alc=700.0, platelets=36_000.0, inr=2.6)
        trial.dosed(subject, 11)
        trial.conduct.ledger.commit()
        said = [json.loads(e.payload) for e in read_events(trial.ledger) if e.type == "DoseGiven"]
        shown[arm] = [(one["study_day"], one["volume_ml"], one["route"]) for one in said]
    assert shown["high"] == shown["low"] == shown["placebo"]
    # 10 µg/kg of 70 kg at 2 mg/mL; under the skin for platelets below 35,000 or an INR above 2.5
    assert shown["high"] == [(1, 0.35, "IM"), (4, 0.35, "SC"), (8, 0.35, "IM"), (11, 0.35, "SC")]


@pytest.mark.requirement("BLIND-11")
def test_a_masked_stop_lets_the_kits_go_on_and_an_open_stop_ends_them(open_desk: Callable[..., Desk]) -> None:
    """A site that saw the kits end would know that the count was high."""
    trial = open_desk(27)
    subject = in_arm(trial, "high")
    trial.seen(subject, "day 4", 4, alc=12_000.0, platelets=90_000.0, inr=1.1)
    for day in (4, 8, 11, 15):
        assert trial.dosed(subject, day)
    at = AT + timedelta(days=16)
    trial.conduct.record(subject, DosingStopped(reason="adverse event"), "investigator", at)
    with pytest.raises(OutOfOrder, match="stopped"):
        prepare_dose(trial.conduct, subject, 18, at)
