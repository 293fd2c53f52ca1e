"""Whether the blind held: what was guessed of the treatment, and by how many it was or may have been seen."""

from dataclasses import dataclass
from typing import Final, final

from sevenfold.analysis.guess import BlindingIndex, bang
from sevenfold.protocol.protocol import Protocol
from sevenfold.record.history import History, SubjectHistory

__all__ = ["Blinding", "GuessRow", "blinding_of"]

_GUESSERS: Final = ("patient", "investigator", "nurse")
_UNSURE: Final = "does not know"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GuessRow:
    """What one kind of guesser said of the subjects of one arm; each subject's last guess counts.

    Args:
        n_in_arm: subjects of the arm, asked or not.
    """

    by: str
    arm: str
    n_in_arm: int
    n_correct: int
    n_wrong: int
    n_unsure: int
    index: BlindingIndex


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Blinding:
    """Of an unblinded trial.

    Args:
        n_possibly: subjects of whom somebody blind has seen what may betray the treatment.
        n_emergencies: subjects whose treatment was shown in an emergency.
    """

    rows: tuple[GuessRow, ...]
    n_possibly: int
    n_emergencies: int


def blinding_of(history: History, protocol: Protocol) -> Blinding | None:
    """Counts and Bang's index by guesser and arm; None where nothing was guessed, seen or shown.

    A guess says active or comparator: in every arm that receives an active product, ``active`` is correct.
    """
    people = history.used
    products = protocol.products
    active = {arm.id for arm in protocol.arms if any(products[one.product].is_active for one in arm.injections)}
    rows = []
    for by in _GUESSERS:
        for arm in protocol.arms:
            mine = [one for one in people if one.arm == arm.id]
            guesses = [last for one in mine if (last := _last(one, by)) is not None]
            if guesses:
                rows.append(_row(by, arm.id, len(mine), guesses, "active" if arm.id in active else "comparator"))
    n_possibly, n_emergencies = sum(bool(one.seen) for one in people), sum(bool(one.unblindings) for one in people)
    if not rows and not n_possibly and not n_emergencies:
        return None
    return Blinding(rows=tuple(rows), n_possibly=n_possibly, n_emergencies=n_emergencies)


def _last(one: SubjectHistory, by: str) -> str | None:
    return next((said.guess for _, said in reversed(one.guesses) if said.by == by), None)


def _row(by: str, arm: str, n_in_arm: int, guesses: list[str], right: str) -> GuessRow:
    n_correct, n_unsure = guesses.count(right), guesses.count(_UNSURE)
    n_wrong = len(guesses) - n_correct - n_unsure
    index = bang({"correct": n_correct, "wrong": n_wrong, "unsure": n_unsure}, arm)
    return GuessRow(
        by=by, arm=arm, n_in_arm=n_in_arm, n_correct=n_correct, n_wrong=n_wrong, n_unsure=n_unsure, index=index
    )
