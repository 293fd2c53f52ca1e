"""Serious events and the blind through the pages: judged blind, unblinded behind the firewall, guesses kept."""

from pathlib import Path

from served import Served, enrolled, serve_new

from sevenfold.service.role import Role

WHO = "/subjects/FR-1-001"


def with_serious_event(folder: Path) -> tuple[Served, int]:
    """A randomised subject with one serious event; its number in the ledger."""
    served = serve_new(folder)
    enrolled(served, 1)
    investigator = served.as_a(Role.INVESTIGATOR)
    investigator.get(WHO)
    event = {"number": "1", "term": "Capillary leak", "grade": "4", "serious": "yes", "relation": "probable"}
    investigator.post(f"{WHO}/event", {**event, "outcome": "recovering", "began": served.here()})
    of = next(e.sequence for e in served.room.conduct.ledger.events() if e.type == "AdverseEventReported")
    return served, of


def test_a_susar_is_judged_blind_and_unblinded_by_the_role_behind_the_firewall_alone(tmp_path: Path) -> None:
    """The monitor who judges never sees the arm; nothing is shown before the judgement, nor before it is recorded."""
    served, of = with_serious_event(tmp_path / "trial")
    monitor, reviewer = served.as_a(Role.MEDICAL_MONITOR), served.as_a(Role.SAFETY_REVIEWER)
    labels = [arm.label for arm in served.room.protocol.arms]
    assert "Capillary leak" in monitor.get("/serious")
    reviewer.get("/serious")
    reviewer.post(f"/serious/{of}/unblind", {}, 422)
    reviewer.post(f"/serious/{of}/judge", {"related": "yes", "expected": "no"}, 403)
    text = monitor.post(f"/serious/{of}/judge", {"related": "yes", "expected": "no", "comment": "new"})
    assert "SUSAR" in text
    monitor.post(f"/serious/{of}/unblind", {}, 403)
    shown = reviewer.post(f"/serious/{of}/unblind")
    assert sum(f"<strong>{label}</strong>" in shown for label in labels) == 1
    assert not any(f"<strong>{label}</strong>" in reviewer.get("/serious") for label in labels)
    assert not any(f"<strong>{label}</strong>" in monitor.get("/serious") for label in labels)
    reviewer.post(f"/serious/{of}/informed", {"reference": "EV-2026-17"})
    types = [event.type for event in served.room.conduct.ledger.events_of("FR-1-001")]
    assert types[-3:] == ["SeriousEventAssessed", "SusarUnblinded", "AuthorityInformed"]


def test_guesses_and_what_may_have_betrayed_the_treatment_are_kept(tmp_path: Path) -> None:
    """For the index of blinding after the trial; a guess that is none is refused."""
    served, _ = with_serious_event(tmp_path / "trial")
    nurse = served.as_a(Role.NURSE)
    nurse.get(WHO)
    nurse.post(f"{WHO}/blind", {"by": "nurse", "guess": "active"})
    nurse.post(f"{WHO}/blind", {"by": "nurse", "guess": "both"}, 422)
    nurse.post(f"{WHO}/blind", {"who": "ward nurse", "seen": "a differential count ordered for care"})
    types = [event.type for event in served.room.conduct.ledger.events_of("FR-1-001")]
    assert types[-2:] == ["TreatmentGuessed", "PossiblyUnblinded"]
