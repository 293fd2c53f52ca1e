"""Is this candidate eligible? Every criterion in force, met or not, with the reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.registered import Criterion, CriterionKind
from sevenfold.rules.holding import holds_at_screening
from sevenfold.rules.screening import Screening

__all__ = ["Unmet", "unmet_criteria"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """A criterion that keeps a candidate out.

    Args:
        criterion: its id.
        reason: what was found.
        is_unknown: True where something needed is not known.
    """

    criterion: str
    reason: str
    is_unknown: bool


def unmet_criteria(criteria: Iterable[Criterion], known: Screening, protocol: Protocol) -> tuple[Unmet, ...]:
    """The criteria that are not met, in the protocol's order; none means eligible.

    An inclusion criterion is met when its rule holds, an exclusion criterion when its rule does not hold; what is not
    known keeps a candidate out either way.
    """
    unmet = []
    for criterion in criteria:
        found = holds_at_screening(criterion.rule, known, protocol)
        wanted = criterion.kind is CriterionKind.INCLUSION
        if found.holds is not wanted:
            unmet.append(Unmet(criterion=criterion.id, reason=found.because, is_unknown=found.holds is None))
    return tuple(unmet)
