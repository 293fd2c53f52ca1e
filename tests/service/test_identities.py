"""Who the subjects are: seen at their site alone, told nowhere in the record, and destroyed for good."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from served import SITE, Served, enrolled, serve_again, serve_new

from sevenfold.edge.keys import key_beside
from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.record.payloads import IdentityDestroyed, Payload, read_payload
from sevenfold.record.verify import verify
from sevenfold.sealing import open_sealed, seal
from sevenfold.service.backup import back_up, restore
from sevenfold.service.identities.identities import FILE, Identities
from sevenfold.service.identities.identity import Identity
from sevenfold.service.identities.keys import IdentityKeys, keys_beside
from sevenfold.service.identities.texts import WRITTEN
from sevenfold.service.opening import opened
from sevenfold.service.role import RIGHTS, Right, Role

WHO = f"{SITE}-001"
ANNE = {"family_name": "Morel-Lefèvre", "given_name": "Anne", "born": "1961-03-31", "hospital_number": "H 4711/26"}


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
        assert "H 4711/26" in served.as_a(role).get(f"/identities/{WHO}")
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
    for text in (b"Morel", b"Anne", b"1961-03-31", b"4711"):
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
        "number H4711/26", "h-4711-26", "No. H 4711 26.",
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
    "text", ["fever in March 1961", "4711", "annex", "the morello cherry", "H 4711/2", "1961", "more"]
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
        conduct.lock(served.room.clock.now())
    destroy(served)
    assert served.room.conduct.ledger.of_type("IdentityDestroyed")
    assert isinstance(served.room.identities, Identities)
