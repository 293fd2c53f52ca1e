"""Stopping boundaries: those that the protocol has, with what happened so far, and any other, with what it would do."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.report.boundary_figure import boundary_figure, operating_figure
from sevenfold.rules.boundary import Boundary, Replay, boundary_for, boundary_of, replayed
from sevenfold.service.gate import Seat, seated
from sevenfold.service.language import language_of, translator
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter(prefix="/boundary")

_ASKED: Final = {
    "background": "10", "tolerable": "25", "subjects": "40", "wrongly": "10", "events": "3", "treated": "15",
}  # fmt: skip
"""What is shown first: rates in per cent, and the totals of IRIS-7C (respiratory distress 5 to 8 h after a dose, 3 of
15 on CYT107 into the vein). Source: [daix2023]; a background of 10 % is an assumption."""
_LOWEST_RATE: Final = 0.1  # per cent
_MOST_SUBJECTS: Final = 300  # on this page; the command line goes further


@routes.get("")
def boundaries(request: Request, seat: Annotated[Seat, Depends(seated(Right.SEE_PROGRESS))]) -> HTMLResponse:
    """The protocol's own, pooled over the arms, and one that is asked for."""
    room = seat.room
    say = translator(language_of(request))
    own = [
        (rule, n, treated, boundary_of(rule.rate), boundary_figure(boundary_of(rule.rate), say, now=(n, treated)))
        for rule, n, treated in room.conduct.followed.rates.counts(list(room.conduct.standings.values()))
        if rule.rate is not None
    ]
    said = {name: request.query_params.get(name, default)[:12].strip() for name, default in _ASKED.items()}
    shown: dict[str, Any] = {"own": own, "said": said, "fault": None, "found": None}
    try:
        boundary, totals = _asked(said)
        found: Replay | None = None if totals is None else replayed(boundary, *totals)
    except (InvalidDesign, InvalidInput) as error:
        return page(request, "boundary", seat, status=422, **{**shown, "fault": str(error)})
    rates = sorted({boundary.background / 2, boundary.background, boundary.tolerable, 1.5 * boundary.tolerable})
    shown |= {
        "found": boundary,
        "by_chance": None if totals is None else _by_chance(boundary.background, *totals),
        "replay": found,
        "totals": totals,
        "is_reached": totals is not None and boundary.is_reached(*totals),
        "rows": [(rate, boundary.at_rate(rate)) for rate in rates if rate < 1.0],
        "figure": boundary_figure(boundary, say, replay=totals),
        "operating": operating_figure(boundary, say),
    }
    return page(request, "boundary", seat, **shown)


def _asked(said: dict[str, str]) -> tuple[Boundary, tuple[int, int] | None]:
    """The boundary that was asked for, and the totals to replay.

    Raises:
        InvalidInput: a number is none, or they do not go together.
    """
    numbers: dict[str, float] = {}
    for name, typed in said.items():
        try:
            numbers[name] = float(typed.replace(",", "."))
        except ValueError:
            if typed or name not in ("events", "treated"):
                raise InvalidInput(f"{name}: {typed!r} is no number.") from None
    if not numbers["subjects"].is_integer() or not 3 <= numbers["subjects"] <= _MOST_SUBJECTS:
        raise InvalidInput(f"subjects: {said['subjects']!r}; a whole number from 3 to {_MOST_SUBJECTS} is wanted.")
    if numbers["background"] < _LOWEST_RATE:
        raise InvalidInput(f"background: {said['background']!r}; {_LOWEST_RATE:g} % or more is wanted.")
    boundary = boundary_for(
        background=numbers["background"] / 100,
        tolerable=numbers["tolerable"] / 100,
        n_subjects=int(numbers["subjects"]),
        wrongly=numbers["wrongly"] / 100,
    )
    if "events" not in numbers or "treated" not in numbers:
        return boundary, None
    if not (numbers["events"].is_integer() and numbers["treated"].is_integer()):
        raise InvalidInput("events and treated: whole numbers are wanted.")
    return boundary, (int(numbers["events"]), int(numbers["treated"]))


def _by_chance(rate: float, n_events: int, n: int) -> float:
    """The chance of so many events or more among ``n`` at a rate."""
    from scipy.stats import binom

    return float(binom.sf(n_events - 1, n, rate))
