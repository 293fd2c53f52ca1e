"""Trials that would never end say so, naming what stands in the way."""

from importlib.resources import files
from pathlib import Path

import pytest

from rehearsals import rehearsed
from sevenfold.errors import InvalidDesign
from sevenfold.protocol.load import parse
from sevenfold.trial import feasibility

TEMPLATE = files("sevenfold.protocol").joinpath("library", "template.yaml.txt").read_text(encoding="utf-8")


def test_criteria_that_let_nobody_in_are_named_with_their_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feasibility, "_HOPELESS_AFTER", 60)
    rule = "{infusion: norepinephrine, above: 0 µg/kg/min, for_at_least: 1 h}"
    never = f"{{id: none, kind: exclusion, text: none, rule: {rule}}}"
    text = TEMPLATE.replace("    - {id: cancer,", f"    - {never}\n    - {{id: cancer,")
    line = next(n for n, words in enumerate(text.splitlines(), start=1) if never in words)
    with pytest.raises(InvalidDesign, match=f"hopeless.yaml, line {line}: .* none of the last 60 .*'none' kept out"):
        rehearsed(parse(text, "hopeless.yaml"), tmp_path)


def test_sites_that_screen_too_slowly_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feasibility, "_LONGEST_YEARS", 5)
    text = TEMPLATE.replace("screened_per_month: 8", "screened_per_month: 0.01")
    text = text.replace("screened_per_month: 6", "screened_per_month: 0.01")
    with pytest.raises(InvalidDesign, match=r"after 5 years .* of 40 subjects .* screen 0.02 candidates a month"):
        rehearsed(parse(text, "slow.yaml"), tmp_path)
