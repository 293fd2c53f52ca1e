"""What one planned analysis said in one simulated trial: whether it found a difference, and whether its interval holds
the truth, which in these trials is no effect.
"""

from dataclasses import dataclass
from typing import Final, final

from sevenfold.analysis.effect import Status
from sevenfold.analysis.trial.estimates import Answer

__all__ = ["ALPHA", "Said", "said"]

ALPHA: Final = 0.05
_NO_EFFECT: Final = {"ratio": 1.0, "hazard ratio": 1.0, "win ratio": 1.0}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The part of an answer that a level is counted from.

    Args:
        scale: of the interval, as ``Answer`` has it.
        lower, upper: of the 95 % interval; None where there is none.
        settings: of the fit that is reported, where the plan has fallbacks and one ended well.
        n_used: subjects of either group that the answer rests on.
    """

    status: Status
    scale: str
    p_value: float | None = None
    lower: float | None = None
    upper: float | None = None
    settings: str | None = None
    n_used: tuple[int, int] = (0, 0)

    @property
    def rejects(self) -> bool | None:
        """By the p-value; by the interval where there is no p-value; None where there is neither."""
        if self.p_value is not None:
            return self.p_value <= ALPHA
        return None if self.covers is None else not self.covers

    @property
    def covers(self) -> bool | None:
        """Whether the interval holds no effect; None where there is none."""
        if self.status is not Status.OK or self.lower is None or self.upper is None:
            return None
        return self.lower <= _NO_EFFECT.get(self.scale, 0.0) <= self.upper


def said(found: Answer) -> Said:
    """Of an answer as a real trial has it."""
    is_fitted = found.status is Status.OK and bool(found.attempts)
    return Said(
        status=found.status,
        scale=found.scale,
        p_value=found.p_value,
        lower=found.lower,
        upper=found.upper,
        settings=found.attempts[-1].settings if is_fitted else None,
        n_used=(found.groups[0].n_used, found.groups[1].n_used),
    )
