"""A trial analysed as its protocol plans: every analysis answered, in the plan's order, and the trial described."""

from collections.abc import Callable
from dataclasses import replace

from sevenfold.analysis.trial.answering import answer
from sevenfold.analysis.trial.deciding import decisions
from sevenfold.analysis.trial.describing import describe
from sevenfold.analysis.trial.estimates import Answer, Estimates
from sevenfold.analysis.trial.imputed import Within, unwatched
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.protocol import Protocol
from sevenfold.record.history import History

__all__ = ["analyse"]


def analyse(
    cohort: Cohort,
    history: History | None,
    protocol: Protocol,
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    within: Within = unwatched,
) -> Estimates:
    """Analyse one trial.

    Args:
        history: that the cohort was made from; None where it came from tables.
        seed: of the bootstrap.
        progress: told how many analyses of how many are done.
        within: opens what is told how far one analysis has come that may take long.
    """
    answers: list[Answer] = []
    for number, planned in enumerate(protocol.analyses, start=1):
        found = answer(planned, cohort, protocol, seed, within)
        is_again = any(one.estimand == found.estimand for one in answers)
        answers.append(replace(found, role=f"{found.role}, sensitivity analysis") if is_again else found)
        progress(number, len(protocol.analyses))
    release = {} if history is None else _worst_release(history)
    return Estimates(
        protocol=protocol.name,
        answers=tuple(answers),
        description=describe(cohort, protocol, release),
        decisions=decisions(protocol.multiplicity, answers),
    )


def _worst_release(history: History) -> dict[int, tuple[int, int]]:
    """Place in the cohort -> worst grade after any dose, (new or worse, raw)."""
    return {
        place: (
            max(said.cytokine_release_new for _, said in one.observations),
            max(said.cytokine_release_raw for _, said in one.observations),
        )
        for place, one in enumerate(history.used)
        if one.observations
    }
