"""Refusals in French: every one that the pages or a trial's steps can make has a pattern, and loses nothing by it."""

import ast
import itertools
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from served import SITE, Served, consenting, eligible, serve_new

from sevenfold.service import refusals
from sevenfold.service.language import LANGUAGES, table
from sevenfold.service.refusals import translated
from sevenfold.service.role import Role

SOURCE = Path(str(files("sevenfold")))
OTHERS = sorted(set(LANGUAGES) - {"en"})
SPEAKING = sorted(
    [
        *(SOURCE / "service" / "pages").glob("*.py"),
        *set((SOURCE / "service" / "people").glob("*.py"))
        - {SOURCE / "service" / "people" / "upgrade.py"},  # a start's
        *(SOURCE / "service" / "importing").glob("*.py"),
        *(
            SOURCE / "service" / name
            for name in ("room.py", "admitting.py", "fields.py", "gate.py", "screening_form.py", "final.py")
        ),
        *(
            SOURCE / "trial" / name
            for name in (
                "closing.py",
                "conduct.py",
                "correcting.py",
                "dosing.py",
                "enrolling.py",
                "opening.py",
                "order.py",
                "sealed_queries.py",
                "signing.py",
                "standing.py",
                "stock.py",
                "supplying.py",
                "timing.py",
                "visiting.py",
            )
        ),
        SOURCE / "rules" / "visiting.py",
        SOURCE / "record" / "correcting.py",
        SOURCE / "vault" / "vault.py",
    ]
)
"""The files whose refusals a person at a page may be told."""
REASONING = [SOURCE / "trial" / name for name in ("order.py", "standing.py", "timing.py")]
REFUSALS = {"InvalidInput", "OutOfOrder", "BlindBroken"}


def mark(n: int) -> str:
    """What a test puts into a gap: found again in the other language."""
    return f"⟦{n}⟧"


def variants(node: ast.expr, known: dict[str, ast.expr], n: "itertools.count[int]") -> Iterator[str] | None:
    """Every sentence that an expression of constant text can be, gaps marked; None where it is no text of its own."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return iter([node.value])
    if isinstance(node, ast.IfExp):
        both = [variants(one, known, n) for one in (node.body, node.orelse)]
        return None if None in both else itertools.chain(*(one for one in both if one is not None))
    if isinstance(node, ast.Name) and node.id in known:
        return variants(known[node.id], known, n)
    if isinstance(node, ast.JoinedStr):
        pieces = []
        for piece in node.values:
            inner = piece.value if isinstance(piece, ast.FormattedValue) else piece
            found = variants(inner, known, n)
            pieces.append([mark(next(n))] if found is None else list(found))
        return map("".join, itertools.product(*pieces))
    return None


def functions(path: Path) -> Iterator[tuple[ast.FunctionDef, dict[str, ast.expr]]]:
    """The functions of a file, each with the texts that it gives names to."""
    for one in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(one, ast.FunctionDef):
            given = [node for node in ast.walk(one) if isinstance(node, ast.Assign)]
            names: dict[str, ast.expr] = {
                node.targets[0].id: node.value
                for node in given
                if isinstance(node.targets[0], ast.Name) and isinstance(node.value, (ast.IfExp, ast.Constant))
            }
            yield one, names


def refused(path: Path) -> Iterator[str]:
    """What a file can refuse, and what it writes beside a field."""
    for function, known in functions(path):
        for node in ast.walk(function):
            line = getattr(node, "lineno", 0)
            said: ast.expr | None = None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
                said = node.args[0]
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                place = node.targets[0].value
                is_fault = isinstance(place, ast.Name) and place.id == "faults"
                said = node.value if is_fault and not isinstance(node.value, ast.Call) else None
            if said is not None:
                found = variants(said, known, itertools.count())
                assert found is not None, f"{path.name}, line {line}: no text that can be looked up"
                yield from found


def reasons(path: Path) -> Iterator[str]:
    """What a file gives as the reason for a refusal that is put together elsewhere."""
    for function, known in functions(path):
        is_reasoning = function.returns is not None and ast.unparse(function.returns) == "str | None"
        for node in ast.walk(function):
            is_reason = isinstance(node, ast.Return) and is_reasoning
            is_reason |= isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "reason"
            if is_reason and isinstance(node, (ast.Return, ast.Assign)) and node.value is not None:
                for one in texts_in(node.value):
                    yield from variants(one, known, itertools.count()) or ()


def texts_in(node: ast.expr) -> Iterator[ast.expr]:
    """The texts among which an expression chooses."""
    if isinstance(node, ast.IfExp):
        yield from texts_in(node.body)
        yield from texts_in(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for one in node.values:
            yield from texts_in(one)
    elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node


def labels(path: Path) -> Iterator[str]:
    """What forms call their fields in a refusal."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = {"required": 1, "moment_of": 0}.get(name)
            if at is not None and isinstance(node.args[at], ast.Constant):
                yield str(ast.literal_eval(node.args[at]))


def marks(text: str) -> list[str]:
    """What stood in the gaps."""
    return sorted(re.findall(r"⟦\d+⟧", text))


@pytest.mark.parametrize("language", OTHERS)
def test_every_refusal_has_a_sentence_in_the_other_language_that_loses_nothing(language: str) -> None:
    """Each place in the source where one is raised, with every text that it can be; gaps are found again."""
    found = {one for path in SPEAKING for one in refused(path)}
    assert len(found) > 90, "the search finds the refusals"
    said = {one: translated(one, language) for one in found}
    assert sorted(one for one, other in said.items() if other is None) == []
    assert [one for one, other in said.items() if other is not None and marks(one) != marks(other)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_reason_and_every_label_has_words_in_the_other_language(language: str) -> None:
    """They stand in the gaps of the sentences."""
    found = {one for path in REASONING for one in reasons(path)}
    assert len(found) > 40, "the search finds the reasons"
    said = {one: refusals._fitted(one, "parts", language) for one in found}
    assert sorted(one for one, other in said.items() if other is None) == []
    assert [one for one, other in said.items() if other is not None and marks(one) != marks(other)] == []
    named = {one for path in SPEAKING for one in labels(path)}
    assert len(named) > 10
    own = tomllib.loads((SOURCE / "service" / "words" / f"{language}-refusals.toml").read_text(encoding="utf-8"))
    assert sorted(named - own["parts"].keys() - table(language).keys()) == []


@pytest.mark.parametrize("language", OTHERS)
def test_both_sides_of_a_pattern_have_the_same_gaps(language: str) -> None:
    """A gap that is missing would be lost, one too many would break the page."""
    own = tomllib.loads((SOURCE / "service" / "words" / f"{language}-refusals.toml").read_text(encoding="utf-8"))
    for english, other in itertools.chain(*(pairs.items() for pairs in own.values())):
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", other)), english
        assert other.strip()


@given(st.text(max_size=2000), st.text(max_size=50))
def test_whatever_somebody_typed_breaks_no_page_and_comes_out_as_it_was(typed: str, name: str) -> None:
    """Braces, signs of patterns, line ends; the longest in English."""
    for told in (typed, f"There is no subject {typed!r} here.", f"{name}: nothing was filled in."):
        said = translated(told, "fr")
        assert said is None or isinstance(said, str)
    assert translated(f"There is no subject {name!r} here.", "fr") == f"Il n’y a pas de patient {name!r} ici."


def test_much_that_fits_nearly_is_answered_in_no_time() -> None:
    """Patterns look for their words again and again; what is long is not looked at."""
    for told in (", visit : is ; it is " * 38, ", visit " * 100_000, "of event says by now, not " * 30):
        assert translated(told, "fr") is None


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A trial with a subject who consented."""
    made = serve_new(tmp_path_factory.mktemp("refused") / "trial")
    consenting(made, 1)
    return made


def test_a_page_tells_in_french_what_was_refused_and_marks_what_it_can_not(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the page of refusals and beside a field; English that is left is read out as English."""
    investigator = served.as_a(Role.INVESTIGATOR)
    investigator.client.headers["accept-language"] = "fr"
    told = investigator.get("/subjects/FR-9-001", 422)
    assert "Il n’y a pas de patient &#39;FR-9-001&#39; ici." in told
    investigator.get(f"/subjects/{SITE}-001")
    told = investigator.post(f"/subjects/{SITE}-001/consent", {"by": "patient", "at": served.here()}, 409)
    assert f"ConsentGiven ne peut pas être enregistré pour {SITE}-001 : le consentement a déjà été donné." in told
    investigator.get("/screen")
    wrong = {**eligible(served), "subject": f"{SITE}-002", "number age": "old", "number weight": ""}
    told = investigator.post("/screen", wrong, 422)
    assert "n’est pas un nombre" in told
    assert told.count("Le poids est nécessaire") == 2
    assert "is not a number" not in told
    monkeypatch.setattr(refusals, "_patterns", lambda _language: {"sentences": [], "parts": []})
    told = investigator.get("/subjects/FR-9-001", 422)
    assert '<span lang="en">There is no subject &#39;FR-9-001&#39; here.</span>' in told
    investigator.client.headers["accept-language"] = "en"
    told = investigator.get("/subjects/FR-9-001", 422)
    assert "<p>There is no subject &#39;FR-9-001&#39; here.</p>" in told
