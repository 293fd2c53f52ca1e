"""Pages of one state, for tests that have a closed form."""

from sevenfold.mechanism.page import Entry, Output, Page, Parameter, State
from sevenfold.provenance import Provenance

__all__ = ["BLOW_UP", "DECAY", "one_state"]


def one_state(
    name: str, rates: object, *, value: float = 1.0, fraction: str | None = None, lag: str | None = None
) -> Page:
    """A page with one state x that starts at 1 and one parameter k."""
    parameter = Parameter(
        name="k", symbol="k", value=value, unit="/day", cv=0.0, status=Provenance.ASSUMED, source="test"
    )
    return Page(
        name=name,
        title="one state",
        states=(State(name="x", unit="", scale=1e-6, what="x"),),
        parameters=(parameter,),
        entries=(Entry(route="IN", state="x", fraction=fraction, lag=lag, first_step_day=1e-3),),
        outputs=(Output(name="x", unit="", what="x"),),
        derive=lambda _p: {},
        start=lambda p: {"x": 1.0 + 0.0 * p.k},
        rates=rates,  # type: ignore[arg-type]
        observe=lambda _t, y, _p: {"x": y.x},
    )


DECAY = one_state("decay", lambda _t, y, p: {"x": -p.k * y.x}, value=1.3)
BLOW_UP = one_state("blow_up", lambda _t, y, p: {"x": p.k * y.x * y.x})
