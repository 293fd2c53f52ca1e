"""Who may ask for what: every role at every route, by request."""

import re
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from served import SITE, Served, eligible, enrolled, serve_new

from sevenfold.errors import InvalidDesign
from sevenfold.service.app import app_of
from sevenfold.service.declared import PUBLIC, Declared, check_declared, declared
from sevenfold.service.gate import Seat, seated
from sevenfold.service.role import AT_A_SITE, RIGHTS, Right, Role

OTHER = "FR-2"
_NOTHING = Served(room=None, folder=Path())  # type: ignore[arg-type]  # routes do not depend on the trial
ROUTES = [one for one in declared(app_of(_NOTHING.room)) if not one.path.startswith("/api/")]
GATED = [one for one in ROUTES if not one.is_public]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A trial with a subject at each of two sites."""
    one = serve_new(tmp_path_factory.mktemp("roles") / "trial")
    enrolled(one, 1)
    sponsor, there = one.as_a(Role.SPONSOR), one.as_a(Role.INVESTIGATOR, OTHER)
    sponsor.get("/progress")
    sponsor.post(f"/sites/{OTHER}/open")
    there.get("/screen")
    there.post("/screen", {**eligible(one), "subject": f"{OTHER}-001"})
    return one


def address_of(route: Declared, subject: str = f"{SITE}-001") -> str:
    """The route with something in each of its gaps."""
    filled = {"name": subject, "visit": "day 1", "day": "1", "of": "1", "number": "1", "site": SITE, "key": "nobody"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda gap: filled.get(gap[1], "1"), route.path)


def test_every_route_asks_for_one_right_or_stands_on_the_list_of_the_door(served: Served) -> None:
    """The application checks it when it is made; here the list is checked to have nothing that is not there."""
    every = declared(app_of(served.room))
    assert {(one.method, one.path) for one in every if one.is_public} == PUBLIC
    assert all(len(one.rights) == (not one.is_public) for one in every)
    assert len(GATED) > 25
    assert {one.right for one in GATED} <= {None, *Right}


def test_an_application_with_a_forgotten_route_is_not_made() -> None:
    """Neither with none nor with two rights; whatever isn't a route is refused as well."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    check_declared(app)

    @app.get("/forgotten")
    def forgotten() -> str:
        return ""

    with pytest.raises(InvalidDesign, match="GET /forgotten asks for 0 rights"):
        check_declared(app)
    twice = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @twice.get("/twice")
    def two(
        one: Annotated[Seat, Depends(seated(Right.LOCK))], other: Annotated[Seat, Depends(seated(Right.SIGN))]
    ) -> str:
        return ""

    with pytest.raises(InvalidDesign, match="GET /twice asks for 2 rights"):
        check_declared(twice)
    mounted = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    mounted.mount("/elsewhere", StaticFiles(directory=str(Path(__file__).parent)))
    with pytest.raises(InvalidDesign, match="answers requests and asks for nothing"):
        check_declared(mounted)


@pytest.mark.parametrize("role", Role)
def test_a_role_is_answered_where_it_has_the_right_and_refused_everywhere_else(served: Served, role: Role) -> None:
    """Each cell of the matrix, by a request with a valid session and form key; none breaks the program."""
    wrong = []
    visitor = served.as_a(role)
    session = served.room.sessions.of(visitor.client.cookies["sevenfold"], served.room.now_s())
    assert session is not None
    form = {"form_key": session.form_key}
    for route in sorted(GATED, key=lambda one: one.path == "/logout"):
        answer = visitor.client.request(
            route.method, address_of(route), data=form if route.method == "POST" else None, follow_redirects=False
        )
        may = route.right is None or route.right in RIGHTS[role]
        if (answer.status_code == 403) == may or answer.status_code >= 500 or answer.status_code == 405:
            wrong.append((route.method, route.path, may, answer.status_code))
    assert wrong == []


def test_whoever_is_not_in_gets_to_the_login_from_every_route(served: Served) -> None:
    """And with a cookie of nobody's as well."""
    for cookie in (None, "nobody's"):
        visitor = served.anybody()
        if cookie:
            visitor.client.cookies.set("sevenfold", cookie)
        for route in GATED:
            answer = visitor.client.request(route.method, address_of(route), follow_redirects=False)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/login"), route


def test_each_role_has_a_screen_to_begin_with_and_its_links_open(served: Served) -> None:
    """A role whose own screen refuses it could not work."""
    for role in Role:
        visitor = served.as_a(role)
        text = visitor.get("/")
        links = re.findall(r'<a href="(/[a-z]+)"', text)
        assert links, role
        for link in links:
            visitor.get(link)


@pytest.mark.parametrize("role", sorted(AT_A_SITE))
def test_a_subject_of_another_site_is_answered_as_one_who_does_not_exist(served: Served, role: Role) -> None:
    """Otherwise the answer would tell how many subjects another site has."""
    visitor = served.as_a(role)
    session = served.room.sessions.of(visitor.client.cookies["sevenfold"], served.room.now_s())
    assert session is not None
    ours = [one for one in GATED if "{name}" in one.path and one.right in RIGHTS[role]]
    assert ours
    form = {
        "form_key": session.form_key, "at": served.here(), "began": served.here(), "field": "known", "reason": "why",
        "asked_by": "I", "by": "patient", "text": "?", "step": "withdrew", "grade": "1", "relation": "possible",
        "outcome": "fatal", "term": "Fever", "number": "1", "meaning": "I am responsible for these data", "after": "1",
    }  # fmt: skip
    before = served.room.conduct.ledger.head.count
    for route in ours:
        answers = []
        for subject in (f"{OTHER}-001", f"{OTHER}-009"):
            answer = visitor.client.request(
                route.method, address_of(route, subject), data=form if route.method == "POST" else None
            )
            answers.append((answer.status_code, answer.text.replace(subject, "it")))
        assert answers[0] == answers[1], route
        assert answers[0][0] == 422, route
    assert served.room.conduct.ledger.head.count == before
