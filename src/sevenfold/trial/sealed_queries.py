"""Sealed queries: the laboratory sent two values of one masked test, and says which is right.

Nothing is overwritten: the value that was recorded stays in force until the laboratory has answered, and stands in the
record afterwards. What was asked and answered is sealed, and the safety reviewer looks again whatever the answer was.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, final

from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.record.payloads import Result, SealedQueryAnswered, SealedQueryRaised, read_payload
from sevenfold.record.sealed import place_of_sealed
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.visiting import review_masked

__all__ = [
    "LONGEST_REASON",
    "SealedQuery",
    "answer_sealed_query",
    "ask_sealed",
    "open_sealed_queries",
    "sealed_queries",
]

LONGEST_REASON: Final = 500
"""Letters of a reason; what is sealed has one length."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SealedQuery:
    """Two values of one masked test of a visit.

    Args:
        recorded: what was in force when the other came.
        sent: the other.
    """

    subject: str
    number: int
    visit: str
    test: str
    recorded: Result
    sent: Result
    is_open: bool


def ask_sealed(
    conduct: Conduct, subject: str, visit: str, test: str, recorded: Result, sent: Result, happened: datetime
) -> None:
    """Ask the laboratory which of two values is right."""
    number = len(conduct.standings[subject].sealed_queries) + 1
    said = SealedQueryRaised(number=number, visit=visit, sealed="")
    plain = {"test": test, "recorded": recorded.model_dump(), "sent": sent.model_dump()}
    sealed = conduct.allocator.seal(place_of_sealed(subject, said), plain)
    conduct.record(subject, said.model_copy(update={"sealed": sealed}), "system", happened)


def sealed_queries(conduct: Conduct, subject: str) -> list[SealedQuery]:
    """What was asked of a subject's masked results, in order."""
    states = conduct.standings[subject].sealed_queries if subject in conduct.standings else {}
    found = []
    for event in conduct.ledger.events_of(subject) if states else ():
        if event.type == SealedQueryRaised.__name__:
            said = read_payload(event)
            assert isinstance(said, SealedQueryRaised)
            plain = conduct.allocator.open(place_of_sealed(subject, said), said.sealed)
            found.append(
                SealedQuery(
                    subject=subject,
                    number=said.number,
                    visit=said.visit,
                    test=plain["test"],
                    recorded=Result.model_validate(plain["recorded"]),
                    sent=Result.model_validate(plain["sent"]),
                    is_open=states.get(said.number) == "open",
                )
            )
    return found


def open_sealed_queries(conduct: Conduct) -> list[SealedQuery]:
    """What the laboratory has not answered yet."""
    waiting = [name for name, one in list(conduct.standings.items()) if "open" in one.sealed_queries.values()]
    return [query for name in waiting for query in sealed_queries(conduct, name) if query.is_open]


def answer_sealed_query(
    conduct: Conduct, subject: str, number: int, *, right: str, reason: str, happened: datetime
) -> None:
    """Say which value is right: the one that was ``recorded`` or the one that was ``sent``.

    Raises:
        InvalidInput: there is no such query.
        OutOfOrder: it was answered already.
    """
    query = next((one for one in sealed_queries(conduct, subject) if one.number == number), None)
    if query is None:
        raise InvalidInput(f"{subject[:40]} has no sealed query {number}.")
    if not query.is_open:
        raise OutOfOrder(f"Sealed query {number} of {subject} was answered already.")
    value = query.sent if right == "sent" else query.recorded
    said = SealedQueryAnswered(number=number, visit=query.visit, sealed="")
    plain = {"test": query.test, "right": value.model_dump(), "reason": reason}
    sealed = conduct.allocator.seal(place_of_sealed(subject, said), plain)
    conduct.record(subject, said.model_copy(update={"sealed": sealed}), "laboratory", happened)
    conduct.followed.reviewer.puts_right(subject, query.visit, query.test, value)
    review_masked(conduct, subject, query.visit, {query.test: value}, happened)
