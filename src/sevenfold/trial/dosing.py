"""A dose as it is recorded: the kit that the pharmacy prepares, the injection, and what is seen after it."""

from datetime import datetime

from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.record.payloads import Dispensed, DoseGiven, DoseObserved
from sevenfold.rules.cytokine_release import Bedside, released
from sevenfold.rules.dosing import Injected, interruptions, vials_for, volume_for
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.reacting import stop_by_rule

__all__ = ["give_dose", "observe_dose", "prepare_dose"]


def prepare_dose(conduct: Conduct, subject: str, study_day: int, happened: datetime) -> tuple[str, Injected] | None:
    """The kit and the injection for a dose; None where an open rule holds it. A rule that stops dosing stops it
    here, on the record, if it has not before. Where stock is kept, the vials are taken from it.

    Raises:
        OutOfStock: the site lacks vials of some product that the kit might hold, whichever it does.
    """
    p = conduct.file.protocol
    if study_day not in p.dosing_days:
        days = ", ".join(map(str, sorted(p.dosing_days)))
        raise InvalidInput(f"{subject}: no dose is planned for day {study_day}; doses are on days {days}.")
    if subject not in conduct.standings:
        raise OutOfOrder(f"No dose can be prepared for {subject}, who was never screened.")
    standing = conduct.standings[subject]
    if standing.is_dosing and interruptions(p, standing.latest, masked=False):
        stop_by_rule(conduct, subject, happened)
        return None
    injected = volume_for(p, study_day, standing.weight_kg, standing.latest)
    said = Dispensed(study_day=study_day, kit="", volume_ml=injected.volume_ml, route=injected.route.value)
    conduct.check(subject, said, happened)
    picked = _picked(conduct, subject, study_day, injected, happened)
    kit = conduct.allocator.dispense(str(standing.number), study_day, picked)
    conduct.record(subject, said.model_copy(update={"kit": kit}), "unblinded pharmacist", happened)
    return kit, injected


def give_dose(conduct: Conduct, subject: str, study_day: int, kit: str, injected: Injected, happened: datetime) -> None:
    """The injection."""
    said = DoseGiven(
        study_day=study_day,
        kit=kit,
        volume_ml=injected.volume_ml,
        route=injected.route.value,
        over_h=injected.over_h,
    )
    conduct.record(subject, said, "nurse", happened)


def observe_dose(
    conduct: Conduct, subject: str, study_day: int, before: Bedside, seen: Bedside, happened: datetime
) -> None:
    """The worst before and after a dose, with the grade of cytokine release, raw and new."""
    found = released(before, seen)
    said = DoseObserved(
        study_day=study_day,
        before=before.as_numbers(),
        after=seen.as_numbers(),
        cytokine_release_raw=found.raw,
        cytokine_release_new=found.new,
    )
    conduct.record(subject, said, "nurse", happened)


def _picked(
    conduct: Conduct, subject: str, study_day: int, injected: Injected, happened: datetime
) -> dict[str, dict[str, int]] | None:
    """The vials that would go into a kit, whatever it holds; None where no stock is kept."""
    site = str(conduct.site_of(subject))
    wanted = vials_for(conduct.file.protocol, study_day, injected.volume_ml)
    if not wanted or not conduct.stock.is_kept_at(site):
        return None
    return conduct.stock.pick(site, wanted, happened.astimezone(conduct.zone(site)).date())
