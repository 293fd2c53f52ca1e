"""The HTTP interface: tokens, the same rights and rules as the pages, and nothing taken for something else."""

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import schemathesis
from attacked import PASSWORD, Watch, member, suspend
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from served import HERE, SITE, Served, enrolled, serve_again, serve_new

from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import AdverseEventReported, PersonChanged, VisitHeld, read_payload
from sevenfold.record.verify import verify
from sevenfold.service.app import app_of
from sevenfold.service.declared import declared
from sevenfold.service.people.person import Person
from sevenfold.service.people.tokens import OFFERED
from sevenfold.service.role import AT_A_SITE, RIGHTS, Right, Role

API = "/api/v1"
OTHER = "FR-2"
PARIS = ZoneInfo("Europe/Paris")
EXAMPLES = int(os.environ.get("SEVENFOLD_EXAMPLES", "5"))
SPEAKING = [role for role in Role if RIGHTS[role] & set(OFFERED)]


def somebody(served: Served, role: Role, site: str = SITE) -> Person:
    """Whoever has a role."""
    served.as_a(role, site)
    place = site if role in AT_A_SITE else None
    return next(one for one in served.room.accounts.people() if one.role is role and one.site == place)


def program(served: Served, role: Role, rights: set[Right] | None = None, site: str = SITE) -> TestClient:
    """A program that acts for somebody in a role, in all that a token can let it do or in some."""
    person = somebody(served, role, site)
    wanted = RIGHTS[role] & set(OFFERED) if rights is None else rights
    token = served.room.tokens.grant(person, wanted, 30, served.room.now_s())
    shown = served.room.tokens.take(token.id, person, served.room.now_s())
    client = TestClient(app_of(served.room), base_url=HERE, raise_server_exceptions=False)
    client.headers["Authorization"] = f"Bearer {shown}"
    return client


def now() -> str:
    """The present moment at the site, with its offset."""
    return datetime.now(PARIS).replace(second=0, microsecond=0).isoformat()


def candidate(subject: str, **other: Any) -> dict[str, Any]:
    """A candidate of iris-7 who meets every criterion."""
    no = (
        "active_cancer_treatment", "cardiac_arrest_without_recovery", "immunosuppressive_treatment",
        "autoimmune_disease", "haematological_malignancy", "hiv_or_active_hepatitis", "end_stage_liver_disease",
        "splenectomy", "pregnant_or_lactating", "other_investigational_drug", "moribund_or_care_withdrawn", "female",
    )  # fmt: skip
    yes = ("suspected_infection", "icu_stay_two_weeks_predicted", "consent_possible")
    numbers = {
        "age": (63, "year"), "weight": (80, "kg"), "height": (1.76, "m"), "hours_since_icu_admission": (60, "h"),
        "sofa_worst_at_entry": (9, "points"), "sirs_criteria": (3, "points"),
        "sofa_worst_organ_at_entry": (3, "points"),
        "fluid_24h": (30, "mL/kg"),
    }  # fmt: skip
    at = datetime.now(PARIS).replace(second=0, microsecond=0)

    def hour(hours: int) -> str:
        return datetime.fromtimestamp(at.timestamp() - 3600 * hours, PARIS).isoformat()

    return {
        "subject": subject,
        "at": at.isoformat(),
        "facts": dict.fromkeys(no, False) | dict.fromkeys(yes, True),
        "numbers": {name: {"value": value, "unit": unit} for name, (value, unit) in numbers.items()},
        "laboratory": {"alc": [{"value": 0.45, "unit": "10^9/L", "taken_at": hour(3)}]},
        "infusions": {"norepinephrine": [{"rate": 0.2, "began_at": hour(20), "ended_at": hour(8)}]},
        **other,
    }


EVENT = {
    "number": 1, "term": "Fever", "grade": 1, "is_serious": False, "relation": "possible", "outcome": "recovered",
}  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A trial with a subject who is randomised and one at another site who was screened."""
    one = serve_new(tmp_path_factory.mktemp("api") / "trial")
    enrolled(one, 1)
    sponsor = one.as_a(Role.SPONSOR)
    sponsor.get("/progress")
    sponsor.post(f"/sites/{OTHER}/open")
    answer = program(one, Role.INVESTIGATOR, site=OTHER).post(f"{API}/subjects", json=candidate(f"{OTHER}-001"))
    assert answer.status_code == 201, answer.text
    return one


def test_a_program_takes_the_steps_of_a_subject_as_a_person_does(served: Served) -> None:
    """Screened, consented, visited, randomised, reported: the events, actors and values are those of the pages."""
    investigator, nurse = program(served, Role.INVESTIGATOR), program(served, Role.NURSE)
    n = sum(name.startswith(f"{SITE}-") for name in served.room.conduct.standings)
    name = f"{SITE}-{n + 1:03d}"
    screened = investigator.post(f"{API}/subjects", json=candidate(name))
    assert (screened.status_code, screened.json()["is_eligible"]) == (201, True), screened.text
    assert investigator.post(f"{API}/subjects", json=candidate(name)).status_code == 409
    who = f"{API}/subjects/{name}"
    assert investigator.post(f"{who}/randomise").status_code == 409
    assert investigator.post(f"{who}/consent", json={"by": "patient", "at": now()}).status_code == 201
    visit = {
        "at": now(),
        "results": {"platelets": {"value": 120, "unit": "10^9/L"}, "inr": {"value": 1.2, "unit": "ratio"}},
    }
    held = nurse.post(f"{who}/visits/day 1", json=visit)
    assert held.status_code == 201, held.text
    number = investigator.post(f"{who}/randomise").json()["number"]
    assert number == served.room.conduct.standings[name].number
    assert investigator.post(f"{who}/adverse-events", json={**EVENT, "began_at": now()}).status_code == 201
    assert investigator.post(f"{who}/adverse-events", json={**EVENT, "began_at": now()}).status_code == 409
    events = served.room.conduct.ledger.events_of(name)
    assert [event.type for event in events] == [
        "CandidateScreened", "ConsentGiven", "VisitHeld", "Randomised", "AdverseEventReported",
    ]  # fmt: skip
    assert events[2].actor == somebody(served, Role.NURSE).actor
    said = read_payload(events[2])
    assert isinstance(said, VisitHeld)
    assert (said.results["platelets"].value, said.results["platelets"].entered) == (120_000.0, "120 10^9/L")
    event = read_payload(events[4])
    assert isinstance(event, AdverseEventReported)
    assert event.term == "Fever"
    told = investigator.get(who).json()
    assert (told["number"], told["n_adverse_events"], told["site"]) == (number, 1, SITE)
    assert name in [one["subject"] for one in investigator.get(f"{API}/subjects").json()["subjects"]]
    assert investigator.get(f"{API}/progress").json()["planned"] == 27
    assert verify(served.folder / "trial.db").is_whole


def test_an_unfit_candidate_is_recorded_with_the_reasons(served: Served) -> None:
    """As on the page."""
    n = sum(name.startswith(f"{SITE}-") for name in served.room.conduct.standings)
    old = candidate(f"{SITE}-{n + 1:03d}")
    old["numbers"]["age"]["value"] = 91
    told = program(served, Role.INVESTIGATOR).post(f"{API}/subjects", json=old).json()
    assert told["is_eligible"] is False
    assert "91" in json.dumps(told["unmet"])


@pytest.mark.parametrize(
    "value",
    [False, True, "1", None, [1], {}, float("nan"), float("inf"), 10**400, -1, 1e300, "1e3", "<5"],
    ids=lambda value: repr(value)[:12],
)
def test_what_is_no_laboratory_value_is_not_taken_for_one(served: Served, value: object) -> None:
    """``false`` is not 0: neither with a visit, nor among masked results, nor at screening."""
    programs = {role: program(served, role) for role in (Role.NURSE, Role.LABORATORY, Role.INVESTIGATOR)}
    before = served.room.conduct.ledger.head.count
    body = {"at": now(), "results": {"platelets": {"value": value, "unit": "10^9/L"}}}
    masked = {"at": now(), "results": {"alc": {"value": value, "unit": "10^9/L"}}}
    sample = [{"value": value, "unit": "10^9/L", "taken_at": now()}]
    who = f"{API}/subjects/{SITE}-001"
    for role, path, said in (
        (Role.NURSE, f"{who}/visits/day 1", body),
        (Role.LABORATORY, f"{who}/laboratory/day 1", masked),
        (Role.INVESTIGATOR, f"{API}/subjects", candidate(f"{SITE}-099", laboratory={"alc": sample})),
    ):
        answer = programs[role].post(path, content=json.dumps(said), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert served.room.conduct.ledger.head.count == before


def test_nothing_that_is_sent_is_dropped_without_a_word(served: Served) -> None:
    """Unknown fields, units, tests, moments without offset, what the protocol masks, and too many values are told."""
    nurse, investigator = program(served, Role.NURSE), program(served, Role.INVESTIGATOR)
    visit, who = f"{API}/subjects/{SITE}-001/visits/day 1", f"{API}/subjects/{SITE}-001"
    value = {"value": 1.0, "unit": "10^9/L"}
    wrong: list[tuple[TestClient, str, Any]] = [
        (nurse, visit, {"at": now(), "results": {}, "more": 1}),
        (nurse, visit, {"at": now(), "results": {"unknown": value}}),
        (nurse, visit, {"at": now(), "results": {"alc": value}}),
        (nurse, visit, {"at": now(), "results": {"platelets": {"value": 1.0, "unit": "stones"}}}),
        (nurse, visit, {"at": now(), "results": {"platelets": {"value": 1.0, "unit": ""}}}),
        (nurse, visit, {"at": now(), "results": {"platelets": {**value, "qualifier": "~"}}}),
        (nurse, visit, {"at": "2026-01-01T10:00", "results": {}}),
        (nurse, visit, {"at": 1_700_000_000, "results": {}}),
        (nurse, visit, {"at": "1700000000", "results": {}}),
        (nurse, visit, {"at": "0001-01-01T00:00+14:00", "results": {}}),
        (nurse, visit, {"at": now(), "results": {"platelets": value}, "missed_because": "ill"}),
        (nurse, visit, {"at": now(), "missed_because": " "}),
        (nurse, visit, []),
        (investigator, f"{who}/adverse-events", {**EVENT, "began_at": now(), "is_serious": "false"}),
        (investigator, f"{who}/adverse-events", {**EVENT, "began_at": now(), "grade": 6}),
        (investigator, f"{who}/adverse-events", {**EVENT, "began_at": now(), "grade": True}),
        (investigator, f"{who}/adverse-events", {**EVENT, "began_at": now(), "term": "turned \u202e"}),
        (investigator, f"{who}/consent", {"by": "nobody", "at": now()}),
        (investigator, f"{API}/subjects", candidate(f"{SITE}-099", facts={"unknown": True})),
        (investigator, f"{API}/subjects", candidate(f"{SITE}-099", facts={"female": 1})),
        (investigator, f"{API}/subjects", candidate(f"{SITE}-099", laboratory={"alc": [
            {"value": 0.4, "unit": "10^9/L", "taken_at": now()}] * 9})),
    ]  # fmt: skip
    before = served.room.conduct.ledger.head.count
    for client, path, said in wrong:
        answer = client.post(path, json=said)
        assert answer.status_code == 422, (said, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail"} == answer.json().keys()
        assert "Traceback" not in answer.text
    assert served.room.conduct.ledger.head.count == before


@pytest.mark.parametrize("role", SPEAKING)
def test_a_token_opens_what_it_was_made_for_and_nothing_else(served: Served, role: Role) -> None:
    """Each route of the interface with each right alone: 403 but for its own; pages stay shut."""
    routes = [one for one in declared(app_of(served.room)) if one.path.startswith(API) and not one.is_public]
    assert len(routes) > 8
    for right in sorted(RIGHTS[role] & set(OFFERED)):
        client = program(served, role, {right})
        for route in routes:
            path = route.path.replace("{name}", "nobody").replace("{visit}", "day 1")
            answer = client.request(route.method, path, json={} if route.method == "POST" else None)
            assert (answer.status_code != 403) == (route.right is right), (right, route, answer.text)
        assert client.get("/subjects", follow_redirects=False).headers["location"] == "/login"


def test_without_a_token_that_is_open_nothing_is_answered(served: Served) -> None:
    """None, a wrong one, a page's cookie, one of somebody suspended, revoked, or expired."""
    client = TestClient(app_of(served.room), base_url=HERE)
    tried = [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}]
    tried.append({"Cookie": f"sevenfold={served.as_a(Role.INVESTIGATOR).client.cookies['sevenfold']}"})
    for headers in tried:
        answer = client.get(f"{API}/subjects", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), headers
        assert answer.headers["content-type"] == "application/problem+json"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert client.get(f"{API}/nowhere").status_code == 404


def test_a_token_ends_by_its_day_by_revocation_and_by_suspension(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database holds a hash of it; a server started anew knows it."""
    watch = Watch().put_on(monkeypatch)
    served = serve_new(tmp_path / "trial")
    clients = [program(served, Role.SPONSOR) for _ in range(2)]
    shown = clients[0].headers["Authorization"].removeprefix("Bearer ")
    assert shown.encode() not in b"".join(path.read_bytes() for path in served.folder.glob("people.db*"))
    assert [client.get(f"{API}/progress").status_code for client in clients] == [200, 200]
    first = served.room.tokens.of(shown, watch.at_s)
    assert first is not None
    served.room.tokens.revoke(first.id)
    assert [client.get(f"{API}/progress").status_code for client in clients] == [401, 200]
    suspend(served, first.person)
    assert clients[1].get(f"{API}/progress").status_code == 401
    suspend(served, first.person, is_suspended=False)
    served = serve_again(served)
    again = TestClient(app_of(served.room), base_url=HERE, headers=dict(clients[1].headers))
    assert again.get(f"{API}/progress").status_code == 200
    watch.at_s += 30 * 86_400
    assert again.get(f"{API}/progress").status_code == 401


def test_the_administrator_makes_and_revokes_tokens_and_the_ledger_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a person, with a part of the role's rights, a reason and an end; it is shown once, to the person alone."""
    watch = Watch().put_on(monkeypatch)
    served = serve_new(tmp_path / "trial")
    nina, administrator = member(served, watch), served.as_a(Role.ADMINISTRATOR)
    nurse = nina.person
    administrator.get("/people")
    wanted = {"right record visits": "yes", "days": "10", "reason": "import of vital signs"}
    text = administrator.post(f"/people/{nurse.id}/token", wanted)
    assert "sevenfold_" not in text
    (token,) = served.room.tokens.all()
    own, paul = nina.come_in(), member(served, watch).come_in()
    watch.at_s += 60
    take = f"/account/tokens/{token.id}/take"
    own.get("/account")
    for visitor, said, told in (
        (administrator, {}, "no such token"), (paul, {}, "no such token"), (own, {}, "do not belong together"),
        (own, {"password": PASSWORD, "code": "000000"}, "do not belong together"),
    ):  # fmt: skip
        visitor.get("/account")
        assert told in visitor.post(take, said, 422)
    assert served.room.tokens.of(f"waits {token.id}", watch.at_s) is None
    said = {"password": PASSWORD, "code": nina.code()}
    shown = re.search(r'class="token">(sevenfold_[\w-]{43})<', own.post(take, said))
    assert shown is not None
    assert shown[1] not in own.get("/account")
    assert "sevenfold_" not in administrator.get("/people")
    watch.at_s += 60
    assert "no such token" in own.post(take, {"password": PASSWORD, "code": nina.code()}, 422)
    assert served.room.tokens.of(shown[1], watch.at_s) is not None
    assert token.rights == {Right.RECORD_VISIT}
    for said in (
        {**wanted, "days": "0"}, {**wanted, "days": "999"}, {**wanted, "reason": ""}, {"days": "1", "reason": "x"},
    ):  # fmt: skip
        administrator.post(f"/people/{nurse.id}/token", said, 422)
    administrator.post(f"/people/tokens/{token.id}/revoke", {"reason": "no longer needed"})
    assert served.room.tokens.of(shown[1], served.room.now_s()) is None
    events = [event for event in served.room.conduct.ledger.events() if event.type == "PersonChanged"]
    changed = [read_payload(event) for event in events]
    changes = [(one.change, one.person) for one in changed if isinstance(one, PersonChanged)]
    assert changes == [("token made", nurse.id), ("token taken", nurse.id), ("token revoked", nurse.id)]
    assert [one.actor.partition(" ")[0] for one in events] == ["administrator", "nurse", "administrator"]
    assert "record visits" in str(changed[0])
    assert verify(served.folder / "trial.db").is_whole


@pytest.mark.parametrize("right", [Right.UNBLIND_ONE, Right.MANAGE_PEOPLE, Right.SEE_MASKED, Right.SCREEN])
def test_no_token_lets_a_program_unblind_admit_or_do_what_the_role_may_not(served: Served, right: Right) -> None:
    """SCREEN is offered, and not to a nurse."""
    holders = [role for role in Role if right in RIGHTS[role]] if right is not Right.SCREEN else [Role.NURSE]
    for role in holders:
        with pytest.raises(InvalidInput, match="rights of that role"):
            served.room.tokens.grant(somebody(served, role), {right}, 1, served.room.now_s())


@pytest.mark.parametrize("role", [Role.INVESTIGATOR, Role.NURSE])
def test_another_sites_subject_is_answered_as_one_who_does_not_exist(served: Served, role: Role) -> None:
    """404 with the same text, whatever is sent."""
    client = program(served, role)
    for route in declared(app_of(served.room)):
        if "{name}" not in route.path or not route.path.startswith(API) or route.right not in RIGHTS[role]:
            continue
        answers = []
        for subject in (f"{OTHER}-001", f"{OTHER}-009"):
            path = route.path.replace("{name}", subject).replace("{visit}", "day 1")
            said: dict[str, Any] = {"began_at": now(), **EVENT} if "event" in path else {"at": now()}
            said |= {"by": "patient"} if path.endswith("consent") else {}
            answer = client.request(route.method, path, json=said if route.method == "POST" else None)
            answers.append((answer.status_code, answer.text.replace(subject, "it")))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404, (route, answers)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("role", SPEAKING)
def test_whatever_is_sent_breaks_nothing_and_no_nonsense_is_accepted(served: Served, role: Role) -> None:
    """Requests drawn from the description, right and wrong, as each role: no 5xx, wrong ones refused, answers as
    described. ``SEVENFOLD_EXAMPLES`` draws more.
    """
    client = program(served, role)
    schema = schemathesis.openapi.from_asgi(f"{API}/openapi.json", app_of(served.room))
    checks = [
        not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
        negative_data_rejection, ignored_auth,
    ]  # fmt: skip
    headers = {"Authorization": client.headers["Authorization"]}
    n_operations = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        n_operations += 1
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            if (
                mode is schemathesis.GenerationMode.NEGATIVE
                and operation.path.endswith(("subjects", "progress"))
                and (operation.method.upper() == "GET")
            ):
                continue  # nothing is sent that could be wrong

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
                suppress_health_check=list(HealthCheck), phases=[Phase.generate],
            )  # fmt: skip
            def asked(case: Any) -> None:
                answer = case.call(headers=headers)
                assert answer.status_code < 500, answer.text
                case.validate_response(answer, checks=checks, headers=headers)

            asked()
    assert n_operations >= 9
    assert verify(served.folder / "trial.db").is_whole
