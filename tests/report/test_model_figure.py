"""A model's diagram: whole, readable to machines, and without two boxes in one place."""

from itertools import combinations, pairwise
from pathlib import Path

import pytest
from lxml import etree

from sevenfold.mechanism.arrows import arrows
from sevenfold.mechanism.load import load_model
from sevenfold.report.model_figure import model_figure
from sevenfold.report.model_layout import Rect, laid_out
from sevenfold.report.model_routes import Routes

EXAMPLES = sorted(str(path) for path in (Path(__file__).parents[2] / "examples").glob("*.py"))
SVG = "{http://www.w3.org/2000/svg}"


def apart(a: Rect, b: Rect) -> bool:
    return a.right <= b.x or b.right <= a.x or a.bottom <= b.y or b.bottom <= a.y


@pytest.mark.parametrize("model", ["il7", *EXAMPLES])
def test_the_diagram_shows_every_state_and_stands_alone(model: str) -> None:
    loaded = load_model(model)
    text = model_figure(loaded.whole)
    root = etree.fromstring(text.encode())
    words = " ".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))
    for state in loaded.page.states:
        assert state.what.split()[0] in words
    assert root.find(f"{SVG}title").text == loaded.page.title
    assert all(state.what in root.find(f"{SVG}desc").text for state in loaded.page.states)
    assert "prefers-color-scheme:dark" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), "it asks for nothing from elsewhere"
    assert model_figure(load_model(model).whole) == text, "the same page, the same drawing"


def test_the_drawing_in_the_documentation_is_that_of_the_model() -> None:
    """Made again by: sevenfold model show il7 --out docs/_static."""
    kept = (Path(__file__).parents[2] / "docs" / "_static" / "il7.svg").read_bytes()
    drawn = model_figure(load_model("il7").whole).encode()
    assert etree.tostring(etree.fromstring(kept)) == etree.tostring(etree.fromstring(drawn))


@pytest.mark.parametrize("model", ["il7", *EXAMPLES])
def test_no_two_boxes_or_frames_overlap(model: str) -> None:
    whole = load_model(model).whole
    place = laid_out(whole.traced.page, arrows(whole))
    assert all(apart(a, b) for a, b in combinations(place.boxes.values(), 2))
    assert all(apart(a, b) for a, b in combinations(place.frames.values(), 2))
    assert set(place.boxes) >= {state.name for state in whole.traced.page.states}


def test_an_arrow_goes_around_what_is_in_the_way() -> None:
    """Three boxes in a row: from the first to the third, past the second."""
    routes = Routes(40, 20)
    boxes = [Rect(4 + 12 * k, 6, 6, 6) for k in range(3)]
    for box in boxes:
        routes.block(box)
    corners = routes.route(boxes[0], boxes[2])
    assert corners is not None
    ys = [y for _, y in corners]
    assert min(ys) < boxes[1].y or max(ys) > boxes[1].bottom
    for (x0, y0), (x1, y1) in pairwise(corners):
        assert x0 == x1 or y0 == y1, "only level and upright lines"


def test_where_there_is_no_way_there_is_no_arrow() -> None:
    routes = Routes(20, 10)
    routes.block(Rect(9, 0, 2, 10))
    assert routes.route(Rect(2, 2, 4, 4), Rect(14, 2, 4, 4)) is None
