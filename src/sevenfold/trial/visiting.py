"""A visit as it is recorded: open results in clear from the site, masked ones sealed from the laboratory and reviewed
behind the blind.
"""

from collections.abc import Mapping
from datetime import datetime

from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.protocol.variable import Kind
from sevenfold.record.payloads import FurtherMaskedResults, MaskedResults, Result, VisitHeld
from sevenfold.record.sealed import place_of_sealed
from sevenfold.rules.sofa import sofa
from sevenfold.rules.visiting import check_visit, question_of_day
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.reacting import act_on_results, ask, ask_about_values
from sevenfold.trial.timing import study_day_of

__all__ = ["check_masked", "receive_masked", "record_visit", "review_masked"]


def record_visit(
    conduct: Conduct,
    subject: str,
    visit: str,
    results: Mapping[str, Result],
    happened: datetime,
    *,
    with_masked: bool = True,
) -> None:
    """Record a visit: open results in clear, masked ones sealed and reviewed behind the blind.

    Its study day follows from when it happened; before randomisation, when day 1 is not known yet, it is the
    planned one. A day outside its window, and a value outside what is plausible, are recorded and asked about.

    Args:
        with_masked: whether the masked results come with it; at a site they come from the laboratory, by
            :func:`receive_masked`.

    Raises:
        InvalidInput: the visit can't be as it is said, or a masked result came with a visit that has none.
    """
    p = conduct.file.protocol
    day = _checked_day(conduct, subject, visit, results, happened)
    study_day = p.schedule.visit(visit).day if day is None else day
    masked_names = set(p.masking.assessments) if day is not None else set()
    scores = _scores(conduct, visit, results)
    clear = {name: result for name, result in results.items() if name not in masked_names}
    said = VisitHeld(visit=visit, study_day=study_day, results=clear, scores=scores)
    conduct.check(subject, said, happened)
    masked = {name: results[name] for name in sorted(masked_names) if name in results}
    if not with_masked and masked:
        raise InvalidInput(
            f"{subject}, visit {visit!r}: {', '.join(masked)} would betray the treatment and comes from the "
            "laboratory alone."
        )
    conduct.record(subject, said, "nurse", happened)
    about = conduct.ledger.last_sequence
    if with_masked and (masked or masked_names & set(p.schedule.visit(visit).assessments)):
        _seal(conduct, subject, visit, study_day, masked, happened)
    ask(conduct, subject, about, question_of_day(p.schedule.visit(visit), study_day), happened)
    ask_about_values(conduct, subject, about, clear, happened)
    act_on_results(conduct, subject, clear, happened)


def receive_masked(
    conduct: Conduct, subject: str, visit: str, results: Mapping[str, Result], happened: datetime
) -> None:
    """Masked results of a visit, from the laboratory: sealed, and reviewed behind the blind.

    The site is asked about a sample taken outside the visit's window, once for a day; what is asked about a value
    stands in the sealed review, for whoever may see it.

    Raises:
        InvalidInput: a result is not one that the protocol masks, or the visit can't be of that day.
        OutOfOrder: one of them came already, or the subject is not randomised.
    """
    check_masked(conduct, subject, visit, results, happened)
    planned = conduct.file.protocol.schedule.visit(visit)
    day = _checked_day(conduct, subject, visit, results, happened)
    study_day = planned.day if day is None else day
    _seal(conduct, subject, visit, study_day, results, happened)
    held = conduct.standings[subject].held_at.get(visit)
    if held is None or study_day_of(conduct.standings[subject], held, conduct.zone_of(subject)) != study_day:
        ask(conduct, subject, conduct.ledger.last_sequence - 1, question_of_day(planned, study_day), happened)


def check_masked(conduct: Conduct, subject: str, visit: str, results: Mapping[str, Result], happened: datetime) -> None:
    """Refuse what :func:`receive_masked` would."""
    p = conduct.file.protocol
    open_ones = sorted(set(results) - set(p.masking.assessments))
    if open_ones:
        raise InvalidInput(f"{subject}, visit {visit!r}: {open_ones[0]} is not masked; the site records it.")
    day = _checked_day(conduct, subject, visit, results, happened)
    said = _masked_said(conduct, subject, visit, day or p.schedule.visit(visit).day)
    conduct.check(subject, said, happened)
    twice = sorted(results.keys() & conduct.followed.reviewer.sent(subject, visit).keys())
    if twice:
        raise OutOfOrder(
            f"MaskedResults cannot be recorded for {subject}: {', '.join(twice)} was recorded already for visit "
            f"{visit!r}."
        )


def review_masked(conduct: Conduct, subject: str, visit: str, masked: Mapping[str, Result], happened: datetime) -> None:
    """Let the safety reviewer look at masked results that are new; what is decided is sealed."""
    standing = conduct.standings[subject]
    reviewed = conduct.followed.reviewer.review(
        conduct.file.protocol, subject, str(standing.number), visit, masked, n_before=standing.n_reviews.get(visit, 0)
    )
    conduct.record(subject, reviewed, "safety reviewer", happened)


def _seal(
    conduct: Conduct, subject: str, visit: str, study_day: int, masked: Mapping[str, Result], happened: datetime
) -> None:
    said = _masked_said(conduct, subject, visit, study_day)
    plain = {name: masked[name].model_dump() for name in sorted(masked)}
    sealed = conduct.allocator.seal(place_of_sealed(subject, said), plain)
    conduct.record(subject, said.model_copy(update={"sealed": sealed}), "laboratory", happened)
    conduct.followed.reviewer.sees(subject, visit, happened, masked)
    review_masked(conduct, subject, visit, masked, happened)


def _masked_said(conduct: Conduct, subject: str, visit: str, study_day: int) -> MaskedResults | FurtherMaskedResults:
    """The first masked results of a visit, or further ones, before they are sealed."""
    standing = conduct.standings.get(subject)
    if standing is None or visit not in standing.sealed_visits:
        return MaskedResults(visit=visit, study_day=study_day, sealed="")
    number = standing.n_further.get(visit, 0) + 1
    return FurtherMaskedResults(visit=visit, study_day=study_day, sealed="", number=number)


def _checked_day(
    conduct: Conduct, subject: str, visit: str, results: Mapping[str, Result], happened: datetime
) -> int | None:
    """The study day of a visit that can be as it is said; None before randomisation."""
    standing, zone = conduct.standings.get(subject), conduct.zone_of(subject)
    day = None if standing is None else study_day_of(standing, happened, zone)
    held = {}
    if standing is not None and day is not None:
        days = {other: study_day_of(standing, at, zone) for other, at in standing.held_at.items()}
        held = {other: on for other, on in days.items() if on is not None}
    found = {name: (result.value, result.unit) for name, result in results.items()}
    check_visit(conduct.file.protocol, subject, visit, day, found, held)
    return day


def _scores(conduct: Conduct, visit: str, results: Mapping[str, Result]) -> dict[str, dict[str, int | None]]:
    p = conduct.file.protocol
    names = [name for name in p.schedule.visit(visit).assessments if p.known_variables[name].kind is Kind.SCORE]
    if "sofa" not in names:
        return {}
    score = sofa({name: result.value for name, result in results.items()})
    return {"sofa": {**score.organs, "total": score.total}}
