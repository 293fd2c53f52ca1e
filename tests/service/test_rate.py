"""A monitoring rule on a rate is raised when too many had the event, and not at each of them."""

from pathlib import Path

from served import enrolled, serve_new

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
