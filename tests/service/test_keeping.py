"""A trial kept elsewhere: backed up while it runs, put back in either database, archived in open formats."""

import json
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from served import Served, enrolled, serve_new

from databases import Cluster
from rehearsals import Rehearsed
from sevenfold.cli import main
from sevenfold.edge.keys import key_beside
from sevenfold.errors import InvalidInput
from sevenfold.record.exported import exported_heads
from sevenfold.record.reading import read_events, read_head
from sevenfold.record.verify import verify
from sevenfold.service.archive import archive
from sevenfold.service.backup import back_up, restore
from sevenfold.service.opening import opened
from sevenfold.service.role import Role

_BOTH = ["sqlite", "postgresql"]


def somewhere(request: pytest.FixtureRequest, kind: str) -> sa.URL | None:
    """An address, or None for files."""
    if kind == "sqlite":
        return None
    found: Cluster = request.getfixturevalue("cluster")
    return found.new()


@pytest.mark.parametrize("origin", _BOTH)
@pytest.mark.parametrize("target", _BOTH)
def test_a_trial_goes_on_from_its_backup_in_either_database(
    request: pytest.FixtureRequest, tmp_path: Path, origin: str, target: str
) -> None:
    """Chain and sequence go on, the heads exported before still hold, people keep their accounts and no session."""
    served = serve_new(tmp_path / "trial", database=somewhere(request, origin))
    names = enrolled(served, 2)
    session = served.as_a(Role.NURSE).client.cookies["sevenfold"]
    found = back_up(served.folder, tmp_path / "backup")
    assert found.n_events == served.room.conduct.ledger.head.count
    assert enrolled(served, 1) == ["FR-1-003"]  # the server was not disturbed, and this is not in the backup
    people = served.room.accounts.people()
    served.room.close()
    key, elsewhere = key_beside(served.folder), somewhere(request, target)
    files = list((tmp_path / "backup").rglob("*"))
    secret = json.loads(key.read_text())["secret"]
    assert not any(secret.encode() in path.read_bytes() for path in files if path.is_file())
    restore(tmp_path / "backup", tmp_path / "again", elsewhere)
    room = opened(tmp_path / "again", key)
    again = Served(room, tmp_path / "again")
    assert list(room.conduct.standings) == names
    assert room.accounts.people() == people
    assert room.sessions.of(session, room.now_s()) is None
    enrolled(again, 1)
    place = elsewhere or again.folder / "trial.db"
    events = read_events(place)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[: found.n_events] == read_events(tmp_path / "backup" / "trial.db")
    assert verify(place, exported_heads(tmp_path / "backup" / "heads")).faults == ()
    room.close()


def test_a_backup_while_people_work_is_one_moment(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """It holds whatever was recorded when it was taken, and its vault knows all that its ledger speaks of."""
    served = serve_new(tmp_path / "trial")
    enrolled(served, 1)
    faults: list[BaseException] = []

    def work() -> None:
        try:
            enrolled(served, 6)
        except BaseException as error:  # noqa: BLE001  # told by the test
            faults.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    sizes = [back_up(served.folder, tmp_path / f"backup {n}").n_events for n in range(4)]
    worker.join()
    assert faults == []
    assert sizes == sorted(sizes)
    served.room.close()
    for n in range(4):
        key = ["--key", str(key_beside(served.folder))]
        assert main(["restore", str(tmp_path / f"backup {n}"), "--folder", str(tmp_path / f"again {n}"), *key]) == 0
        opened(tmp_path / f"again {n}", key_beside(served.folder)).close()


def test_a_backup_overwrites_nothing_and_is_not_restored_altered(tmp_path: Path) -> None:
    """Nor is it written where something lies."""
    served = serve_new(tmp_path / "trial")
    served.room.close()
    back_up(served.folder, tmp_path / "backup")
    with pytest.raises(InvalidInput, match="never overwritten"):
        back_up(served.folder, tmp_path / "backup")
    with pytest.raises(InvalidInput, match="holds something"):
        restore(tmp_path / "backup", served.folder)
    with pytest.raises(InvalidInput, match="not a backup"):
        restore(served.folder, tmp_path / "again")
    vault = tmp_path / "backup" / "vault.db"
    vault.write_bytes(vault.read_bytes()[:-1] + b"x")
    with pytest.raises(InvalidInput, match="was altered"):
        restore(tmp_path / "backup", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_database_that_holds_a_ledger_is_not_restored_over(tmp_path: Path, cluster: Cluster) -> None:
    """Whatever lies there stays."""
    served = serve_new(tmp_path / "trial", database=(address := cluster.new()))
    served.room.close()
    back_up(served.folder, tmp_path / "backup")
    with pytest.raises(InvalidInput, match="holds a ledger already"):
        restore(tmp_path / "backup", tmp_path / "again", address)


def verified(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """What the archive's own script says, without any library."""
    command = [sys.executable, *options, str(folder / "verify.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_archive_is_verified_by_python_alone(small_trial: Rehearsed, tmp_path: Path) -> None:
    """And by its signature where the library is there; every fault is told."""
    path = tmp_path / "trial.zip"
    file = tmp_path / "protocol.yaml"
    file.write_text(small_trial.file.text)
    archive(small_trial.folder / "trial.db", file, path)
    with pytest.raises(InvalidInput, match="never overwritten"):
        archive(small_trial.folder / "trial.db", file, path)
    folder = tmp_path / "opened"
    zipfile.ZipFile(path).extractall(folder)
    bare = verified(folder, "-I", "-S")
    assert bare.returncode == 0, bare.stderr
    assert "was not checked" in bare.stdout
    whole = verified(folder)
    assert whole.returncode == 0
    assert read_head(small_trial.folder / "trial.db").public_key in whole.stdout
    assert len((folder / "verify.py").read_text().splitlines()) <= 40
    subjects = (folder / "tables" / "subjects.csv").read_text().splitlines()
    assert len(subjects) == 1 + len(small_trial.history.subjects)
    lines = (folder / "events.jsonl").read_text().splitlines(keepends=True)
    for name, changed in {
        "edited": [line.replace('"nurse', '"Nurse', 1) for line in lines],
        "deleted": lines[:5] + lines[6:],
        "moved": [*lines[:5], lines[6], lines[5], *lines[7:]],
        "cut short": lines[:-1],
    }.items():
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        shutil.copytree(folder, tmp_path / name)
        (tmp_path / name / "events.jsonl").write_text("".join(changed))
        assert verified(tmp_path / name, "-I", "-S").returncode == 1, name
    head = json.loads((folder / "head.json").read_text())
    (folder / "head.json").write_text(json.dumps({**head, "state": "running"}))
    assert verified(folder).returncode == 1


@pytest.mark.parametrize("kind", _BOTH)
def test_the_commands_keep_a_running_trial(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Archive and head of a trial whose server runs; a blind trial's archive names no arm."""
    served = serve_new(tmp_path / "trial", database=somewhere(request, kind))
    enrolled(served, 2)
    folder = str(served.folder)
    assert main(["archive", folder, "--to", str(tmp_path / "trial.zip")]) == 0
    assert main(["head", folder]) == 0
    assert main(["head", folder, "--to", str(tmp_path / "kept")]) == 0
    assert main(["backup", folder, "--to", str(tmp_path / "backup")]) == 0
    said = capsys.readouterr().out
    assert str(key_beside(served.folder)) in said
    served.room.close()
    kept = zipfile.ZipFile(tmp_path / "trial.zip")
    assert {"events.jsonl", "head.json", "protocol.yaml", "verify.py", "README.txt"} <= set(kept.namelist())
    assert '"il7"' not in kept.read("events.jsonl").decode()
    heads = exported_heads(tmp_path / "kept")
    assert [head.count for head in heads] == [served.room.conduct.ledger.head.count]
