"""A trial in files and in PostgreSQL: served, left, served again, by one server, with nothing half done in between."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from served import SITE, Served, enrolled, serve_again, serve_new

from databases import Cluster
from sevenfold.edge.keys import key_beside
from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.record.payloads import Result
from sevenfold.record.reading import read_events
from sevenfold.record.verify import verify
from sevenfold.service import room as room_module
from sevenfold.service.opening import KEPT, opened, places_of
from sevenfold.service.role import Role
from sevenfold.trial.dosing import prepare_dose
from sevenfold.trial.visiting import receive_masked
from sevenfold.vault.vault import Vault


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> sa.URL | None:
    """Where ledger and people lie; None for files."""
    if request.param == "sqlite":
        return None
    found: Cluster = request.getfixturevalue("cluster")
    return found.new()


class Broken(Exception):
    """What comes between a step and its end."""


def withheld_of(served: Served) -> dict[str, bool]:
    """What the vault's file says of whose active product is withheld."""
    secret = served.room.vault._secret
    return dict(Vault.reopened(served.folder / "vault.db", secret)._withheld)


def test_a_trial_goes_on_where_it_stood(tmp_path: Path, database: sa.URL | None) -> None:
    """Subjects, people, sessions and the chain; in the folder lies no ledger where a database was named."""
    served = serve_new(tmp_path / "trial", database=database)
    first = enrolled(served, 2)
    events = list(served.room.conduct.ledger.events())
    nurse = served.as_a(Role.NURSE)
    served = serve_again(served)
    assert list(served.room.conduct.ledger.events())[: len(events)] == events
    cookie = nurse.client.cookies["sevenfold"]
    session = served.room.sessions.of(cookie, served.room.now_s())
    assert session is not None
    assert session.person.role is Role.NURSE
    second = enrolled(served, 1)
    numbers = [served.room.conduct.standings[name].number for name in (*first, *second)]
    assert len(set(numbers)) == 3
    assert verify(database or served.folder / "trial.db").is_whole
    names = {path.name for path in served.folder.iterdir()}
    assert {"vault.db", "protocol.yaml", "heads"} <= names
    assert ("trial.db" in names, "people.db" in names) == ((database is None),) * 2
    served.room.close()


def test_a_second_server_of_the_same_trial_is_refused(
    tmp_path: Path, database: sa.URL | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two would give the same place twice; when the first is gone the second may."""
    monkeypatch.setattr("sevenfold.record.postgresql._PATIENCE_S", 0.0)
    served = serve_new(tmp_path / "trial", database=database)
    with pytest.raises(InvalidInput, match="open for writing elsewhere"):
        opened(served.folder, key_beside(served.folder))
    serve_again(served).room.close()


@pytest.mark.parametrize("when", ["before the vault", "after the vault", "after the ledger"])
def test_a_step_that_breaks_anywhere_leaves_nothing_or_all(
    tmp_path: Path, database: sa.URL | None, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Place, kit and withholding go back into the vault; a commit whose answer was lost is believed to the database."""
    served = serve_new(tmp_path / "trial", database=database)
    (name,) = enrolled(served, 1)
    room, person = served.room, served.room.accounts.people()[0]
    number = str(room.conduct.standings[name].number)
    n = room.conduct.ledger.head.count
    commit = type(room.conduct.ledger).commit

    def broken(ledger: object, *state: object) -> None:
        if when == "after the ledger":
            commit(ledger, *state)  # type: ignore[arg-type]
        raise Broken

    def dispense() -> None:
        with room.step(person) as conduct:
            here = room.here_and_now(person, name)
            assert prepare_dose(conduct, name, 1, here) is not None
            conduct.allocator.withhold(number, until_further_notice=True, for_good=True)
            if when == "before the vault":
                raise Broken

    with monkeypatch.context() as patched:
        patched.setattr(type(room.conduct.ledger), "commit", broken)
        with pytest.raises(Broken):
            dispense()
    kept = when == "after the ledger"
    assert room.conduct.ledger.head.count == n + kept
    assert bool(room.conduct.standings[name].dispensed) == kept
    assert withheld_of(served) == {}
    again = serve_again(served)
    assert bool(again.room.conduct.standings[name].dispensed) == kept
    assert len(again.room.vault._contents) == kept
    assert verify(database or served.folder / "trial.db").is_whole
    again.room.close()


def test_what_was_decided_behind_the_blind_is_rebuilt_from_the_ledger(
    tmp_path: Path, database: sa.URL | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A review that was not recorded withholds nothing, one that was does so after any number of starts."""
    served = serve_new(tmp_path / "trial", database=database)
    names = enrolled(served, 2)
    room, person = served.room, served.room.accounts.people()[0]
    high = {"alc": Result(value=20_000.0, unit="cells/µL")}
    numbers = [str(room.conduct.standings[name].number) for name in names]

    def review(name: str) -> None:
        with room.step(person) as conduct:
            receive_masked(conduct, name, "day 4", high, room.here_and_now(person, name))

    for name in names:  # masked results belong behind the first dose's day
        room.conduct.standings[name].day_one_at = room.here_and_now(person, name)
    monkeypatch.setattr("sevenfold.trial.visiting.check_visit", lambda *_: None)
    review(names[0])
    assert withheld_of(served).keys() == {numbers[0]}
    with monkeypatch.context() as patched:
        patched.setattr(type(room.conduct.ledger), "commit", lambda *_: (_ for _ in ()).throw(Broken))
        with pytest.raises(Broken):
            review(names[1])
    assert withheld_of(served).keys() == {numbers[0]}
    room.vault.withhold(numbers[1], until_further_notice=True, for_good=False)
    room.vault.persist()
    assert withheld_of(served).keys() == set(numbers)
    again = serve_again(served)
    assert withheld_of(again).keys() == {numbers[0]}
    again.room.close()


def test_a_vault_older_than_the_ledger_is_refused(tmp_path: Path, database: sa.URL | None) -> None:
    """It would give out again what was given out."""
    served = serve_new(tmp_path / "trial", database=database)
    enrolled(served, 1)
    old = (served.folder / "vault.db").read_bytes()
    enrolled(served, 1)
    served.room.close()
    (served.folder / "vault.db").write_bytes(old)
    with pytest.raises(AuditBroken, match="older one than the ledger"):
        opened(served.folder, key_beside(served.folder))


def test_the_folder_knows_the_database_without_its_password(tmp_path: Path, cluster: Cluster) -> None:
    """A later start needs no address; another address is refused, as is one for a trial in files."""
    address = cluster.new()
    served = serve_new(tmp_path / "trial", database=address.set(password="secret"))
    served.room.close()
    assert "secret" not in (served.folder / "database").read_text()
    assert places_of(served.folder)[0] == address
    with pytest.raises(InvalidInput, match="lies in postgresql://"):
        places_of(served.folder, cluster.new())
    (served.folder / "database").unlink()
    with pytest.raises(InvalidInput, match="lies in files"):
        places_of(served.folder, address)


def test_the_head_of_the_day_is_exported_before_the_first_step(tmp_path: Path) -> None:
    """So that a chain made anew later fails against it; nothing is written over it."""
    served = serve_new(tmp_path / "trial")
    (path,) = (served.folder / "heads").iterdir()
    before = path.read_text()
    enrolled(served, 1)
    assert path.read_text() == before
    path.unlink()
    with served.room.step(None):
        pass
    assert '"count": ' in path.read_text()
    assert len(read_events(served.folder / "trial.db")) > 3
    assert SITE in served.room.conduct.whole.sites
    served.room.close()


def test_a_start_goes_on_from_where_everything_stood(
    tmp_path: Path, database: sa.URL | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept at an orderly end and now and then before; what came after a crash is followed from there."""
    monkeypatch.setattr(room_module, "_KEPT_EVERY", 12)
    monkeypatch.setattr(room_module, "_WORTH_KEEPING", 1)
    served = serve_new(tmp_path / "trial", database=database)
    assert served.room.n_kept == 0
    enrolled(served, 4)
    n_kept, n = served.room.n_kept, served.room.conduct.ledger.head.count
    assert 0 < n_kept < n
    served.room.conduct.ledger.close()  # as a server leaves it that was killed
    served.room.accounts.engine.dispose()
    again = opened(served.folder, key_beside(served.folder))
    assert again.n_kept == n_kept
    assert again.conduct.standings == served.room.conduct.standings
    assert again.conduct.whole == served.room.conduct.whole
    served = serve_again(Served(again, served.folder))
    assert served.room.n_kept == again.conduct.ledger.head.count
    assert served.room.conduct.standings == again.conduct.standings
    (subject,) = enrolled(served, 1)
    assert served.room.conduct.standings[subject].number is not None
    assert verify(database or served.folder / "trial.db").is_whole
    served.room.close()


def test_a_step_is_taken_whether_or_not_it_can_be_kept_where_everything_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the next start follows every event; what lies there and is damaged is passed over."""
    monkeypatch.setattr(room_module, "_KEPT_EVERY", 10)
    served = serve_new(tmp_path / "trial")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(room_module, "write_kept", full)
        (subject,) = enrolled(served, 1)
    assert served.room.conduct.standings[subject].number is not None
    assert not (served.folder / KEPT).exists()
    (served.folder / KEPT).write_bytes(b"something else")
    again = serve_again(served)
    assert again.room.n_kept == 0
    assert again.room.conduct.standings == served.room.conduct.standings
    again.room.close()


def test_a_real_trial_is_never_opened_as_a_demonstration(tmp_path: Path) -> None:
    """In which anybody signs as anybody; what is refused leaves it to be served as what it is."""
    served = serve_new(tmp_path / "trial")
    served.room.close()
    with pytest.raises(InvalidInput, match="is no demonstration"):
        opened(served.folder, key_beside(served.folder), is_demo=True)
    opened(served.folder, key_beside(served.folder)).close()
