"""Putting right what an event said; what the rules make of the new value follows at once."""

from datetime import datetime

from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.record.correcting import check_correction
from sevenfold.record.payloads import Corrected, Result, VisitHeld
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.reacting import act_on_results, ask_about_values

__all__ = ["correct_event"]


def correct_event(conduct: Conduct, subject: str, said: Corrected, happened: datetime) -> None:
    """Put right what an event of a subject said; the rules are held against what it says now.

    Raises:
        InvalidInput: there is no such event of the subject, or it cannot be corrected so.
        OutOfOrder: the data are locked.
    """
    event = next((one for one in conduct.ledger.events_of(subject) if one.sequence == said.of), None)
    if event is None:
        raise InvalidInput(f"{subject} has no event {said.of} that could be corrected.")
    found = conduct.followed.corrections.read(event)
    visit = getattr(found, "visit", None)
    if visit is not None and visit in conduct.standings[subject].locked:
        raise OutOfOrder(f"Event {said.of} cannot be corrected for {subject}: visit {visit!r} is locked.")
    check_correction(found, said)
    conduct.record(subject, said, "investigator", happened)
    name = said.field.removeprefix("results.")
    if isinstance(found, VisitHeld) and said.after is not None:
        new = {name: Result.model_validate(said.after)}
        ask_about_values(conduct, subject, said.of, new, happened)
        if not conduct.standings[subject].is_over:
            act_on_results(conduct, subject, new, happened)
