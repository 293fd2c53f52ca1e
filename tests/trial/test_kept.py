"""Where everything stood, kept beside the ledger: a start from there is a start from the first event."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsals import Rehearsed, rehearsed, with_planned
from sevenfold.clock import SystemClock
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import load
from sevenfold.record.event import Draft, Event
from sevenfold.record.head import SigningKey
from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import Corrected, DatabaseLocked, Payload, VisitHeld, read_payload
from sevenfold.record.reading import read_events
from sevenfold.trial import kept as kept_module
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.followed import Followed
from sevenfold.trial.kept import Kept, read_kept, write_kept

KEY = SigningKey(bytes(32))


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """A rehearsed trial with holds, withdrawals and deaths in it."""
    return rehearsed(with_planned(load("iris-7"), 6), tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def events(trial: Rehearsed) -> list[Event]:
    """Up to the lock."""
    return [
        event for event in read_events(trial.folder / "trial.db") if event.type not in ("DatabaseLocked", "Unblinded")
    ]


def told_again(events: list[Event], ledger: Ledger) -> None:
    """Append the same once more."""
    for event in events:
        ledger.append(Draft(**{one.name: getattr(event, one.name) for one in dataclasses.fields(Draft)}))
    ledger.commit()


def new_ledger() -> Ledger:
    """An empty one."""
    return Ledger.create(Path(mkdtemp()) / "trial.db", SystemClock(), KEY)


def resumed(trial: Rehearsed, ledger: Ledger, kept: Kept | None = None) -> Followed:
    """Where everything stands, as a start finds it."""
    return Conduct.resumed(trial.file, ledger, trial.staged.conduct.allocator, kept).followed


def put_right(event: Event, n: int) -> Draft:
    """A correction of the first result of a visit."""
    said = read_payload(event)
    assert isinstance(said, VisitHeld)
    name, result = next(iter(said.results.items()))
    before = result.model_dump(mode="json")
    correction = Corrected(
        of=event.sequence, field=f"results.{name}", before=before, after={**before, "value": result.value + n},
        reason="misread",
    )  # fmt: skip
    return Draft(
        type="Corrected", schema_version=Corrected.schema_version, subject=event.subject, site=event.site,
        actor="investigator", happened_at=event.happened_at, payload=correction.canonical(),
    )  # fmt: skip


def replace_payload(event: Event, said: Payload) -> Draft:
    """The trial says something as late as an event."""
    return Draft(
        type=type(said).__name__, schema_version=said.schema_version, subject=None, site=None, actor="data manager",
        happened_at=event.happened_at, payload=said.canonical(),
    )  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_start_from_what_was_kept_is_a_start_from_the_first_event(
    trial: Rehearsed, events: list[Event], data: st.DataObject
) -> None:
    """Kept behind any event, with more after it, corrections of what came before among them."""
    n = data.draw(st.integers(1, len(events)))
    ledger, path = new_ledger(), Path(mkdtemp()) / "standing"
    told_again(events[:n], ledger)
    write_kept(path, resumed(trial, ledger).kept(ledger, "protocol"), ledger)
    told_again(events[n:], ledger)
    held = [event for event in events if event.type == "VisitHeld"]
    for k, event in enumerate(
        data.draw(st.lists(st.sampled_from(held), max_size=3, unique_by=lambda one: one.sequence))
    ):
        ledger.append(put_right(event, k + 1))
        ledger.commit()
    if data.draw(st.booleans()):
        lock = DatabaseLocked(n_subjects=6)
        ledger.append(replace_payload(events[-1], lock))
        ledger.commit()
    kept = read_kept(path, ledger, "protocol")
    assert kept.count == n
    quick, slow = resumed(trial, ledger, kept), resumed(trial, ledger)
    assert list(quick.standings.items()) == list(slow.standings.items())
    assert (quick.sites, quick.whole, quick.rates.met) == (slow.sites, slow.whole, slow.rates.met)
    assert quick.reviewer.withheld == slow.reviewer.withheld
    assert quick.corrections == slow.corrections
    assert quick.stock_in(ledger).lots == slow.stock_in(ledger).lots
    for subject, standing in slow.standings.items():
        for visit in standing.sealed_visits:
            assert quick.reviewer.sent(subject, visit) == slow.reviewer.sent(subject, visit) != {}
    assert quick.kept(ledger, "protocol") == slow.kept(ledger, "protocol")


def test_what_is_kept_tells_nothing_of_whose_product_is_withheld(trial: Rehearsed, events: list[Event]) -> None:
    """Whoever it is, the file has one length and differs in what is sealed alone; and it does differ."""
    ledger = new_ledger()
    told_again(events, ledger)
    followed, files = resumed(trial, ledger), []
    names = list(followed.standings)
    for withheld in ({}, {names[0]: True}, dict.fromkeys(names, False), {names[-1]: False}):
        followed.reviewer.goes_on(withheld, (), lambda _: ())
        kept = followed.kept(ledger, "protocol")
        assert kept.withheld(followed.allocator) == withheld
        write_kept(ledger.place.parent / "standing", kept, ledger)  # type: ignore[union-attr]
        files.append((dataclasses.replace(kept, sealed=[]), (ledger.place.parent / "standing").read_bytes()))  # type: ignore[union-attr]
    assert all(clear == files[0][0] for clear, _ in files)
    assert len({len(raw) for _, raw in files}) == 1
    assert len({raw.partition(b"\n")[2] for _, raw in files}) == 4


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing is there": lambda _: b"",
    "a letter": lambda raw: raw.replace(b'"is_eligible":true', b'"is_eligible":null', 1),
    "somebody's consent": lambda raw: raw.replace(b'"has_consented":false', b'"has_consented":true', 1),
    "the end": lambda raw: raw[:-1],
    "the signature": lambda raw: b"00" + raw[2:],
    "no signature": lambda raw: b"\n" + raw.partition(b"\n")[2],
    "no words": lambda raw: b"\xff\n" + raw.partition(b"\n")[2],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_was_altered_is_not_gone_on_from(
    trial: Rehearsed, events: list[Event], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    """Whatever was done to the file."""
    ledger, path = new_ledger(), tmp_path / "standing"
    told_again(events, ledger)
    write_kept(path, resumed(trial, ledger).kept(ledger, "protocol"), ledger)
    assert read_kept(path, ledger, "protocol").count == len(events)
    raw = path.read_bytes()
    assert damage(raw) != raw
    path.write_bytes(damage(raw))
    with pytest.raises(InvalidInput, match="does not bear this ledger's signature"):
        read_kept(path, ledger, "protocol")


def test_what_another_program_ledger_or_protocol_kept_is_not_gone_on_from(
    trial: Rehearsed, events: list[Event], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told by name; nor is what stands behind more events than there are."""
    ledger, path = new_ledger(), tmp_path / "standing"
    told_again(events, ledger)
    write_kept(path, resumed(trial, ledger).kept(ledger, "protocol"), ledger)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_kept(tmp_path / "nothing", ledger, "protocol")
    with pytest.raises(InvalidInput, match="of another protocol"):
        read_kept(path, ledger, "another")
    other, shorter = new_ledger(), new_ledger()
    told_again([dataclasses.replace(event, actor="another") for event in events], other)
    told_again(events[:-1], shorter)
    for one in (other, shorter):
        with pytest.raises(InvalidInput, match=f"another event {len(events)}"):
            read_kept(path, one, "protocol")
    monkeypatch.setattr(kept_module, "_program", lambda: "changed since")
    with pytest.raises(InvalidInput, match="another program"):
        read_kept(path, ledger, "protocol")


def test_a_write_that_fails_leaves_what_was_kept_before(
    trial: Rehearsed, events: list[Event], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one piece, or not at all; nothing half-written lies about."""
    ledger, path = new_ledger(), tmp_path / "standing"
    told_again(events[:200], ledger)
    write_kept(path, resumed(trial, ledger).kept(ledger, "protocol"), ledger)
    before = path.read_bytes()
    told_again(events[200:], ledger)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_kept(path, resumed(trial, ledger).kept(ledger, "protocol"), ledger)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_reading_that_fails_is_made_again_and_not_taken_for_all_there_is(
    trial: Rehearsed, events: list[Event], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the safety reviewer would lift a hold of which half was read."""
    ledger, path = new_ledger(), tmp_path / "standing"
    told_again(events, ledger)
    write_kept(path, resumed(trial, ledger).kept(ledger, "protocol"), ledger)
    quick, slow = resumed(trial, ledger, read_kept(path, ledger, "protocol")), resumed(trial, ledger)
    subject = next(name for name, one in slow.standings.items() if len(one.sealed_visits) > 1)
    visits, opens, calls = sorted(slow.standings[subject].sealed_visits), quick.allocator.open, iter(range(10**6))

    def broken(*said: str) -> object:
        if next(calls) == 1:
            raise OSError("the disk is gone")
        return opens(*said)

    quick.reviewer.allocator = SimpleNamespace(open=broken)
    with pytest.raises(OSError, match="disk"):
        quick.reviewer.sent(subject, visits[0])
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "events_of", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            quick.reviewer.sent(subject, visits[0])
    for visit in visits:
        assert quick.reviewer.sent(subject, visit) == slow.reviewer.sent(subject, visit) != {}


def test_a_program_whose_source_was_replaced_keeps_nothing(
    trial: Rehearsed, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has in memory folds otherwise than what lies there: the next start follows every event."""
    ledger = new_ledger()
    told_again(events, ledger)
    followed = resumed(trial, ledger)
    kept_module._program.cache_clear()
    monkeypatch.setattr(kept_module, "_STARTED_AT", 0.0)
    with pytest.raises(InvalidInput, match="was changed since this program was started"):
        followed.kept(ledger, "protocol")
