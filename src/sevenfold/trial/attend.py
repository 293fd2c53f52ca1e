"""A visit: who is asked what, in which order, and how the answer is recorded. The same at a site and in a rehearsal."""

from datetime import datetime, timedelta

from sevenfold.clock import later
from sevenfold.protocol.visit import Visit
from sevenfold.record.payloads import DoseNotGiven, VisitMissed
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.dosing import give_dose, prepare_dose
from sevenfold.trial.ports import Nature
from sevenfold.trial.visiting import record_visit

__all__ = ["attend", "dose"]


def attend(
    conduct: Conduct, nature: Nature, subject: str, visit: Visit, time_day: float, first_dose_at: datetime
) -> None:
    """Assess a subject and record what was found, or why the visit was missed.

    Args:
        time_day: when the visit takes place, since the first dose.
    """
    happened = later(first_dose_at, timedelta(days=time_day))
    answer = nature.assess(subject, visit.id, time_day, _asked(conduct, visit))
    if isinstance(answer, str):
        conduct.record(subject, VisitMissed(visit=visit.id, reason=answer), "investigator", happened)
    else:
        record_visit(conduct, subject, visit.id, answer, happened)


def dose(conduct: Conduct, nature: Nature, subject: str, day: int, time_day: float, first_dose_at: datetime) -> bool:
    """Give the dose planned for a study day, or record why not; answers whether it was given."""
    happened = later(first_dose_at, timedelta(days=time_day))
    reason = nature.takes_dose(subject, day, time_day)
    prepared = None if reason is not None else prepare_dose(conduct, subject, day, happened)
    if prepared is None:
        by_rule = "held" if conduct.standings[subject].is_dosing else "stopped"
        said = DoseNotGiven(study_day=day, reason=reason or f"{by_rule} by a rule of the protocol")
        conduct.record(subject, said, "nurse", happened)
        return False
    kit, injected = prepared
    give_dose(conduct, subject, day, kit, injected, happened)
    nature.receive(subject, day, time_day, kit, injected.route.value, injected.volume_ml, injected.over_h)
    return True


def _asked(conduct: Conduct, visit: Visit) -> tuple[str, ...]:
    """The visit's assessments, scores replaced by what they are worked out from; each once."""
    variables = conduct.file.protocol.known_variables
    names: dict[str, None] = {}
    for name in visit.assessments:
        names |= dict.fromkeys(variables[name].components or (name,))
    return tuple(names)
