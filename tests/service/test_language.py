"""The pages in French: every sentence of ours has one, and the page says which language it is in."""

import ast
import re
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest
from jinja2 import Environment, nodes
from served import Served, enrolled, serve_new

from sevenfold.protocol.registered import CriterionKind
from sevenfold.record.payloads import KitReturned, OrganSupport
from sevenfold.service.importing.plan import State
from sevenfold.service.language import LANGUAGES, moment, table
from sevenfold.service.pages import events, identities
from sevenfold.service.role import RIGHTS, Right, Role
from sevenfold.trial.signing import MEANINGS
from sevenfold.trial.subject import Disposition
from sevenfold.trial.vials import VialStatus

SOURCE = Path(str(files("sevenfold")))
TEMPLATES = sorted((SOURCE / "service" / "templates").glob("*.j2"))
SPEAKING = [
    *sorted(set((SOURCE / "service").glob("*.py")) - {SOURCE / "service" / "archive_verify.py"}),  # runs on its own
    SOURCE / "report" / "boundary_figure.py",
    SOURCE / "report" / "enrolment_figure.py",
    SOURCE / "report" / "subject_figure.py",
    SOURCE / "report" / "resupply_figure.py",
]
CHOSEN = [
    *(role.value for role in Role),
    *(one.value for one in Disposition),
    *(kind.value for kind in CriterionKind),
    *events._RELATIONS,
    *events._OUTCOMES,
    *MEANINGS,
    *(one.value for one in VialStatus),
    *get_args(KitReturned.model_fields["reason"].annotation),
    *("received", "dispensed", "counted", "found", "receipt corrected", "kit returned", "kit destroyed"),
    *("given", "came back", "on the ward"),
    *(state.value for state in State),
    *identities.REASONS,
    "open",
    "answered",
    "closed",
    *(
        f"{support.capitalize()}: {change}"
        for support in get_args(OrganSupport.model_fields["support"].annotation)
        for change in get_args(OrganSupport.model_fields["change"].annotation)
    ),
]


def in_templates() -> Iterator[str]:
    """Sentences given to ``_``, and words in the lists that a template goes through."""
    for path in TEMPLATES:
        tree = Environment().parse(path.read_text(encoding="utf-8"))  # parsed, never rendered
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                first = call.args[0]
                found = [first] if isinstance(first, nodes.Const) else first.find_all(nodes.Const)
                yield from (one.value for one in found if isinstance(one.value, str))
        for loop in tree.find_all(nodes.For):
            words = (one.value for one in loop.iter.find_all(nodes.Const))
            yield from (word for word in words if isinstance(word, str) and word and not re.match(r"/|n(_\w+)?$", word))


def in_code() -> Iterator[str]:
    """Sentences given to ``say``, and what a refusal or a fault tells."""
    for path in [*SPEAKING, SOURCE / "service" / "pages" / "door.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                yield from (str(one.value) for one in node.args[:1] if isinstance(one, ast.Constant))
            if isinstance(node, ast.Assign) and isinstance(node.value, (ast.Constant, ast.IfExp)):
                names = {target.id for target in node.targets if isinstance(target, ast.Name)}
                words = (one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant))
                yield from (word for word in words if names & {"told", "fault", "sentence"} and isinstance(word, str))


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_sentence_of_the_pages_is_translated(language: str) -> None:
    """Found in templates and code; of several languages each is tried."""
    found = {*in_templates(), *in_code(), *CHOSEN}
    assert len(found) > 250, "the search finds the pages' sentences"
    assert sorted(found - table(language).keys()) == []


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_a_translation_fills_in_what_its_sentence_does(language: str) -> None:
    """A name that is missing would be lost, one too many would break the page."""
    for english, other in table(language).items():
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", other)), english
        assert other.strip(), english


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A trial with a subject."""
    made = serve_new(tmp_path_factory.mktemp("french") / "trial")
    enrolled(made, 1)
    return made


@pytest.mark.parametrize("role", list(Role))
def test_every_screen_is_shown_in_french_and_says_so(served: Served, role: Role) -> None:
    """``lang`` tells a screen reader how to speak; a language that was chosen goes before the browser's."""
    visitor = served.as_a(role)
    visitor.client.headers["accept-language"] = "fr-CA,en;q=0.5"
    addresses = {
        Right.MANAGE_PEOPLE: "/people", Right.READ_SUBJECTS: "/subjects/FR-1-001", Right.SCREEN: "/screen",
        Right.DISPENSE: "/pharmacy", Right.SEND_MASKED: "/laboratory", Right.SEE_MASKED: "/masked",
        Right.REVIEW_SAFETY: "/safety", Right.SEE_PROGRESS: "/progress", Right.READ_AUDIT: "/ledger",
        Right.READ_REPORT: "/report", Right.SEE_BY_ARM: "/committee/closed",
    }  # fmt: skip
    mine = [address for right, address in addresses.items() if right in RIGHTS[role]]
    assert mine
    for address in mine:
        page = visitor.get(address)
        assert '<html lang="fr">' in page
        assert "Se déconnecter" in page
        assert "Log out" not in page
    visitor.client.cookies.set("language", "en")
    assert '<html lang="en">' in visitor.get(mine[0])


def test_no_reader_takes_a_day_for_a_month() -> None:
    """Months have names in French; in English the year comes first."""
    at = datetime.fromisoformat("2016-03-01T14:05+01:00")
    assert moment(at, "fr") == "1er\u00a0mars 2016, 14:05"
    assert moment(at, "en") == "2016-03-01 14:05"
