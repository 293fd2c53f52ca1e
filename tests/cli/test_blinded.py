"""A blinded run is blind to whoever holds its folder, its seed included; its key opens it, once."""

import dataclasses
import json
import shutil
import stat
from datetime import datetime
from pathlib import Path

import pytest

from sevenfold.cli import main
from sevenfold.clock import SimulatedClock
from sevenfold.edge.keys import Secrets
from sevenfold.errors import AuditBroken, SevenfoldError
from sevenfold.record.event import Draft
from sevenfold.record.exported import read_exported
from sevenfold.record.head import LedgerState
from sevenfold.record.ledger import Ledger
from sevenfold.record.reading import read_events, read_head
from sevenfold.record.verify import verify
from sevenfold.sealing import derived_key, open_sealed
from sevenfold.vault.vault import Vault

SEED = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a blinded run of five subjects; its key lies beside it."""
    folder = tmp_path_factory.mktemp("blinded") / "run"
    assert (
        main(["run", "iris-7", "--patients", "5", "--seed", str(SEED), "--out", str(folder), "--blinded", "--quiet"])
        == 0
    )
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of it, key and all."""
    shutil.copytree(made, tmp_path / "run")
    shutil.copy2(made.parent / "run.key", tmp_path / "run.key")
    return tmp_path / "run"


def test_the_key_is_its_owner_s_alone_and_not_in_the_folder(made: Path) -> None:
    key = made.parent / "run.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    secret = json.loads(key.read_text())["secret"]
    assert len(bytes.fromhex(secret)) == 32
    for path in made.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()
            assert bytes.fromhex(secret) not in path.read_bytes()


def test_where_the_key_lies_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = tmp_path / "safe" / "my.key"
    words = ["run", "iris-7", "--patients", "2", "--out", str(tmp_path / "run"), "--blinded", "--quiet"]
    assert main([*words, "--key", str(elsewhere)]) == 0
    assert str(elsewhere) in capsys.readouterr().out
    assert elsewhere.is_file()


def test_the_seed_opens_neither_vault_nor_results_and_signs_nothing(made: Path) -> None:
    """What gave a run away: every secret was worked out from the seed that stands in run.json."""
    about = json.loads((made / "run.json").read_text())
    assert about["command"]["seed"] == SEED
    assert "drawn from the machine" in about["secrets"]
    of_seed = Secrets.of_seed(about["command"]["seed"])
    assert read_head(made / "trial.db").public_key != of_seed.signing.public_key
    with pytest.raises(AuditBroken):
        Vault.reopened(made / "vault.db", of_seed.vault)
    event = next(event for event in read_events(made / "trial.db") if event.type == "MaskedResults")
    said = json.loads(event.payload)
    place = f"results {event.subject} {said['visit']}"
    with pytest.raises(AuditBroken):
        open_sealed(derived_key(of_seed.vault, "masked results"), place, said["sealed"])


def test_two_blinded_runs_of_one_seed_have_the_same_patients_and_other_lists(made: Path, tmp_path: Path) -> None:
    words = ["run", "iris-7", "--patients", "5", "--seed", str(SEED), "--blinded", "--quiet"]
    assert main([*words, "--out", str(tmp_path / "again")]) == 0
    first, second = (
        [
            json.loads(e.payload)
            for e in read_events(folder / "trial.db")
            if e.type in ("CandidateScreened", "TrialOpened")
        ]
        for folder in (made, tmp_path / "again")
    )
    assert first[0]["allocation_commitment"] != second[0]["allocation_commitment"]
    assert first[1:10] == second[1:10]


def test_verify_takes_the_key(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The right one goes with ledger and vault; another is told as such, and no arm is."""
    ledger = str(made / "trial.db")
    assert main(["verify", ledger, "--key", str(made.parent / "run.key")]) == 0
    said = capsys.readouterr().out
    assert "its vault knows every place and kit" in said
    assert "locked. It is still blind." in said
    Secrets.drawn().write(tmp_path / "other.key")
    assert main(["verify", ledger, "--key", str(tmp_path / "other.key")]) == 2
    assert "signed with another key than the one given" in capsys.readouterr().out
    assert main(["verify", ledger, "--key", str(tmp_path / "none.key")]) == 2


def test_verify_with_the_key_finds_an_older_vault(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that was put back, as from a backup: it has forgotten what the ledger speaks of."""
    secrets = Secrets.read(run.parent / "run.key")
    supply = Vault.reopened(run / "vault.db", secrets.vault).supply
    (run / "vault.db").unlink()
    Vault.create(run / "vault.db", supply, secrets.vault)
    assert main(["verify", str(run / "trial.db"), "--key", str(run.parent / "run.key")]) == 2
    assert "has never given out place" in capsys.readouterr().out
    assert main(["unblind", str(run)]) == 2
    assert read_head(run / "trial.db").state is LedgerState.LOCKED


def test_unblind_opens_a_run_once_and_reports_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = read_events(run / "trial.db")
    assert main(["unblind", str(run), "--quiet"]) == 0
    assert str(run / "report.html") in capsys.readouterr().out
    after = read_events(run / "trial.db")
    assert after[:-1] == before
    assert after[-1].type == "Unblinded"
    assert "arm" in (run / "data" / "subjects.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    about = json.loads((run / "run.json").read_text())
    assert (about["state"], about["ledger head"]["state"]) == ("complete", "complete")
    assert "drawn from the machine" in about["secrets"]
    assert (run / "report.html").is_file()
    assert main(["verify", str(run / "trial.db"), "--key", str(run.parent / "run.key")]) == 0
    assert main(["unblind", str(run)]) == 2
    assert "only a blinded one that came to database lock" in capsys.readouterr().err


def test_a_locked_ledger_grows_by_the_unblinding_alone(run: Path) -> None:
    """Whoever holds the key can chain more behind the lock; the head that run.json keeps finds it."""
    clock = SimulatedClock(datetime.fromisoformat(read_events(run / "trial.db")[-1].recorded_at))
    secrets = Secrets.read(run.parent / "run.key")
    ledger = Ledger.reopened(run / "trial.db", clock, secrets.signing)
    draft = Draft(
        type="ConsentWithdrawn", schema_version=1, subject="FR-1-001", site="FR-1", actor="x",
        happened_at="2018-01-01T00:00+01:00", payload=b"{}",
    )  # fmt: skip
    with pytest.raises(SevenfoldError, match="closed as locked"):
        ledger.append(draft)
    ledger.close()
    running = dataclasses.replace(ledger.head, state=LedgerState.RUNNING)
    past = Ledger.behind(run / "trial.db", clock, secrets.signing, running)
    past.append(draft)
    past.commit(LedgerState.LOCKED)
    past.close()
    found = verify(run / "trial.db", read_exported(run / "run.json"))
    assert any("locked after" in fault for fault in found.faults)
    with pytest.raises(SevenfoldError, match="another key"):
        Ledger.reopened(run / "trial.db", clock, Secrets.drawn().signing)


def test_an_unblinding_that_was_cut_short_is_finished(run: Path) -> None:
    """The event is recorded, the report was not written: the same command goes on from there."""
    locked = (run / "run.json").read_text()
    assert main(["unblind", str(run), "--quiet"]) == 0
    (run / "report.html").unlink()
    (run / "run.json").write_text(locked)
    n = read_head(run / "trial.db").count
    assert main(["unblind", str(run), "--quiet"]) == 0
    assert (run / "report.html").is_file()
    assert read_head(run / "trial.db").count == n


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda run: (run.parent / "run.key").unlink(), "tells where its key is; name it with --key"),
        (lambda run: (run.parent / "run.key").write_text("{}"), "is not the key of a run"),
        (lambda run: (run / "run.json").unlink(), "holds no run"),
        (lambda run: (run / "protocol.yaml").write_text("x"), "not the protocol of"),
    ],
    ids=["no key", "no key's content", "no run.json", "another protocol"],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_and_stays_blind(
    run: Path, spoil: object, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(run)  # type: ignore[operator]
    assert main(["unblind", str(run)]) == 2
    assert says in capsys.readouterr().err
    assert read_events(run / "trial.db")[-1].type == "DatabaseLocked"


def test_a_key_is_not_overwritten_and_not_taken_where_there_is_none(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "iris-7", "--patients", "2", "--quiet", "--out"]
    assert main([*words, str(run.parent / "other"), "--blinded", "--key", str(run.parent / "run.key")]) == 2
    assert "holds the key of another run" in capsys.readouterr().err
    assert main([*words, str(run.parent / "other"), "--key", str(run.parent / "new.key")]) == 2
    assert "give --blinded too" in capsys.readouterr().err
    assert not (run.parent / "other").exists()


def test_secrets_show_nothing_when_printed_and_a_file_is_not_overwritten(tmp_path: Path) -> None:
    secrets = Secrets.drawn()
    secrets.write(tmp_path / "a.key")
    assert Secrets.read(tmp_path / "a.key") == secrets
    assert json.loads((tmp_path / "a.key").read_text())["secret"] not in repr(secrets)
    with pytest.raises(SevenfoldError, match="a key is not overwritten"):
        secrets.write(tmp_path / "a.key")
