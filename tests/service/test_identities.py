"""Who the subjects are: seen at their site alone, told nowhere in the record, and destroyed for good."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from served import SITE, Served, enrolled, serve_again, serve_new, signed

from sevenfold.cli import main
from sevenfold.edge.keys import key_beside
from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.record.payloads import IdentityDestroyed, Payload, read_payload
from sevenfold.record.verify import verify
from sevenfold.sealing import open_sealed, seal
from sevenfold.service.backup import back_up, restore
from sevenfold.service.identities.identities import FILE, Identities
from sevenfold.service.identities.identity import Identity
from sevenfold.service.identities.keys import IdentityKeys
from sevenfold.service.identities.place import PLACE, keep_place, keys_beside
from sevenfold.service.identities.texts import WRITTEN
from sevenfold.service.opening import opened
from sevenfold.service.role import RIGHTS, Right, Role
from sevenfold.trial.closing import lock_database

WHO = f"{SITE}-001"
ANNE = {
    "family_name": "Morel-Lefèvre",
    "given_name": "Anne-Charlotte",
    "born": "1961-03-31",
    "hospital_number": "H-4711-2604",
}


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A trial with two randomised subjects, of one of whom the site keeps who she is."""
    one = serve_new(tmp_path / "trial")
    enrolled(one, 2)
    nurse = one.as_a(Role.NURSE)
    nurse.get(f"/identities/{WHO}")
    nurse.post(f"/identities/{WHO}", ANNE)
    return one


def destroy(served: Served, status: int = 200) -> str:
    """Destroy her entry; password and digits are another test's."""
    served.room.is_demo = True
    investigator = served.as_a(Role.INVESTIGATOR)
    investigator.get(f"/identities/{WHO}")
    text = investigator.post(f"/identities/{WHO}/destroy", {"reason": "the subject asked for it"}, status)
    served.room.is_demo = False
    return text


def keys_of(folder: Path) -> Path:
    """Where the keys of a trial's entries lie."""
    return keys_beside(key_beside(folder), folder)


def everything(folder: Path) -> bytes:
    """All that lies in a folder, and beside it."""
    return b"".join(path.read_bytes() for path in sorted(folder.parent.rglob("*")) if path.is_file())


def test_the_site_sees_who_its_subjects_are_and_nobody_else_does(served: Served) -> None:
    """Neither sponsor, data manager, monitor, administrator nor auditor may; another site has no such subject."""
    for role in (Role.INVESTIGATOR, Role.NURSE):
        assert "Morel-Lefèvre, Anne" in served.as_a(role).get("/identities")
        assert "H-4711-2604" in served.as_a(role).get(f"/identities/{WHO}")
    for role in Role:
        if Right.SEE_IDENTITY not in RIGHTS[role]:
            served.as_a(role).client.get("/")
            for address in ("/identities", f"/identities/{WHO}"):
                assert served.as_a(role).client.get(address).status_code == 403
            assert served.as_a(role).client.post(f"/identities/{WHO}", data={}).status_code == 403
    there = served.as_a(Role.INVESTIGATOR, "FR-2")
    assert WHO not in there.get("/identities")
    assert "no subject" in there.get(f"/identities/{WHO}", 422)
    there.get("/identities")
    there.post(f"/identities/{WHO}", ANNE, 422)
    assert {role for role in Role if Right.SEE_IDENTITY in RIGHTS[role]} == {Role.INVESTIGATOR, Role.NURSE}


def test_the_record_says_that_it_is_kept_and_nothing_of_it(served: Served) -> None:
    """No file of the trial holds a name in clear; the auditor sees the event."""
    whole = everything(served.folder)
    for text in (b"Morel-", "Lefèvre".encode(), b"Anne-", b"1961-03-31", b"4711-2604"):
        assert text not in whole
    event = served.room.conduct.ledger.events_of(WHO)[-1]
    assert (event.type, event.payload) == ("IdentityKept", b"{}")
    assert "IdentityKept" in served.as_a(Role.AUDITOR).get("/ledger")
    assert verify(served.folder / "trial.db").is_whole


def test_a_slip_is_put_right_under_a_new_key(served: Served) -> None:
    """A copy of what was kept before opens no more."""
    before = served.room.identities.keys.of(WHO)
    nurse = served.as_a(Role.NURSE)
    nurse.get(f"/identities/{WHO}")
    assert "Maurel" in nurse.post(f"/identities/{WHO}", {**ANNE, "family_name": "Maurel"})
    assert served.room.identities.keys.of(WHO) != before
    nurse.post(f"/identities/{WHO}", {"born": "1961-03-31"}, 422)
    nurse.post(f"/identities/{WHO}", {**ANNE, "born": "31 March"}, 422)
    nurse.post(f"/identities/{WHO}", {**ANNE, "hospital_number": "4" * 201}, 422)
    assert "Maurel" in nurse.get(f"/identities/{WHO}")


def test_an_entry_that_was_destroyed_opens_neither_here_nor_in_a_backup(served: Served, tmp_path: Path) -> None:
    """A backup from before holds it sealed and no key; the page says since when it is gone."""
    back_up(served.folder, tmp_path / "backup")
    sealed = everything(tmp_path / "backup" / "x")
    key = served.room.identities.keys.of(WHO)
    assert key is not None
    assert key.hex().encode() not in sealed
    assert (tmp_path / "backup" / FILE).is_file()
    assert not list((tmp_path / "backup").glob("*.identities"))
    assert "was destroyed" in destroy(served)
    assert served.room.identities.of(WHO) is None
    (event,) = served.room.conduct.ledger.of_type("IdentityDestroyed")
    assert read_payload(event) == IdentityDestroyed(reason="the subject asked for it")
    served.room.close()
    restore(tmp_path / "backup", tmp_path / "again")
    shutil.copy(key_beside(served.folder), key_beside(tmp_path / "again"))
    shutil.copy(keys_of(served.folder), keys_of(tmp_path / "again"))
    again = opened(tmp_path / "again", key_beside(tmp_path / "again"))
    assert again.identities.of(WHO) is None
    again.close()


def test_a_backup_opens_with_the_keys_that_were_kept_elsewhere(served: Served, tmp_path: Path) -> None:
    """So that a lost disk is no lost list; without them it stays sealed."""
    back_up(served.folder, tmp_path / "backup")
    served.room.close()
    restore(tmp_path / "backup", tmp_path / "again")
    shutil.copy(key_beside(served.folder), key_beside(tmp_path / "again"))
    again = opened(tmp_path / "again", key_beside(tmp_path / "again"))
    assert again.identities.of(WHO) is None
    again.close()
    shutil.copy(keys_of(served.folder), keys_of(tmp_path / "again"))
    again = opened(tmp_path / "again", key_beside(tmp_path / "again"))
    found = again.identities.of(WHO)
    assert found is not None
    assert found.as_plain() == ANNE
    again.close()


def test_the_file_of_keys_holds_nothing_of_a_key_that_was_destroyed(served: Served) -> None:
    """Written over, not only forgotten; the file is its owner's alone, and opens nothing without the trial's key."""
    path = keys_of(served.folder)
    assert path.stat().st_mode & 0o077 == 0
    key = served.room.identities.keys.of(WHO)
    assert key is not None
    assert key.hex().encode() not in path.read_bytes()
    assert key not in path.read_bytes()
    with pytest.raises(AuditBroken):
        IdentityKeys(path, bytes(32)).of(WHO)

    with closing(sqlite3.connect(path)) as connection:
        sealed = connection.execute("SELECT sealed FROM key").fetchone()[0].encode()
    piece = sealed[1000:1200]
    assert piece in path.read_bytes()
    entry = (served.folder / FILE).read_bytes()
    destroy(served)
    assert piece not in path.read_bytes()
    assert (served.folder / FILE).read_bytes() != entry
    assert not list(path.parent.glob("*-wal"))
    assert not list(path.parent.glob("*-journal"))


def test_the_keys_lie_beside_the_folder_where_the_trials_key_is_in_no_file(tmp_path: Path) -> None:
    """As when it comes from the environment; never in the folder, which is backed up."""
    (tmp_path / "kept").mkdir()
    key = tmp_path / "kept" / "my.key"
    key.touch()
    assert keys_beside(key, tmp_path / "trial") == tmp_path / "kept" / "my.identities"
    assert keys_beside(Path("env:KEY"), tmp_path / "trial") == tmp_path / "trial.identities"


def put_back(served: Served, tmp_path: Path) -> Served:
    """A backup of the trial, put back elsewhere with its key and without the keys of identities."""
    back_up(served.folder, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    shutil.copy(key_beside(served.folder), key_beside(tmp_path / "again"))
    return Served(opened(tmp_path / "again", key_beside(tmp_path / "again")), tmp_path / "again")


def raised_query(served: Served, text: str, status: int = 200, who: str = WHO) -> str:
    """A query of the data manager's."""
    manager = served.as_a(Role.DATA_MANAGER)
    manager.get(f"/subjects/{who}/data")
    return manager.post(f"/subjects/{who}/data/query", {"text": text}, status)


def test_without_its_key_an_entry_is_not_destroyed_and_bars_nothing(served: Served, tmp_path: Path) -> None:
    """Of a trial that was put back: the keys lie elsewhere, so nothing is said to be destroyed and no file is made."""
    again = put_back(served, tmp_path)
    page = again.as_a(Role.INVESTIGATOR).get(f"/identities/{WHO}")
    assert "keys is missing" in page
    assert "/destroy" not in page
    assert "keys is missing" in again.as_a(Role.NURSE).get("/identities")
    assert "No key" in destroy(again, 422)
    assert not keys_of(again.folder).exists()
    assert not again.room.conduct.ledger.of_type("IdentityDestroyed")
    with pytest.raises(InvalidInput, match="No key is here"):
        again.room.identities.destroy(WHO, "2026-01-01T10:00+01:00", "the subject asked for it")
    raised_query(again, "Which day was it?")
    nurse = again.as_a(Role.NURSE)
    nurse.get(f"/identities/{WHO}")
    assert "Morel" in nurse.post(f"/identities/{WHO}", ANNE)
    assert "was destroyed" in destroy(again)


def test_an_empty_file_of_keys_is_a_file_without_keys(served: Served, tmp_path: Path) -> None:
    """It bars no step, is made its owner's alone, and a destruction can be written in it."""
    again = put_back(served, tmp_path)
    path = keys_of(again.folder)
    path.touch(mode=0o644)
    keys = again.room.identities.keys
    assert keys.of(WHO) is None
    assert keys.destroyed() == {}
    raised_query(again, "Which day was it?")
    assert "cannot be opened" in again.as_a(Role.NURSE).get("/identities")
    keys.destroy(WHO, "2026-01-01T10:00+01:00", "the subject asked for it")
    assert set(keys.destroyed()) == {WHO}
    assert path.stat().st_mode & 0o077 == 0


class Killed(BaseException):
    """The server, in the middle of a step."""


@pytest.mark.parametrize("where", ["before the entry", "after the entry"])
def test_an_entry_opens_wherever_a_server_was_killed_that_wrote_it_anew(
    served: Served, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often as it is: then the old entry is there or the new one, and the next time one key is left."""

    def killed(*_: object, **__: object) -> None:
        raise Killed

    identities, maurel = served.room.identities, Identity(**{**ANNE, "family_name": "Maurel"})
    for _ in range(3):
        with monkeypatch.context() as patched:
            if where == "before the entry":
                patched.setattr("sevenfold.service.identities.identities.writing", killed)
            else:
                patched.setattr(IdentityKeys, "settle", killed)
            with pytest.raises(Killed):
                identities.keep(WHO, maurel)
        found = identities.of(WHO)
        assert found is not None
        assert found.family_name == ("Morel-Lefèvre" if where == "before the entry" else "Maurel")
    assert len(identities.keys.every_of(WHO)) == 4
    identities.keep(WHO, maurel)
    assert len(identities.keys.every_of(WHO)) == 1
    assert identities.of(WHO) == maurel


def test_an_entry_that_no_key_opens_is_shown_so_and_kept_anew(served: Served) -> None:
    """The pages open, other steps go on, and the form repairs it."""
    with closing(sqlite3.connect(served.folder / FILE)) as connection, connection:
        connection.execute("UPDATE identity SET sealed = ?", (seal(bytes(32), f"identity {WHO}", ANNE),))
    nurse = served.as_a(Role.NURSE)
    assert "cannot be opened" in nurse.get("/identities")
    assert "cannot be opened" in nurse.get(f"/identities/{WHO}")
    raised_query(served, "Which day was it?")
    assert "Morel" in nurse.post(f"/identities/{WHO}", ANNE)
    assert "cannot be opened" not in nurse.get("/identities")
    assert "tells who" in raised_query(served, "Mrs Morel?", 422)


@pytest.mark.parametrize("broken", ["entries", "keys"])
def test_a_damaged_list_bars_no_step_and_is_logged(
    served: Served, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What is written then is recorded; the pages say that nothing can be opened."""
    path = served.folder / FILE if broken == "entries" else keys_of(served.folder)
    path.write_bytes(b"no database" * 1000)
    raised_query(served, "Which day was it?")
    assert f"text.not_looked_at subject={WHO}" in caplog.text
    assert "cannot be opened" in served.as_a(Role.NURSE).get("/identities")
    served.as_a(Role.INVESTIGATOR).get(f"/identities/{WHO}")


def test_keys_of_a_file_from_before_open_and_are_brought_up(served: Served) -> None:
    """When there was one row a subject; the first that is written makes room for two."""
    path = keys_of(served.folder)
    with closing(sqlite3.connect(path)) as connection, connection:
        ((sealed,),) = connection.execute("SELECT sealed FROM key").fetchall()
        connection.execute("DROP TABLE key")
        connection.execute("CREATE TABLE key (subject TEXT PRIMARY KEY, sealed TEXT NOT NULL)")
        connection.execute("INSERT INTO key VALUES (?, ?)", (WHO, sealed))
    identities = served.room.identities
    found = identities.of(WHO)
    assert found is not None
    identities.keep(f"{SITE}-002", found)
    assert identities.of(WHO) == found
    identities.keep(WHO, found)
    assert len(identities.keys.every_of(WHO)) == 1
    destroy(served)
    assert sealed.encode()[1000:1200] not in path.read_bytes()


def test_the_keys_stay_where_they_are_when_the_trials_key_is_brought_elsewhere(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locked, or in the environment, in a folder that says the place and in one from before; names stay refused."""
    served.room.close()
    (tmp_path / "safe").mkdir()
    key = tmp_path / "safe" / "other.key"
    shutil.copy(key_beside(served.folder), key)
    monkeypatch.setenv("THE_KEY", json.loads(key.read_text())["secret"])
    for one in (key, Path("env:THE_KEY")):
        for is_from_before in (False, True):
            if is_from_before:
                (served.folder / PLACE).unlink()
            again = Served(opened(served.folder, one), served.folder)
            assert "Morel" in again.as_a(Role.INVESTIGATOR).get("/identities")
            assert "tells who" in raised_query(again, "Mrs Morel?", 422)
            assert (served.folder / PLACE).read_text() == "../trial.identities\n"
            again.room.close()


def test_a_place_is_kept_whatever_the_key_and_moved_with_the_folder(tmp_path: Path) -> None:
    """One beside the key of before holds for every later key; one beside the folder goes where both go."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "one" / "trial").mkdir(parents=True)
    key, folder = tmp_path / "kept" / "my.key", tmp_path / "one" / "trial"
    key.touch()
    keep_place(folder, keys_beside(key, folder))
    assert keys_beside(Path("env:KEY"), folder) == tmp_path / "kept" / "my.identities"
    (folder / PLACE).write_text("")  # a place that was lost is chosen as in a folder from before
    keep_place(folder, keys_beside(Path("env:KEY"), folder))
    (tmp_path / "one").rename(tmp_path / "two")
    assert keys_beside(key, tmp_path / "two" / "trial") == tmp_path / "two" / "trial.identities"


def test_the_start_warns_where_the_record_speaks_of_entries_that_nothing_opens(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the console, with the place where the keys are looked for; once they are there it is silent."""
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: None)
    again = put_back(served, tmp_path)
    again.room.close()
    told = ["serve", "--folder", str(again.folder), "--port", "0"]
    assert main(told) == 0
    said = capsys.readouterr().out
    assert f"cannot be opened for {WHO}, " in said
    assert f"{keys_of(again.folder)} are missing" in said
    shutil.copy(keys_of(served.folder), keys_of(again.folder))
    assert main(told) == 0
    assert "Warning" not in capsys.readouterr().out
    destroy(served)
    served.room.close()
    assert main(["serve", "--folder", str(served.folder), "--port", "0"]) == 0
    assert "Warning" not in capsys.readouterr().out


def test_only_an_investigator_destroys_with_password_and_digits(served: Served) -> None:
    """And for one of the reasons that hold no name; what is not there is not destroyed."""
    nurse, investigator = served.as_a(Role.NURSE), served.as_a(Role.INVESTIGATOR)
    nurse.get(f"/identities/{WHO}")
    nurse.post(f"/identities/{WHO}/destroy", {"reason": "the subject asked for it"}, 403)
    investigator.get(f"/identities/{WHO}")
    investigator.post(f"/identities/{WHO}/destroy", {"reason": "Mrs Morel asked for it"}, 422)
    investigator.post(f"/identities/{SITE}-002/destroy", {"reason": "the subject asked for it"}, 422)
    investigator.post(f"/identities/{WHO}/destroy", {"reason": "the subject asked for it"}, 422)  # no password
    assert served.room.identities.of(WHO) is not None
    assert not served.room.conduct.ledger.of_type("IdentityDestroyed")


def test_a_destruction_that_was_broken_off_is_finished(served: Served) -> None:
    """The key goes first: where the event was lost with the server, the page offers it again."""
    served.room.identities.destroy(WHO, "2026-01-01T10:00+01:00", "the subject asked for it")
    again = serve_again(served)
    assert "was destroyed" in destroy(again)
    (event,) = again.room.conduct.ledger.of_type("IdentityDestroyed")
    assert event.subject == WHO
    destroy(again, 422)


@pytest.mark.parametrize(
    "text",
    [
        "Mrs Morel was absent", "MOREL", "seen by Anne's son", "lefevre",
        "Lefe\u0300vre", "born 31/03/1961", "(1961-03-31)",
        "31.3.1961",
        "number H47112604", "h-4711-2604", "No. H 4711 2604.",
    ],
)  # fmt: skip
def test_a_text_that_tells_who_the_subject_is_is_refused(served: Served, text: str) -> None:
    """However it is spelt, by the site and by others, whatever it is a text of; nothing is recorded of it."""
    nurse, manager, investigator = (served.as_a(role) for role in (Role.NURSE, Role.DATA_MANAGER, Role.INVESTIGATOR))
    n = served.room.conduct.ledger.head.count
    nurse.get(f"/subjects/{WHO}/visits/day 4")
    answers = [nurse.post(f"/subjects/{WHO}/visits/day 4", {"missed": "yes", "reason": text, "at": served.here()}, 422)]
    manager.get(f"/subjects/{WHO}/data")
    answers.append(manager.post(f"/subjects/{WHO}/data/query", {"text": text}, 422))
    investigator.get(f"/subjects/{WHO}/event")
    said = {
        "number": "1", "term": text, "grade": "1", "serious": "no", "relation": "possible", "outcome": "recovered",
        "began": served.here(),
    }  # fmt: skip
    answers.append(investigator.post(f"/subjects/{WHO}/event", said, 422))
    said = {"step": "stopped dosing", "detail": text, "at": served.here()}
    answers.append(investigator.post(f"/subjects/{WHO}/step", said, 422))
    assert all("tells who" in answer for answer in answers)
    assert served.room.conduct.ledger.head.count == n


@pytest.mark.parametrize(
    "text", ["fever in March 1961", "4711", "annex", "the morello cherry", "H-4711-26", "1961", "more"]
)
def test_a_text_that_only_looks_alike_is_recorded(served: Served, text: str) -> None:
    """Whole words, whole numbers, whole dates; of another subject nothing is looked for."""
    manager = served.as_a(Role.DATA_MANAGER)
    manager.get(f"/subjects/{WHO}/data")
    assert text in manager.post(f"/subjects/{WHO}/data/query", {"text": text})
    manager.get(f"/subjects/{SITE}-002/data")
    manager.post(f"/subjects/{SITE}-002/data/query", {"text": "Mrs Morel?"})


def test_what_a_person_writes_is_looked_at_in_every_kind_of_event_that_holds_words() -> None:
    """A field of text that is neither there nor among those that hold a fixed word would let a name through."""
    fixed = {
        "actor", "number", "kit", "route", "visit", "stratum", "sealed", "rule", "to", "action", "because", "began_at",
        "digest", "field", "protocol", "protocol_sha256", "allocation_commitment", "signing_key", "software", "person",
        "role", "site", "commitment_nonce", "results_key", "city", "country", "registered_trial", "time_zone", "sha256",
        "meaning", "outcome", "support", "change", "by", "guess", "relation", "scope", "name", "holds",
    }  # fmt: skip
    of_no_subject = {"PersonChanged", "RunInterrupted", "IdentityDestroyed", "SiteOpened", "PersonAdmitted"}
    for kind in Payload.__subclasses__():
        texts = {name for name, one in kind.model_fields.items() if one.annotation in (str, str | None)}
        if kind.__name__ not in of_no_subject:
            assert texts - fixed - set(WRITTEN.get(kind, ())) == set(), kind.__name__


@settings(deadline=None)
@given(
    family=st.text(min_size=3, max_size=12, alphabet=st.characters(categories=["Lu", "Ll"])),
    before=st.sampled_from(["", "Mr ", "for ", "(", "“"]),
    after=st.sampled_from(["", ".", "'s", ", again", ")"]),
)
@example(family="AĿA", before="", after="")  # a compatible spelling of Ŀ has a dot in it, which parts words
@example(family="İpek", before="", after="")  # the small letter comes with an accent
def test_a_name_is_found_between_other_words_whatever_its_letters(family: str, before: str, after: str) -> None:
    """In any script that has letters."""
    one = Identity.typed(family_name=family, given_name="", born="", hospital_number="")
    assert one.is_told_by(f"{before}{family}{after}")
    assert one.is_told_by(f"{before}{family.upper()}{after}") or family.upper().lower() != family.lower()


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=12), st.text(max_size=12))
def test_looking_for_an_identity_never_breaks(text: str, name: str, number: str) -> None:
    """Whatever was kept and whatever is written."""
    try:
        one = Identity.typed(family_name=name.strip(), given_name="", born="2000-02-29", hospital_number=number.strip())
    except InvalidInput:
        return
    assert one.is_told_by(text) in (True, False)


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_a_sealed_entry_has_one_length_and_opens_in_its_own_place(family: str, given_name: str) -> None:
    """Else the length would tell a name."""
    said = Identity(family_name=family, given_name=given_name, born="", hospital_number="")
    sealed = seal(bytes(32), "identity FR-1-001", said.as_plain())
    assert len(sealed) == len(seal(bytes(32), "identity FR-1-001", {}))
    assert Identity(**open_sealed(bytes(32), "identity FR-1-001", sealed)) == said
    with pytest.raises(AuditBroken):
        open_sealed(bytes(32), "identity FR-1-002", sealed)


def test_entries_are_kept_after_the_database_is_locked(served: Served, tmp_path: Path) -> None:
    """The retention ends years later: an entry is then destroyed, and the record says so."""
    with served.room.step(None) as conduct:
        for standing in conduct.standings.values():
            conduct.ending(standing.subject, served.room.clock.now())
    signed(served, *(name for name, one in served.room.conduct.standings.items() if one.number is not None))
    with served.room.step(None) as conduct:
        lock_database(conduct, served.room.clock.now())
    destroy(served)
    assert served.room.conduct.ledger.of_type("IdentityDestroyed")
    assert isinstance(served.room.identities, Identities)
