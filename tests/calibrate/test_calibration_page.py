"""The calibration page shows the posterior that is shipped, not one that was."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    """The script that draws the page's figures and tables."""
    spec = importlib.util.spec_from_file_location("calibration_figures", DOCS / "figures" / "calibration.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_and_figures_are_those_of_the_shipped_posterior(drawing: ModuleType) -> None:
    made = drawing.tables() | {
        "contraction.svg": drawing.contraction(),
        "predicted.svg": drawing.predicted(),
        "correlation.svg": drawing.correlation(),
    }
    for name, content in made.items():
        kept = (DOCS / "_static" / "calibration" / name).read_text(encoding="utf-8")
        assert kept == str(content).rstrip("\n") + "\n", f"{name}: run `python docs/figures/calibration.py`"


def test_the_page_includes_them_and_says_what_a_is(drawing: ModuleType) -> None:
    page = (DOCS / "theory" / "calibration.md").read_text(encoding="utf-8")
    for name in (
        "parameters.md",
        "priors.md",
        "published.md",
        "contraction.svg",
        "predicted.svg",
        "correlation.svg",
        "sbc.svg",
    ):
        assert f"_static/calibration/{name}" in page
        assert (DOCS / "_static" / "calibration" / name).exists()
    assert "held out of the likelihood, not of the building of the model" in " ".join(page.split())
