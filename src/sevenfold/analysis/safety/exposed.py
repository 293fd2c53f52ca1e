"""Who counts for safety, and from when to when: the subjects dosed, from their first dose to some time after their
last.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.protocol import Protocol

__all__ = ["Exposed", "exposed"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """The analysis set of safety, in the order of the cohort's subjects.

    Args:
        is_dosed: whether a subject received at least one injection; nobody else counts.
        from_day: of the first injection; what came before it is not treatment-emergent.
        to_day: the end of the window, or of follow-up if that came first.
        is_open: whether the window has no end: whatever was reported after the first dose counts.
        window: the window in words.
    """

    is_dosed: Flags
    from_day: Floats
    to_day: Floats
    is_open: bool
    window: str

    def holds(self, subject: int, day: float) -> bool:
        """Whether an event of a subject counts; one whose day is not known (nan) does, as is usual."""
        if not self.is_dosed[subject]:
            return False
        return bool(
            np.isnan(day) or self.from_day[subject] <= day <= (np.inf if self.is_open else self.to_day[subject])
        )


def exposed(cohort: Cohort, protocol: Protocol) -> Exposed:
    """The set and window that the protocol's ``safety`` asks for, of the cohort's first trial."""
    is_dosed = np.asarray(cohort.n_doses[0] > 0)
    first = np.zeros(cohort.n_subjects) if cohort.dosed_from_day is None else cohort.dosed_from_day[0]
    last = np.full(cohort.n_subjects, np.inf) if cohort.dosed_to_day is None else cohort.dosed_to_day[0]
    followed = np.minimum(cohort.last_day[0], cohort.death_day[0])
    window_day = protocol.safety.emergent_for_day
    is_open = window_day is None or cohort.dosed_to_day is None
    to_day = followed if window_day is None else np.minimum(followed, last + window_day)
    words = (
        "from the first dose to the end of follow-up"
        if is_open
        else f"from the first dose to {window_day:g} {'day' if window_day == 1.0 else 'days'} after the last"
    )
    return Exposed(
        is_dosed=is_dosed,
        from_day=np.where(is_dosed, first, np.inf),
        to_day=to_day,
        is_open=is_open,
        window=words,
    )
