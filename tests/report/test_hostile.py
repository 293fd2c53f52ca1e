"""Whatever a protocol's words hold, a report shows them as words."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsals import rehearsed, with_planned
from sevenfold.analysis.trial.analyse import analyse
from sevenfold.protocol.load import parse
from sevenfold.record.reading import read_head
from sevenfold.report.page import ReportInput, render
from sevenfold.report.svg import element, text
from sevenfold.trial.icu.assumptions import shipped

HOSTILE = "<img src=x onerror=alert(1)></title></desc></style></script><script>alert(2)</script>'\" &amp; {{ 7 * 7 }}"
FREE = (
    {"label", "title", "text", "city", "sponsor", "registry", "registry_id"}
    | {"description", "aim", "phase", "body", "reference", "note", "term"}
)  # fmt: skip


def hostile(value: Any) -> Any:
    """The same protocol with every free text replaced."""
    if isinstance(value, dict):
        return {key: HOSTILE if key in FREE and isinstance(item, str) else hostile(item) for key, item in value.items()}
    return [hostile(item) for item in value] if isinstance(value, list) else value


class Found(HTMLParser):
    """Every element with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a trial whose every free text is hostile."""
    plain = files("sevenfold.protocol").joinpath("library", "template.yaml.txt").read_text(encoding="utf-8")
    text = yaml.safe_dump(hostile(yaml.safe_load(plain)), allow_unicode=True)
    trial = rehearsed(with_planned(parse(text, "hostile.yaml"), 6), tmp_path_factory.mktemp("hostile"))
    assert trial.file.protocol.title == HOSTILE
    return render(
        ReportInput(
            file=trial.file,
            history=trial.history,
            cohort=trial.cohort,
            estimates=analyse(trial.cohort, trial.history, trial.file.protocol, 1),
            comparisons=(),
            assumptions=tuple(shipped().by_name.values()),
            seed=1,
            head=read_head(trial.folder / "trial.db"),
            changed=(),
        )
    )


def test_no_word_of_a_protocol_becomes_an_element_or_an_attribute(page: str) -> None:
    found = Found()
    found.feed(page)
    assert not [tag for tag, _ in found.tags if tag in ("img", "iframe", "object", "embed", "link", "base")]
    assert [tag for tag, _ in found.tags].count("script") == 1
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert "alert(1)" in page, "the words themselves are shown"
    assert "{{ 7 * 7 }}" in page


def test_the_page_s_policy_lets_in_its_own_style_and_script_and_nothing_else(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy.group(1).startswith("default-src 'none';")
    assert "unsafe" not in policy.group(1)
    for tag in ("style", "script"):
        inner = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert inner is not None
        digest = base64.b64encode(hashlib.sha256(inner.group(1).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy.group(1)
    assert " style=" not in page, "the policy would not let it in"


@pytest.mark.parametrize("words", [HOSTILE, "<b>", "a & b", '"'])
def test_an_element_escapes_words_and_keeps_elements(words: str) -> None:
    for made in (element("title", words), text(0.0, 0.0, words), element("g", element("title", words), data_tip=words)):
        found = Found()
        found.feed(made)
        assert {tag for tag, _ in found.tags} <= {"title", "text", "g"}
    assert element("g", element("rect", x=1.0)) == '<g><rect x="1"/></g>'


def test_every_figure_is_made_of_elements() -> None:
    """A figure that glued markup together by hand would come out escaped, or would have to be declared safe here."""
    for path in (Path(__file__).parents[2] / "src" / "sevenfold" / "report").rglob("*"):
        if path.suffix == ".py" and path.name != "svg.py":
            assert "Markup(" not in path.read_text(encoding="utf-8"), path.name
        if path.suffix == ".j2":
            trusted = set(re.findall(r"{{ ([^}]*?) \| safe", path.read_text(encoding="utf-8")))
            assert trusted == ({"style", "script"} if path.name == "base.html.j2" else set())
