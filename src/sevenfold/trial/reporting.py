"""What happens to a virtual patient, as people at a site report it."""

from datetime import datetime

from sevenfold.record.payloads import (
    AdverseEventReported,
    ConsentWithdrawn,
    Died,
    DosingStopped,
    LeftHospital,
    LeftIcu,
    LostToFollowUp,
    OrganSupport,
    Payload,
    Reconsented,
    SecondaryInfection,
)
from sevenfold.trial.ports import Event
from sevenfold.trial.subject import Standing

__all__ = ["reported"]


def reported(event: Event, standing: Standing, happened: datetime) -> tuple[Payload | None, str]:
    """The event in the words of the record, None where there is nothing to say, and who reports it."""
    began, d = happened.isoformat(timespec="minutes"), event.detail
    match event.kind:
        case "adverse event":
            number = standing.n_adverse_events + 1
            return AdverseEventReported.model_validate({"number": number, "began_at": began, **d}), "investigator"
        case "infection":
            return SecondaryInfection.model_validate({"began_at": began, **d}), "investigator"
        case "support":
            return OrganSupport.model_validate(dict(d)), "nurse"
        case "left icu":
            return (LeftIcu() if standing.in_icu else None), "investigator"
        case "left hospital":
            return LeftHospital(), "investigator"
        case "reconsented":
            return Reconsented(), "investigator"
        case "stopped dosing":
            return (DosingStopped.model_validate(dict(d)) if standing.is_dosing else None), "investigator"
        case "withdrawn":
            return ConsentWithdrawn(), "investigator"
        case "lost":
            return LostToFollowUp(), "investigator"
        case _:
            return Died.model_validate(dict(d)), "investigator"
