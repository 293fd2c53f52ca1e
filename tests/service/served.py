"""A trial that is served, and people who work in it: what the tests of the pages share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pyotp
import sqlalchemy as sa
from fastapi.testclient import TestClient

from sevenfold.edge.keys import key_beside
from sevenfold.protocol.load import load
from sevenfold.record.payloads import LostToFollowUp
from sevenfold.service.app import app_of
from sevenfold.service.opening import begin_trial, opened
from sevenfold.service.people.person import Person
from sevenfold.service.role import AT_A_SITE, Role
from sevenfold.service.room import Room
from sevenfold.trial.signing import MEANINGS, sign_data

__all__ = [
    "HERE",
    "SITE",
    "Served",
    "Visitor",
    "consenting",
    "eligible",
    "ended",
    "enrolled",
    "serve_again",
    "serve_new",
    "signed",
    "take_up",
]

HERE: Final = "http://testserver"
SITE: Final = "FR-1"
_ZONE: Final = ZoneInfo("Europe/Paris")


@dataclass(slots=True)
class Visitor:
    """Somebody with a browser."""

    client: TestClient
    form_key: str = ""
    seen: str = ""

    def get(self, address: str, status: int = 200) -> str:
        """Open a page; answers its text."""
        answer = self.client.get(address)
        assert answer.status_code == status, (address, answer.status_code, answer.text)
        self._note(answer.text)
        return str(answer.text)

    def post(self, address: str, said: Mapping[str, str] | None = None, status: int = 200) -> str:
        """Send a form, as the page that was opened last would."""
        answer = self.client.post(address, data=self._form(said or {}))
        assert answer.status_code == status, (address, answer.status_code, answer.text)
        self._note(answer.text)
        return str(answer.text)

    def send_file(self, raw: bytes, status: int = 200, name: str = "results.csv", **said: str) -> str:
        """Send a file of results; answers the page that shows it."""
        form = {"form_key": self.form_key, "encoding": "UTF-8", "decimal": "point", **said}
        answer = self.client.post("/import", data=form, files={"file": (name, raw, "text/csv")})
        assert answer.status_code == status, (answer.status_code, answer.text)
        self._note(answer.text)
        return str(answer.text)

    def confirm_file(self, page: str, status: int = 200) -> str:
        """Confirm what a page showed of a file."""
        found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
        assert found is not None, page
        return self.post("/import/confirm", {"digest": found[1]}, status)

    def _form(self, said: Mapping[str, str]) -> dict[str, str]:
        """What is said, with what the page that was opened last hides in its forms."""
        return {"form_key": self.form_key, **({"seen": self.seen} if self.seen else {}), **said}

    def _note(self, text: str) -> None:
        seen = re.search(r'name="seen" value="(\d+)"', text)
        self.seen = seen[1] if seen else self.seen
        found = re.search(r'name="form_key" value="([^"]*)"', text)
        if found:
            self.form_key = found[1]


@dataclass(slots=True)
class Served:
    """A new trial in a folder, with one person in every role; those of a site at the first French one."""

    room: Room
    folder: Path
    people: dict[Role, Person] = field(default_factory=dict)

    def anybody(self) -> Visitor:
        """Somebody who is not in."""
        return Visitor(TestClient(app_of(self.room), base_url=HERE, raise_server_exceptions=False))

    def as_a(self, role: Role, site: str | None = SITE) -> Visitor:
        """Somebody in a role, who is in."""
        place = site if role in AT_A_SITE else None
        person = next((one for one in self.room.accounts.people() if one.role is role and one.site == place), None)
        if person is None:
            name = f"{role.value} {place or ''}".strip()
            person = self.room.accounts.admit(name, name, role, place, tuple(self.room.protocol.sites))
            self.room.admitted(person, None)
        visitor = self.anybody()
        visitor.client.cookies.set("sevenfold", self.room.sessions.begin(person, self.room.now_s()))
        visitor.get("/", status=200)
        return visitor

    def here(self, zone: ZoneInfo = _ZONE, **earlier: float) -> str:
        """What a form says of a moment: now at the site, or so much earlier."""
        at = datetime.now(zone) - timedelta(**earlier)
        return at.strftime("%Y-%m-%dT%H:%M")


def serve_new(folder: Path, protocol: str = "iris-7", database: sa.URL | None = None) -> Served:
    """A new trial, ready for its first administrator; in files, or ledger and people in a database."""
    key = key_beside(folder)
    begin_trial(load(protocol), folder, key, database)
    return Served(opened(folder, key), folder)


def serve_again(served: Served) -> Served:
    """The same trial, as a server started anew finds it."""
    served.room.close()
    return Served(opened(served.folder, key_beside(served.folder)), served.folder)


def consenting(served: Served, n: int) -> list[str]:
    """Subjects of the first French site who were screened and consented, through the pages."""
    sponsor, investigator = served.as_a(Role.SPONSOR), served.as_a(Role.INVESTIGATOR)
    if SITE not in served.room.conduct.whole.sites:
        sponsor.get("/progress")
        sponsor.post(f"/sites/{SITE}/open")
    names = []
    for _ in range(n):
        name = f"{SITE}-{len(served.room.conduct.standings) + 1:03d}"
        investigator.get("/screen")
        investigator.post("/screen", {**eligible(served), "subject": name})
        investigator.post(f"/subjects/{name}/consent", {"by": "patient", "at": served.here()})
        names.append(name)
    return names


def enrolled(served: Served, n: int) -> list[str]:
    """The same, and randomised."""
    names, investigator = consenting(served, n), served.as_a(Role.INVESTIGATOR)
    for name in names:
        investigator.get(f"/subjects/{name}")
        investigator.post(f"/subjects/{name}/randomise")
    return names


def ended(served: Served, n: int) -> list[str]:
    """The same, whose parts are over; nobody has a password then."""
    served.room.is_demo = True
    names = enrolled(served, n)
    for name in names:
        with served.room.step(None) as conduct:
            conduct.record(name, LostToFollowUp(), "investigator", served.room.clock.now())
    return names


def signed(served: Served, *names: str) -> None:
    """An investigator of the first French site signs everything of these subjects."""
    served.as_a(Role.INVESTIGATOR)
    ida = next(one for one in served.room.accounts.people() if (one.role, one.site) == (Role.INVESTIGATOR, SITE))
    for name in names:
        with served.room.step(ida) as conduct:
            sign_data(conduct, name, ida.name, MEANINGS[0], None, served.room.here_and_now(ida, name))


def take_up(visitor: Visitor, link: str, password: str) -> str:
    """Take up an invitation, and answer the secret of the second factor."""
    text = visitor.get(link.removeprefix(HERE))
    factor = re.search(r'name="factor" value="([A-Z2-7]+)"', text)
    assert factor is not None
    code = pyotp.TOTP(factor[1]).now()
    visitor.post(link.removeprefix(HERE), {"factor": factor[1], "password": password, "again": password, "code": code})
    return factor[1]


def eligible(served: Served, zone: ZoneInfo = _ZONE) -> dict[str, str]:
    """A screening form of iris-7 that meets every criterion."""
    facts = {
        "female": "no", "suspected_infection": "yes", "icu_stay_two_weeks_predicted": "yes", "consent_possible": "yes",
    } | dict.fromkeys(
        (
            "active_cancer_treatment", "cardiac_arrest_without_recovery", "immunosuppressive_treatment",
            "autoimmune_disease", "haematological_malignancy", "hiv_or_active_hepatitis", "end_stage_liver_disease",
            "splenectomy", "pregnant_or_lactating", "other_investigational_drug", "moribund_or_care_withdrawn",
        ),
        "no",
    )  # fmt: skip
    numbers = {
        "age": "63", "weight": "80", "height": "176", "hours_since_icu_admission": "60", "sofa_worst_at_entry": "9",
        "sirs_criteria": "3", "sofa_worst_organ_at_entry": "3", "fluid_24h": "30",
    }  # fmt: skip
    return (
        {f"fact {name}": value for name, value in facts.items()}
        | {f"number {name}": value for name, value in numbers.items()}
        | {
            "at": served.here(zone),
            "laboratory alc 0": "0.45",
            "laboratory alc 0 unit": "10^9/L",
            "laboratory alc 0 at": served.here(zone, hours=3),
            "infusion norepinephrine 0": "0.2",
            "infusion norepinephrine 0 from": served.here(zone, hours=20),
            "infusion norepinephrine 0 to": served.here(zone, hours=8),
        }
    )
