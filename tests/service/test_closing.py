"""The end of a trial: two people unblind it after lock, and its report is the one that ``sevenfold run`` makes."""

import errno
import re
from pathlib import Path

import pytest
from served import Served, consenting, serve_again, serve_new

from sevenfold.cli import main
from sevenfold.cli.rehearsal import stage
from sevenfold.edge.keys import key_beside
from sevenfold.errors import OutOfOrder
from sevenfold.protocol.load import load
from sevenfold.record.ledger import Ledger
from sevenfold.record.verify import verify
from sevenfold.service.opening import make_folder, opened
from sevenfold.service.role import Role
from sevenfold.trial.closing import unblind_trial
from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.icu.nature import warm_up


def empty_and_locked(folder: Path) -> Served:
    """A new trial in which nobody took part."""
    served = serve_new(folder)
    manager = served.as_a(Role.DATA_MANAGER)
    manager.get("/progress")
    manager.post("/lock")
    assert served.room.conduct.is_locked
    return served


def test_two_people_unblind_and_what_the_first_asked_survives_a_restart(tmp_path: Path) -> None:
    """Asking is an event of the ledger; who asked can't confirm, and nobody confirms what was not asked for."""
    served = empty_and_locked(tmp_path / "trial")
    served.room.is_demo = True  # nobody has a password: what follows is about who does what
    sponsor, statistician = served.as_a(Role.SPONSOR), served.as_a(Role.IDMC_STATISTICIAN)
    assert "Confirm the unblinding" not in statistician.get("/report")
    statistician.post("/report/confirm", status=409)
    sponsor.get("/report")
    sponsor.post("/report/confirm", status=403)
    statistician.post("/report/ask", status=403)
    sponsor.post("/report/ask")
    sponsor.post("/report/ask", status=409)
    served = serve_again(served)
    served.room.is_demo = True
    assert served.room.conduct.whole.asked is not None
    statistician = served.as_a(Role.IDMC_STATISTICIAN)
    assert "Confirm the unblinding" in statistician.get("/report")
    asked = served.room.conduct.whole.asked
    served.room.conduct.whole.asked = asked.model_copy(
        update={"person": next(p.id for p in served.room.accounts.people() if p.role is Role.IDMC_STATISTICIAN)}
    )
    assert "another person" in statistician.post("/report/confirm", status=422)
    served.room.conduct.whole.asked = asked
    statistician.post("/report/confirm")
    assert served.room.conduct.whole.is_unblinded
    said = [(event.type, event.actor.rpartition(" ")[0]) for event in served.room.conduct.ledger.events_of_trial()]
    assert said[-2:] == [("UnblindingAsked", "sponsor"), ("Unblinded", "IDMC statistician")]
    assert verify(served.folder / "trial.db").is_whole


def test_each_of_the_two_gives_password_and_six_digits(tmp_path: Path) -> None:
    """Without them nothing is recorded."""
    served = empty_and_locked(tmp_path / "trial")
    sponsor = served.as_a(Role.SPONSOR)
    assert 'name="code"' in sponsor.get("/report")
    sponsor.post("/report/ask", {"password": "x", "code": "000000"}, 422)
    assert served.room.conduct.whole.asked is None


def test_nothing_is_unblinded_before_lock_or_by_one_person(tmp_path: Path) -> None:
    """Conduct holds it, whatever asks."""
    served = serve_new(tmp_path / "trial")
    served.room.is_demo = True
    sponsor = served.as_a(Role.SPONSOR)
    sponsor.get("/report")
    sponsor.post("/report/ask", status=409)
    sponsor.get("/report/final", status=409)
    served.room.conduct.whole.is_locked = True
    with pytest.raises(OutOfOrder, match="one person asks"):
        unblind_trial(served.room.conduct, {}, {}, "", "", served.room.clock.now())


def test_a_database_with_an_open_query_is_not_locked(tmp_path: Path) -> None:
    """Neither while it waits for an answer nor while the answer waits to be read; closed, it is in the way no more."""
    served = serve_new(tmp_path / "trial")
    (name,) = consenting(served, 1)
    room, manager, investigator = served.room, served.as_a(Role.DATA_MANAGER), served.as_a(Role.INVESTIGATOR)
    manager.get(f"/subjects/{name}/data")
    manager.post(f"/subjects/{name}/data/query", {"text": "Which unit?"})
    assert "1 queries are open" in manager.post("/lock", status=409)
    investigator.get(f"/subjects/{name}/data")
    investigator.post(f"/subjects/{name}/data/query/1/answer", {"text": "As on the sheet."})
    manager.post("/lock", status=409)
    assert not room.conduct.is_locked
    manager.post(f"/subjects/{name}/data/query/1/close")
    manager.post("/lock")
    assert room.conduct.is_locked


def test_a_lock_that_failed_ends_nobodys_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full when the lock is to be kept: it never was, and a candidate is randomised afterwards."""
    served = serve_new(tmp_path / "trial")
    (name,) = consenting(served, 1)
    manager, investigator = served.as_a(Role.DATA_MANAGER), served.as_a(Role.INVESTIGATOR)
    manager.get("/progress")

    def full(_self: Ledger, _state: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "commit", full)
        manager.post("/lock", status=503)
    assert not served.room.conduct.is_locked
    investigator.get(f"/subjects/{name}")
    investigator.post(f"/subjects/{name}/randomise")
    assert served.room.conduct.standings[name].number is not None


def test_people_come_and_go_after_lock(tmp_path: Path) -> None:
    """Who may come in is no datum: else nobody who lost a telephone could confirm the unblinding."""
    served = empty_and_locked(tmp_path / "trial")
    administrator = served.as_a(Role.ADMINISTRATOR)
    administrator.get("/people")
    text = administrator.post("/people", {"name": "Irene", "login": "irene@idmc.example", "role": "IDMC statistician"})
    assert "Hand this link to Irene" in text


def test_the_final_report_is_the_one_that_run_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record of a rehearsal, locked in a folder and unblinded through the pages, gives the same estimates to the
    byte and the same report, but for what the report says of the ledger.
    """
    file, folder = load("iris-7"), tmp_path / "trial"
    key = key_beside(folder)
    secrets = make_folder(file, folder, key)
    run = tmp_path / "run"
    with monkeypatch.context() as patched:  # the same sealed list; all else follows from the seed
        patched.setattr("sevenfold.cli.run._secrets", lambda _chosen, _out: secrets)
        assert main(["run", "iris-7", "--seed", "1", "--out", str(run), "--quiet"]) == 0
    warm_up()
    rehearsed = stage(file, folder, 1, shipped(), secrets)
    rehearsed.rehearse(lambda _done, _of: None, lambda: False)
    rehearsed.conduct.ledger.close()
    served = Served(opened(folder, key, is_demo=True), folder)
    sponsor = served.as_a(Role.SPONSOR)
    sponsor.get("/report")
    sponsor.post("/report/ask")
    statistician = served.as_a(Role.IDMC_STATISTICIAN)
    statistician.get("/report")
    statistician.post("/report/confirm")
    statistician.client.app.state.final.wait()  # type: ignore[attr-defined]  # a Starlette application
    auditor = served.as_a(Role.AUDITOR)
    assert "Read the final report" in auditor.get("/report")
    answer = auditor.client.get("/report/final")
    assert "sha256-" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert auditor.client.get("/report/estimates.json").content == (run / "estimates.json").read_bytes()
    ledger = re.compile(r"<dt>Ledger</dt><dd class=\"hash\">.*?</dd>")
    ours, theirs = answer.text, (run / "report.html").read_text(encoding="utf-8")
    assert ledger.sub("", ours) == ledger.sub("", theirs).replace("iris-7.yaml, SHA", "protocol.yaml, SHA")
    served.as_a(Role.NURSE).get("/report/final", status=403)
    served.room.close()
