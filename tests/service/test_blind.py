"""The blind, proved: two worlds with swapped arms, in which everybody who must not know sees the same to the byte.

A trial is rehearsed to its middle. Its folder is copied, and in the copy every arm on the sealed list, every place that
was taken and every kit that was handed out is another arm's; the ledger, with every recorded input, is the same. Then
the same people take the same steps in both, and every answer is compared. Nothing is left out of the comparison but the
pages of the pharmacy, the closed report, and the arm that an emergency shows to the one who asked. Times of answers
are compared by ``test_times.py``.
"""

import logging
import re
import secrets
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from served import SITE, Served, Visitor, eligible

from sevenfold.cli.rehearsal import stage
from sevenfold.clock import SimulatedClock
from sevenfold.edge.keys import Secrets, key_beside
from sevenfold.protocol.load import load
from sevenfold.record.payloads import MaskedResults
from sevenfold.sealing import derived_key
from sevenfold.service.app import app_of
from sevenfold.service.declared import declared
from sevenfold.service.opening import make_folder, opened
from sevenfold.service.people.tokens import OFFERED
from sevenfold.service.role import AT_A_SITE, RIGHTS, Right, Role
from sevenfold.service.room import Room
from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.rehearse import rehearse
from sevenfold.trial.vials import VialStatus
from sevenfold.vault.safe import Safe
from sevenfold.vault.supply import Supply

BLIND = [role for role in Role if Right.SEE_CONTENTS not in RIGHTS[role]]
PLACES = [(role, SITE if role in AT_A_SITE else None) for role in Role]
SHOWS_ARMS = {Right.SEE_BY_ARM, Right.UNBLIND_SUSAR}
N_RANDOMISED = 5
PARIS = ZoneInfo("Europe/Paris")


@dataclass(slots=True)
class World:
    """A trial in progress, with everything that was answered in it: who asked for what, and the answer."""

    served: Served
    clock: SimulatedClock
    answers: list[tuple[Role, str, int, str, dict[str, str]]] = field(default_factory=list)
    shown_to_pharmacists: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    unblinded: str = ""
    visitors: dict[Role, Visitor] = field(default_factory=dict)
    programs: dict[Role, TestClient] = field(default_factory=dict)

    def ask(
        self, role: Role, method: str, path: str, said: dict[str, str] | None = None, file: bytes | None = None
    ) -> int:
        """Ask as somebody in a role, and keep the answer."""
        if path.startswith("/api/"):
            told = self.programs[role].request(method, path, json=said or {} if method == "POST" else None)
            self.answers.append((role, f"{method} {path}", told.status_code, told.text, dict(told.headers)))
            return told.status_code
        visitor = self.visitors[role]
        session = self.served.room.sessions.of(visitor.client.cookies["sevenfold"], self.served.room.now_s())
        assert session is not None
        form = {"form_key": session.form_key, **(said or {})} if method == "POST" else None
        sent = {"file": ("results.csv", file, "text/csv")} if file is not None else None
        answer = visitor.client.request(method, path, data=form, files=sent, follow_redirects=False)
        if role in BLIND:
            shown = unpacked(answer.content) if answer.content.startswith(b"PK") else answer.text
            self.answers.append((role, f"{method} {path}", answer.status_code, shown, dict(answer.headers)))
        else:
            self.shown_to_pharmacists.append(answer.text)
        return answer.status_code

    def crawl(self, method: str) -> None:
        """Every route as every role, with every gap filled by each of a few things that are there."""
        conduct = self.served.room.conduct
        names = [name for name, one in conduct.standings.items() if one.number is not None]
        names = [*[name for name in names if name.startswith(SITE)][:3], *names[-2:], "nobody"]
        for route in declared(app_of(self.served.room)):
            if route.method != method or route.path == "/logout":
                continue
            if method == "POST" and "{name}" in route.path:
                names = names[:1]
            for name in names if "{name}" in route.path else [""]:
                filled = {"name": name, "visit": "day 8", "day": "4", "of": "3", "number": "1", "site": SITE}
                path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda gap: filled.get(gap[1], "1"), route.path)  # noqa: B023
                for role in self.programs if path.startswith("/api/") else Role:
                    if SHOWS_ARMS & RIGHTS[role] & set(route.rights):
                        continue  # it is this role's work to know; the last test says that the worlds differ there
                    self.ask(role, method, path)

    def work(self) -> None:
        """Some days: new subjects, stock, doses, visits, events, masked results that hold doses, an unblinding."""
        room = self.served.room
        n_there = sum(name.startswith(SITE) for name in room.conduct.standings)
        new, *others = (f"{SITE}-{n_there + n:03d}" for n in (1, 2, 3, 4))
        investigator, nurse, pharmacist = Role.INVESTIGATOR, Role.NURSE, Role.PHARMACIST
        for name in (new, *others):
            assert self.ask(investigator, "POST", "/screen", {**eligible(self.served), "subject": name}) == 303
            assert self.ask(investigator, "POST", f"/subjects/{name}/consent", {"by": "patient", "at": self.now}) == 303
            assert self.ask(investigator, "POST", f"/subjects/{name}/randomise") == 303
        done = dict.fromkeys(("dispensed", "given", "masked", "visit", "event"), 0)
        self.stocked()
        for day in (1, 4, 8, 11):
            for name in [name for name in room.conduct.standings if name.startswith(SITE)]:
                self.ask(pharmacist, "POST", f"/pharmacy/{name}/{day}")
                handed = room.conduct.standings[name].dispensed.get(day)
                if handed is not None and day not in room.conduct.standings[name].dose_days:
                    done["dispensed"] += 1
                    said = {"given": "yes", "kit": handed.kit, "at": self.now}
                    done["given"] += self.ask(nurse, "POST", f"/subjects/{name}/doses/{day}", said) == 303
                for visit in (f"day {day}", f"day {day - 1}"):
                    masked = {"subject": name, "visit": visit, "at": self.now, "alc": "20", "alc unit": "10^9/L"}
                    done["masked"] += self.ask(Role.LABORATORY, "POST", "/laboratory", masked) == 303
                    said = {"at": self.now, "platelets": "90", "platelets unit": "10^9/L"}
                    done["visit"] += self.ask(nurse, "POST", f"/subjects/{name}/visits/{visit}", said) == 303
                number = str(room.conduct.standings[name].n_adverse_events + 1)
                event = {
                    "number": number, "term": "Respiratory distress", "grade": "4", "serious": "yes",
                    "relation": "possible", "outcome": "recovering", "began": self.now,
                }  # fmt: skip
                done["event"] += self.ask(investigator, "POST", f"/subjects/{name}/event", event) == 303
            self.clock.move_to(self.clock.at + timedelta(days=3))
        assert min(done.values()) > 0, done
        self.counted({"1.1": 2, "1.2": -1})
        self.kits_come_back(new)
        assert any(event.type == "SafetyReviewed" for event in room.conduct.ledger.events_of(new))
        visitor = self.visitors[investigator]
        visitor.get(f"/subjects/{new}/unblind")
        said = {"asked_by": "The surgeon", "reason": "bleeding"}
        self.unblinded = visitor.post(f"/subjects/{new}/unblind", said)

    def stocked(self) -> None:
        """Both products come in plenty; some vials are set aside, judged, sent back, destroyed and counted."""
        for n in ("60", "70"):
            said = {"reference": "note", "lowest": "3", "highest": "6"}
            for product in self.served.room.protocol.products:
                expires = (self.clock.at + timedelta(days=int(n))).date().isoformat()
                said |= {f"batch {product} 1": "B1", f"expires {product} 1": expires, f"vials {product} 1": n}
            assert self.ask(Role.PHARMACIST, "POST", "/pharmacy/stock/receive", said) == 303
        steps = {
            "quarantine": {"lowest": "1", "highest": "12", "minutes": "30", "reason": "fridge", "vials 1.1": "6"},
            "judge": {"decision": "reject", "decided_by": "QP", "reason": "too long", "vials 1.1": "4"},
            "return": {"come_from": "in stock", "recipient": "depot", "reference": "R", "vials 2.2": "3"},
            "destroy": {"come_from": "rejected", "witness": "W", "certificate": "C", "vials 1.1": "2"},
        }
        for step, said in steps.items():
            assert self.ask(Role.PHARMACIST, "POST", f"/pharmacy/stock/{step}", said) == 303
        self.counted({"1.1": -1, "1.2": 0})

    def counted(self, differ: dict[str, int]) -> None:
        """Vials of some lots are counted; what lies there differs between the worlds once there is use of it."""
        stood = {one.key: one[VialStatus.IN_STOCK] for one in self.served.room.conduct.stock.at(SITE)}
        said = {"reason": "monthly count", "witness": "W"}
        for key, n in differ.items():
            said |= {f"stood {key}": str(stood[key]), f"counted {key}": str(stood[key] + n)}
        assert self.ask(Role.PHARMACIST, "POST", "/pharmacy/stock/count", said) == 303

    def kits_come_back(self, name: str) -> None:
        """The dose of day 15 is prepared and not given; its kit goes back to the pharmacy and is destroyed."""
        pharmacist, given = Role.PHARMACIST, self.served.room.conduct.standings[name].given_days
        assert self.ask(pharmacist, "POST", f"/pharmacy/kits/{name}/{min(given)}/return", {"reason": "damaged"}) == 409
        self.clock.move_to(self.clock.at + timedelta(days=2))
        assert self.ask(pharmacist, "POST", f"/pharmacy/{name}/15") == 303
        assert self.ask(pharmacist, "POST", f"/pharmacy/kits/{name}/15/return", {"reason": "not given"}) == 303
        said = {"witness": "W", "certificate": "C"}
        assert self.ask(pharmacist, "POST", f"/pharmacy/kits/{name}/15/destroy", said) == 303

    def send_files(self) -> None:
        """Files of the laboratory and of the site: new values, the same again, others than are recorded, answers."""
        room, as_it_is = self.served.room, {"encoding": "UTF-8", "decimal": "point"}
        name = [name for name, one in room.conduct.standings.items() if name.startswith(SITE) and one.sealed_visits][-1]
        masked_event = [one for one in room.conduct.ledger.of_type("MaskedResults") if one.subject == name][-1]
        visit = MaskedResults.model_validate_json(masked_event.payload).visit
        held = next((one for one in room.conduct.standings[name].held_at if one != "day 1 after dose"), visit)
        at = datetime.fromisoformat(masked_event.happened_at).strftime("%Y-%m-%d %H:%M")
        masked = f"subject,visit,taken,test,value,unit\n{name},{visit},{at},cd4,900,cells/µL\n{name},{visit},{at},"
        open_ones = f"subject,visit,test,value,unit\n{name},{held},"
        done = 0
        for role, text in (
            (Role.LABORATORY, f"{masked}alc,3,10^9/L\n"), (Role.LABORATORY, f"{masked}alc,40000,cells/µL\n"),
            (Role.LABORATORY, f"{masked}alc,many,cells/µL\n"), (Role.NURSE, f"{open_ones}inr,1.3,\n"),
            (Role.NURSE, f"{open_ones}platelets,60,10^9/L\n"),
        ):  # fmt: skip
            assert self.ask(role, "POST", "/import", as_it_is, text.encode()) == 200
            digest = re.search(r'name="digest" value="(\w+)"', self.answers[-1][3])
            assert digest is not None
            done += self.ask(role, "POST", "/import/confirm", {"digest": digest[1]}) == 200
        assert done == 5
        kinds = {event.type for event in room.conduct.ledger.events_of(name)}
        assert {"FurtherMaskedResults", "SealedQueryRaised"} <= kinds
        answer = {"right": "sent", "reason": "units"}
        assert self.ask(Role.LABORATORY, "POST", f"/laboratory/queries/{name}/1", answer) == 303

    def keep_identities(self) -> None:
        """Who two subjects are: kept, told in a text, destroyed; and a representative's patient who refuses."""
        room = self.served.room
        names = [name for name, one in room.conduct.standings.items() if name.startswith(SITE) and one.number][:2]
        said = {"family_name": "Morel", "given_name": "Anne", "born": "1961-03-31", "hospital_number": "H-4711"}
        for name in names:
            assert self.ask(Role.INVESTIGATOR, "POST", f"/identities/{name}", said) == 303
        told = {"text": "Is it Mrs Morel?"}
        assert self.ask(Role.DATA_MANAGER, "POST", f"/subjects/{names[0]}/data/query", told) == 422
        why = {"reason": "the subject asked for it"}
        assert self.ask(Role.INVESTIGATOR, "POST", f"/identities/{names[1]}/destroy", why) == 303
        here = [name for name in room.conduct.standings if name.startswith(SITE)]
        waiting = [name for name in here if room.conduct.standings[name].awaits_reconsent]
        answer = {"answer": "refused, no use", "at": self.now}
        for name in [name for name in waiting if not room.conduct.standings[name].is_over][:1]:
            assert self.ask(Role.INVESTIGATOR, "POST", f"/subjects/{name}/reconsent", answer) == 303

    def let_in(self) -> None:
        """Somebody is admitted and confirmed by a second person, and a program's token is granted and taken."""
        room = self.served.room
        new = {"name": "Nora Blum", "login": "nora@site.example", "role": "nurse", "site": SITE}
        assert self.ask(Role.ADMINISTRATOR, "POST", "/people", new) == 200
        (nora,) = [one for one in room.accounts.people() if one.login == new["login"]]
        for role in (Role.SPONSOR, Role.INVESTIGATOR, Role.NURSE):
            self.ask(role, "GET", "/attest")
        assert self.ask(Role.INVESTIGATOR, "POST", f"/attest/{nora.id}", {"known by": "met"}) == 200
        nurse = next(
            one for one in room.accounts.people() if one.role is Role.NURSE and one.site == SITE and one != nora
        )
        said = {"right record visits": "yes", "days": "10", "reason": "import of vital signs"}
        assert self.ask(Role.ADMINISTRATOR, "POST", f"/people/{nurse.id}/token", said) == 200
        (token,) = room.tokens.waiting(nurse, room.now_s())
        assert self.ask(Role.NURSE, "POST", f"/account/tokens/{token.id}/take") == 200

    def sign(self) -> None:
        """Everything of a subject is signed; the lock names who is not, and a copy holds the signatures."""
        names = [
            name for name, one in self.served.room.conduct.standings.items() if name.startswith(SITE) and one.number
        ]
        said = {"visit": "", "meaning": "I am responsible for these data", "seen": "999999"}
        assert self.ask(Role.INVESTIGATOR, "POST", f"/subjects/{names[0]}/data/sign", said) == 303
        assert self.ask(Role.DATA_MANAGER, "GET", "/report") == 200
        assert self.ask(Role.DATA_MANAGER, "POST", f"/subjects/{names[-1]}/data/lock") == 409
        assert self.ask(Role.INVESTIGATOR, "POST", "/copy") == 200

    def look_for_events(self) -> None:
        """The auditor looks through the ledger, for what lies nearest to the blind too."""
        for asked in ("kind=Dispensed", "kind=MaskedResults", "kind=SafetyReviewed", "who=pharmacist", f"site={SITE}"):
            assert self.ask(Role.AUDITOR, "GET", f"/ledger?{asked}") == 200
        assert self.ask(Role.AUDITOR, "GET", "/ledger?kind=MaskedResults&below=200") == 200

    @property
    def now(self) -> str:
        """As a form of the site tells it."""
        return self.clock.at.astimezone(PARIS).strftime("%Y-%m-%dT%H:%M")


def unpacked(raw: bytes) -> str:
    """What a zip holds, behind its hash."""
    with ZipFile(BytesIO(raw)) as file:
        held = [f"{name}\n{file.read(name).decode()}" for name in file.namelist()]
    return "\n".join([sha256(raw).hexdigest(), *held])


def in_clear(text: str) -> str:
    """Without what is sealed, which holds words by chance."""
    return re.sub(r"[A-Za-z0-9+/=]{200,}", " ", text)


def rehearsed_halfway(folder: Path) -> None:
    """A trial in progress, with a key beside it."""
    file = load("iris-7")
    own = make_folder(file, folder, key_beside(folder))
    trial = stage(file, folder, 1, shipped(), own)
    rehearse(
        trial.conduct, trial.nature, trial.clock, 1, lambda _done, _of: None,
        stops_at=lambda conduct: conduct.n_randomised >= N_RANDOMISED,
    )  # fmt: skip
    trial.vault.persist()
    trial.conduct.ledger.close()


def swap_arms(folder: Path, by: int) -> None:
    """Give every place the arm so many further on, as a list drawn otherwise would have: in the vault alone.

    By 0 the same is written again, so that both files were written as often.
    """
    secret = Secrets.read(key_beside(folder)).vault
    safe = Safe.open(folder / "vault.db", derived_key(secret, "vault"))
    kept = safe.take()
    supply = Supply.read(kept["supply"])
    arms = list(dict.fromkeys(supply.ratio))
    other = {arm: arms[(place + by) % len(arms)] for place, arm in enumerate(arms)}
    assert not any(state for _, state in kept["withheld"])
    taken = {number: other[arm] for number, arm in kept.get("taken places", [])}
    of_kit = {kit: (number, day) for number, day, kit in kept["kit numbers"]}
    contents = [
        [kit, supply.products[taken[of_kit[kit][0]]][of_kit[kit][1]]] for kit, _ in kept.get("kit contents", [])
    ]
    lists: dict[str, list[Any]] = {
        "allocation list": [[stratum, other[arm]] for stratum, arm in kept["allocation list"]],
        "taken places": [[number, arm] for number, arm in taken.items()],
        "kit contents": contents,
    }
    safe.put({name: (items, range(len(items))) for name, items in lists.items()})


def programs_of(served: Served) -> dict[Role, TestClient]:
    """A program in each role that a token can be made for, with all that it can be let do."""
    found = {}
    for person in served.room.accounts.people():
        wanted = RIGHTS[person.role] & set(OFFERED)
        if wanted:
            token = served.room.tokens.grant(person, wanted, 30, served.room.now_s())
            shown = served.room.tokens.take(token.id, person, served.room.now_s())
            client = TestClient(app_of(served.room), raise_server_exceptions=False)
            client.headers["Authorization"] = f"Bearer {shown}"
            found[person.role] = client
    return found


def lived(folder: Path, patched: pytest.MonkeyPatch) -> World:
    """Open a world and live through the same days in it: the same clock, the same draws of ids and tokens."""
    n_drawn = iter(range(10**6))
    patched.setattr(secrets, "token_hex", lambda n=32: f"{next(n_drawn):0{2 * n}x}")
    patched.setattr(secrets, "token_urlsafe", lambda n=32: f"{next(n_drawn):0{n}d}")
    patched.setattr(Room, "now_s", staticmethod(lambda: 1_800_000_000.0))
    room = opened(folder, key_beside(folder), is_demo=True)
    last = room.conduct.ledger.last_recorded()
    clock = SimulatedClock(last + timedelta(hours=30))
    room.clock = room.conduct.ledger.clock = clock
    world = World(Served(room, folder), clock)

    def here(self: Served, zone: ZoneInfo = PARIS, **earlier: float) -> str:
        at: datetime = clock.at.astimezone(zone) - timedelta(**earlier)
        return at.strftime("%Y-%m-%dT%H:%M")

    patched.setattr(Served, "here", here)

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            world.log.append(record.getMessage())

    logger, handler = logging.getLogger("sevenfold.service"), Kept()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        world.visitors = {role: world.served.as_a(role, place or SITE) for role, place in PLACES}
        world.programs = programs_of(world.served)
        world.crawl("GET")
        world.work()
        world.send_files()
        world.keep_identities()
        world.let_in()
        world.sign()
        world.look_for_events()
        world.crawl("GET")
        world.crawl("POST")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    room.close()
    return world


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, World]:
    """The two."""
    one, other = (tmp_path_factory.mktemp(name) / "trial" for name in ("one", "other"))
    rehearsed_halfway(one)
    shutil.copytree(one, other)
    shutil.copy(key_beside(one), key_beside(other))
    swap_arms(one, 0)
    swap_arms(other, 1)
    found = []
    for folder in (one, other):
        with pytest.MonkeyPatch.context() as patched:
            found.append(lived(folder, patched))
    return found[0], found[1]


def words_of(world: World) -> re.Pattern[str]:
    """Whatever names an arm or a product: labels, the products' ids, the arms' ids as words."""
    protocol = world.served.room.protocol
    labels = [arm.label for arm in protocol.arms] + [product.label for product in protocol.products.values()]
    ids = [rf"\b{arm.id}\b" for arm in protocol.arms] + [rf"\b{name}\b" for name in protocol.products]
    return re.compile("|".join([*map(re.escape, labels), *ids]), re.IGNORECASE)


def dump(path: Path) -> list[str]:
    """Everything a database of SQLite holds."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def kits_of(world: World) -> dict[str, str]:
    """What every kit holds that was handed out."""
    room = world.served.room
    kits = [handed.kit for standing in room.conduct.standings.values() for handed in standing.dispensed.values()]
    return {kit: room.vault.contents(kit) for kit in kits}


def test_the_two_worlds_are_two(worlds: tuple[World, World]) -> None:
    """Else the comparison would say nothing: the pharmacy and the emergency show other products, the vaults differ."""
    one, other = worlds
    assert one.unblinded != other.unblinded
    assert one.shown_to_pharmacists != other.shown_to_pharmacists
    assert (one.served.folder / "vault.db").read_bytes() != (other.served.folder / "vault.db").read_bytes()
    used = [[lot[VialStatus.USED] for lot in world.served.room.conduct.stock.at(SITE)] for world in worlds]
    assert sum(used[0]) == sum(used[1]) > 5
    handed = [kits_of(world) for world in worlds]
    assert handed[0].keys() == handed[1].keys()
    assert handed[0] != handed[1]


def test_everybody_who_must_not_know_is_answered_the_same_in_both_to_the_byte(worlds: tuple[World, World]) -> None:
    """Every route as every role, before and after a week's work, with text, status and headers (and so lengths)."""
    one, other = worlds
    assert len(one.answers) == len(other.answers) > 1000
    assert {status for _, _, status, _, _ in one.answers} >= {200, 303, 403, 409, 422}
    for left, right in zip(one.answers, other.answers, strict=True):
        assert left == right, left[:2]
    assert one.log == other.log


def test_ledger_people_and_heads_are_the_same_and_the_vault_alone_differs(worlds: tuple[World, World]) -> None:
    """With all recorded inputs held fixed."""
    one, other = (world.served.folder for world in worlds)
    names = sorted(str(path.relative_to(one)) for path in one.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(other)) for path in other.rglob("*") if path.is_file())
    assert {"trial.db", "people.db", "vault.db", "identities.db"} <= set(names)
    for name in names:
        if name.endswith(".db") and name != "vault.db":
            assert dump(one / name) == dump(other / name)
        elif name != "vault.db":
            assert (one / name).read_bytes() == (other / name).read_bytes(), name
    sizes = [(folder / "vault.db").stat().st_size for folder in (one, other)]
    assert sizes[0] == sizes[1]


def test_no_answer_to_the_blind_no_log_and_no_file_names_an_arm_or_a_product(worlds: tuple[World, World]) -> None:
    """The trial's title names the product that is tried, on every page; apart from it no word is there. The pharmacy's
    pages, which may, are found by the same search.
    """
    for world in worlds:
        words, protocol = words_of(world), world.served.room.protocol
        assert any(words.search(text.replace(protocol.title, "")) for text in world.shown_to_pharmacists)
        for role, asked, _, text, headers in world.answers:
            found = words.search(in_clear(text.replace(protocol.title, ""))) or words.search(str(headers))
            assert found is None, (role, asked, found)
        assert words.search("\n".join(world.log)) is None
        for path in world.served.folder.rglob("*"):
            if path.is_file() and path.name != "protocol.yaml":
                found = words.search(in_clear(path.read_bytes().decode("latin-1")))
                assert found is None, (path.name, found)


def test_the_closed_report_differs_between_the_worlds_for_those_whose_work_it_is(worlds: tuple[World, World]) -> None:
    """It is by arm, under letters; nobody else has it. Last, as it lets somebody in."""
    one, other = (world.served.as_a(Role.IDMC_STATISTICIAN).get("/committee/closed") for world in worlds)
    assert one != other
    assert {role for role in Role if RIGHTS[role] & SHOWS_ARMS} == {Role.IDMC_STATISTICIAN, Role.SAFETY_REVIEWER}
