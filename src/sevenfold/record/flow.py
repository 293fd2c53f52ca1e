"""The flow of participants (CONSORT): every candidate counted once, with arithmetic that must close."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from sevenfold.errors import AuditBroken
from sevenfold.protocol.protocol import Protocol
from sevenfold.record.history import History, SubjectHistory
from sevenfold.record.tables import disposition

__all__ = ["ArmFlow", "Flow", "flow_of"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFlow:
    """What became of an arm's subjects.

    Args:
        n_dosed: given at least one dose.
        n_stopped_dosing: whose dosing was stopped openly before its planned end.
        n_withheld: whose active product was withheld behind the blind.
        dispositions: how their parts ended; they sum to ``n_randomised``.
    """

    label: str
    n_randomised: int
    n_dosed: int
    n_stopped_dosing: int
    n_withheld: int
    dispositions: Mapping[str, int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Numbers of the flow diagram.

    Args:
        n_screened: candidates held against the criteria.
        not_eligible: first criterion not met (a candidate may fail several) -> count.
        arms: by arm's id, or one entry ``""`` for all while the record is blind.
    """

    n_screened: int
    not_eligible: Mapping[str, int]
    n_declined: int
    n_not_randomised: int
    n_randomised: int
    arms: Mapping[str, ArmFlow]

    def __post_init__(self) -> None:
        out = sum(self.not_eligible.values()) + self.n_declined + self.n_not_randomised
        if self.n_screened != out + self.n_randomised:
            raise AuditBroken(
                f"The flow does not close: {self.n_screened} screened, {out} excluded and {self.n_randomised} "
                "randomised."
            )
        if self.n_randomised != sum(arm.n_randomised for arm in self.arms.values()):
            raise AuditBroken(
                f"The flow does not close: {self.n_randomised} randomised, but the arms sum to another number."
            )
        for arm in self.arms.values():
            if sum(arm.dispositions.values()) != arm.n_randomised:
                raise AuditBroken(
                    f"The flow of {arm.label!r} does not close: {arm.n_randomised} randomised, "
                    f"{dict(arm.dispositions)}."
                )

    @property
    def n_excluded(self) -> int:
        """Screened and not randomised."""
        return self.n_screened - self.n_randomised


def flow_of(history: History, protocol: Protocol) -> Flow:
    """Count everybody once.

    Raises:
        AuditBroken: the numbers do not close.
    """
    everyone = list(history.subjects.values())
    failed = Counter(one.screened.unmet[0].criterion for one in everyone if one.screened.unmet)
    words = {criterion.id: criterion.text for criterion in protocol.population.criteria}
    arms: dict[str, ArmFlow] = {}
    if history.unblinded is None:
        arms[""] = _arm("All subjects (still blind)", history.used)
    else:
        for arm in protocol.arms:
            arms[arm.id] = _arm(arm.label, [one for one in history.used if one.arm == arm.id])
    return Flow(
        n_screened=len(everyone),
        not_eligible={words.get(name, name): count for name, count in failed.most_common()},
        n_declined=sum(one.refused for one in everyone),
        n_not_randomised=sum(not (one.is_randomised or one.screened.unmet or one.refused) for one in everyone),
        n_randomised=len(history.randomised),
        arms=arms,
    )


def _arm(label: str, members: list[SubjectHistory]) -> ArmFlow:
    return ArmFlow(
        label=label,
        n_randomised=len(members),
        n_dosed=sum(one.n_doses_given > 0 for one in members),
        n_stopped_dosing=sum(one.dosing_stopped is not None for one in members),
        n_withheld=sum(any(decision["withhold"] for _, decision in one.reviews) for one in members),
        dispositions=dict(sorted(Counter(disposition(one) for one in members).items())),
    )
