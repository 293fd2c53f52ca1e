"""A model's file: what is wrong with it is one message with file and line."""

from pathlib import Path

import pytest
from pages import ALL, SMALL

from sevenfold.errors import InvalidInput, SevenfoldError
from sevenfold.mechanism.load import load_model, load_page


def line_of(text: str, words: str) -> int:
    """The first line that holds the words."""
    return next(k for k, line in enumerate(text.splitlines(), start=1) if words in line)


SPOILT = {  # what is changed, into what, words on the line that is to be named, what the message says
    "undefined parameter": ("p.lost_per_day * y", "p.lost_per_dy * y", "p.lost_per_dy", "Did you mean 'lost_per_day'?"),
    "undefined state": ("y.depot_ug,", "y.depto_ug,", "y.depto_ug", "no state 'depto_ug'. Did you mean 'depot_ug'?"),
    "undefined name": ("- lost,", "- lots,", "- lots", "the name 'lots' is not defined. Did you mean 'lost'?"),
    "missing state": ('        "cells_per_ul": p.made_per_ul_day - lost,\n', "", "def rates", "says nothing about the state"),
    "no return": ("    return {\n", "    x = {\n", "def rates", "is its 'return' missing?"),
    "units of a sum": ("- lost,", "- lost - y.depot_ug,", "- lost - y.depot_ug", "is in cells/µL/day and depot_ug is in µg"),
    "units of a rate": ("-p.absorbed_per_day * y", "-y", "-y.depot_ug", "d depot_ug/dt: it must be in µg/day, but"),
    "a plain number": ("- lost,", "- lost + 1.0,", "+ 1.0", "quantity(1.0, "),
    "units of exp": ("y.depot_ug,", "exp(y.depot_ug) * y.depot_ug,", "exp(y", "the argument of exp, depot_ug, is in µg"),
    "units of an output": ('unit="cells/µL", what="count"', 'unit="µg", what="count"', "observe=", "the output count"),
    "unknown unit": ('unit="/day", cv=0.0, low=0.0, high', 'unit="/dya", cv=0.0, low=0.0, high', "/dya", "nearest known is 'day'"),
    "outside the domain": ("value=0.02", "value=2.0", "value=2.0", "is 2 /day, outside its domain 0 to 1"),
    "unknown compartment": ('state="depot_ug", fr', 'state="depo_ug", fr', "depo_ug", "no state 'depo_ug'. Did you mean"),
    "unknown fraction": ("fraction=None", 'fraction="F"', 'fraction="F"', "no parameter 'F'. It has: made_per_ul_day"),
    "branching": ("    return {\n", "    if y.depot_ug > 1.0:\n        lost = 0.0\n    return {\n", "if y.", "branches on a"),
    "comparing": ("    return {\n", "    if y.depot_ug == 1.0:\n        lost = 0.0\n    return {\n", "if y.", "branches on a"),
    "max": ("y.depot_ug,", "max(y.depot_ug, 0.0),", "max(y", "use maximum(a, b)"),
    "math.exp": ("y.depot_ug,", '__import__("math").exp(y.depot_ug),', "__import__", "use exp, log, power"),
    "np.exp": ("y.depot_ug,", '__import__("numpy").exp(y.depot_ug),', "__import__", "a function of NumPy"),
    "syntax": ("    return {\n", "    return {{\n", "return {{", "this is not Python"),
    "no page": ("PAGE = Page", "PEGA = Page", ")\n", "it defines no PAGE"),
    "page of another kind": ("PAGE = Page(", "PAGE = dict(", "PAGE =", "its PAGE is a dict"),
    "a name twice": ('name="depot_ug"', 'name="cells_per_ul"', "T cells\"", "names the state 'cells_per_ul' twice"),
    "a name with a blank": ('name="depot_ug"', 'name="depot ug"', "depot ug", "called 'depot ug'; use letters"),
    "no scale": ("scale=1e-3", "scale=0.0", "scale=0.0", "give an amount, more than 0"),
    "an argument missing": (", scale=1e-3", "", 'name="depot_ug"', "missing 1 required keyword-only argument: 'scale'"),
    "import": ("import Entry", "import Entryy", "import Entryy", "cannot import name 'Entryy'"),
    "division by zero": ("/ p.lost_per_day}", "/ 0}", "/ 0}", "ZeroDivisionError"),
    "one name for two terms": ("    return {\n", '    term("lost", lost * lost, unit="")\n    return {\n', "lost * lost", "names two"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT)
def test_a_fault_is_one_message_with_file_and_line(case: str, tmp_path: Path) -> None:
    before, after, words, says = SPOILT[case]
    assert before in SMALL
    text = SMALL.replace(before, after, 1)
    path = tmp_path / "model.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SevenfoldError) as caught:
        load_model(str(path))
    message = str(caught.value)
    line = len(text.splitlines()) if words == ")\n" else line_of(text, words)
    assert message.startswith(f"{path}, line {line}: "), message
    assert says in message
    assert "\n" not in message


def test_the_small_model_is_sound_before_it_is_spoilt(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(SMALL, encoding="utf-8")
    assert load_page(str(path)).name == "small"


@pytest.mark.parametrize("model", ALL)
def test_every_shipped_page_is_sound(model: str) -> None:
    """Names, states, domains and units of the built-in models and of the examples."""
    loaded = load_model(model)
    assert all(parameter.source for parameter in loaded.page.parameters)
    assert all(parameter.low <= parameter.value <= parameter.high for parameter in loaded.page.parameters)


def test_a_model_that_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Did you mean the built-in 'il7'"):
        load_model("il77")
    (tmp_path / "latin.py").write_bytes("µ".encode("latin-1"))
    with pytest.raises(InvalidInput, match="not UTF-8 text"):
        load_model(str(tmp_path / "latin.py"))
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_model(str(tmp_path))
