"""A monitoring rule on a rate is raised when too many had the event, and not at each of them."""

from pathlib import Path

import pytest
from served import Served, enrolled, serve_new

from sevenfold.protocol.load import load
from sevenfold.service.role import Role

_RULE = (
    "  - {id: distress, term: Respiratory distress, rate: {background: 0.1, tolerable: 0.25, subjects: 27}, "
    "to: medical monitor, action: stop and review}\n"
)


def test_a_rate_is_raised_with_the_event_that_reaches_its_boundary(tmp_path: Path) -> None:
    """Two of three is too many at a background of 10 %; the first, of one treated, is not looked at."""
    file = tmp_path / "protocol.yaml"
    file.write_text(load("iris-7").text.replace("monitoring:\n", f"monitoring:\n{_RULE}"), encoding="utf-8")
    served = serve_new(tmp_path / "trial", str(file))
    names, investigator = enrolled(served, 3), served.as_a(Role.INVESTIGATOR)
    investigator.get("/subjects")
    event = {"term": "Respiratory distress", "serious": "no", "relation": "possible", "outcome": "recovering"}
    raised = []
    for name in names:
        investigator.post(f"/subjects/{name}/event", {**event, "number": "1", "grade": "2", "began": served.here()})
        raised.append([one.type for one in served.room.conduct.ledger.events()].count("MonitoringRaised"))
    assert raised == [0, 0, 1]
    page = served.as_a(Role.SPONSOR).get("/boundary")
    assert "3 of 3 treated: too many" in page


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A trial in which nothing has happened."""
    return serve_new(tmp_path_factory.mktemp("boundary") / "trial")


def test_the_page_tries_a_boundary_and_replays_totals(trial: Served) -> None:
    """What docs/theory/boundary.md derives: IRIS-7C's 3 of 15 at a background of 10 %."""
    sponsor = trial.as_a(Role.SPONSOR)
    page = sponsor.get("/boundary")
    assert "monitoring rules have none" in page
    assert "happen by chance in 18.4 %" in page
    assert "do not reach the boundary" in page
    assert "of all orders 13.0 % reach it on the way, at the soonest after subject 3" in page
    reached = sponsor.get("/boundary?events=6&treated=15")
    assert "these totals reach the boundary" in reached
    assert "Replayed" not in sponsor.get("/boundary?events=&treated=")
    assert page.count("<svg") == 2


@pytest.mark.parametrize(
    "asked",
    [
        "background=x", "background=nan", "background=30", "background=0", "background=1e-300", "subjects=2",
        "subjects=301", "subjects=inf",
        "subjects=7.5", "wrongly=0", "events=16", "events=1.5", "treated=99", "tolerable=100", "events=-1",
    ],
)  # fmt: skip
def test_what_makes_no_boundary_is_refused_on_the_page(trial: Served, asked: str) -> None:
    """In a sentence, with what was typed still there."""
    page = trial.as_a(Role.SPONSOR).get(f"/boundary?{asked}", 422)
    assert 'role="alert"' in page
    name, _, value = asked.partition("=")
    assert f'name="{name}" type="text" value="{value}"' in page
