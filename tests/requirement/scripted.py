"""A world by script: candidates who are all eligible, fates told beforehand, and results that know of no arm."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import final

from sevenfold.clock import SimulatedClock
from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.record.head import LedgerState, SigningKey
from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import Result
from sevenfold.rules.cytokine_release import Bedside, Oxygen
from sevenfold.rules.screening import InfusionSpan, Measurement, Screening
from sevenfold.trial.closing import lock_database, unblind_trial
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.dosing import give_dose, prepare_dose
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate
from sevenfold.trial.opening import open_site, open_trial
from sevenfold.trial.ports import Candidate, Event
from sevenfold.trial.rehearse import rehearse
from sevenfold.trial.signing import sign_data
from sevenfold.trial.visiting import record_visit
from sevenfold.vault.supply import Supply
from sevenfold.vault.vault import Vault

__all__ = [
    "AT",
    "KEY",
    "SECRET",
    "SUPPLY",
    "Desk",
    "Fate",
    "World",
    "acted",
    "desk",
    "planned",
    "screening",
]

AT = datetime(2016, 5, 2, 9, tzinfo=UTC)
MEANING = "I have reviewed these data and they are true"
SECRET = bytes(range(32))
KEY = SigningKey(bytes(range(32, 64)))

_ACTIVE, _PLACEBO = "cyt107", "placebo"
_IRIS_7_DAYS, _IRIS_7C_DAYS = (1, 4, 8, 11, 15, 18, 22, 25), (1, 4, 8, 11, 15, 18)
SUPPLY: Mapping[str, Supply] = {
    "iris-7": Supply(
        ratio=("placebo", "low", "high"),
        block_repeats=(1, 2),
        strata=("France", "United States"),
        n_planned=27,
        products={
            "high": dict.fromkeys(_IRIS_7_DAYS, _ACTIVE),
            "low": {day: _PLACEBO if day in (11, 18, 25) else _ACTIVE for day in _IRIS_7_DAYS},
            "placebo": dict.fromkeys(_IRIS_7_DAYS, _PLACEBO),
        },
        placebo_of={_ACTIVE: _PLACEBO},
    ),
    "iris-7c": Supply(
        ratio=("cyt107", "cyt107", "cyt107", "placebo"),
        block_repeats=(1, 2),
        strata=("France", "United States"),
        n_planned=40,
        products={
            "cyt107": dict.fromkeys(_IRIS_7C_DAYS, _ACTIVE),
            "placebo": dict.fromkeys(_IRIS_7C_DAYS, _PLACEBO),
        },
        placebo_of={_ACTIVE: _PLACEBO},
    ),
}
"""What the two protocols say of arms, products and strata, copied from them by hand."""

_ABSENT = (
    "active_cancer_treatment", "autoimmune_disease", "cardiac_arrest_without_recovery", "end_stage_liver_disease",
    "female", "haematological_malignancy", "hiv_or_active_hepatitis", "immunosuppressive_treatment",
    "moribund_or_care_withdrawn", "oliguria_4h", "other_investigational_drug", "pregnant_or_lactating", "splenectomy",
)  # fmt: skip
_PRESENT = (
    "consent_possible", "hospital_stay_three_weeks_predicted", "icu_stay_two_weeks_predicted",
    "invasive_ventilation_24h", "suspected_infection",
)  # fmt: skip
_NUMBERS = {
    "age": 60.0,
    "weight": 70.0,
    "height": 170.0,
    "hours_since_icu_admission": 72.0,
    "hours_since_sepsis_diagnosis": 80.0,
    "sirs_criteria": 3.0,
    "sofa_worst_at_entry": 9.0,
    "sofa_worst_organ_at_entry": 3.0,
    "fluid_24h": 30.0,
    "creatinine_highest": 2.5,
}
_USUAL = {
    "platelets": 150_000.0,
    "inr": 1.2,
    "haemoglobin": 10.0,
    "il6": 80.0,
    "tnf_alpha": 20.0,
    "il10": 15.0,
    "mhla_dr": 6000.0,
    "temperature": 37.4,
    "pao2_fio2": 250.0,
    "ventilated": 1.0,
    "bilirubin": 1.0,
    "mean_arterial_pressure": 75.0,
    "norepinephrine_rate": 0.0,
    "gcs": 14.0,
    "creatinine": 1.0,
    "urine_output": 1500.0,
    "alc": 1000.0,
    "cd4": 300.0,
    "cd8": 200.0,
    "b_cells": 100.0,
    "nk_cells": 80.0,
    "ki67_cd4": 5.0,
    "ki67_cd8": 4.0,
    "hladr_tcell": 3.0,
    "cd127_cd4": 90.0,
    "il7": 0.02,
    "anti_drug_antibodies": 0.0,
}
_CALM = Bedside(temperature_c=37.0, vasopressors=1, is_hypotensive=False, oxygen=Oxygen.LOW_FLOW)


def planned(name: str, n: int) -> ProtocolFile:
    """A built-in protocol for ``n`` subjects."""
    file = load(name)
    population = file.protocol.population.model_copy(update={"planned": n})
    return dataclasses.replace(file, protocol=file.protocol.model_copy(update={"population": population}))


def screening(at: datetime, *, qualifying: tuple[float, float] = (700.0, 900.0), age: float = 60.0) -> Screening:
    """A candidate who meets every criterion of both protocols, unless the age says otherwise."""
    counts = tuple(
        Measurement(value=value, taken_at=at - timedelta(hours=hours))
        for value, hours in zip(qualifying, (20.0, 4.0), strict=True)
    )
    return Screening(
        at=at,
        facts=dict.fromkeys(_ABSENT, False) | dict.fromkeys(_PRESENT, True),
        numbers=_NUMBERS | {"age": age},
        laboratory={"alc": counts},
        infusions={
            "norepinephrine": (
                InfusionSpan(rate=0.2, began_at=at - timedelta(hours=40), ended_at=at - timedelta(hours=10)),
            )
        },
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of a subject.

    Args:
        events: in order of time.
        values: (visit, assessment) -> value, where it is not the usual one.
        missed: visits that do not take place.
        consent: who consents; None if nobody does.
        qualifying: lymphocyte counts at screening.
    """

    events: tuple[Event, ...] = ()
    values: Mapping[tuple[str, str], float] = field(default_factory=dict)
    missed: frozenset[str] = frozenset()
    consent: str | None = "patient"
    qualifying: tuple[float, float] = (700.0, 900.0)


@final
@dataclass(slots=True)
class ScriptedNature:
    """Answers by script alone: it is told which kit is injected and forgets it.

    Args:
        fate: of the n-th candidate (from 0) of the whole trial.
    """

    units: Mapping[str, str]
    fate: Callable[[int], Fate]
    fates: dict[str, Fate] = field(default_factory=dict)
    kits: list[tuple[str, int, str]] = field(default_factory=list)  # subject, day, kit

    def candidate(self, subject: str, site: str, at: datetime) -> Candidate:
        """Everybody is eligible."""
        fate = self.fate(len(self.fates))
        self.fates[subject] = fate
        return Candidate(
            screening=screening(at, qualifying=fate.qualifying),
            consent="patient" if fate.consent == "patient" else None,
        )

    def assess(self, subject: str, visit: str, time_day: float, names: Sequence[str]) -> Mapping[str, Result] | str:
        """The script's values, else the usual ones."""
        fate = self.fates[subject]
        if visit in fate.missed:
            return "did not attend"
        return {
            name: Result(value=fate.values.get((visit, name), _USUAL[name]), unit=self.units[name]) for name in names
        }

    def comes(self, subject: str, visit: str, time_day: float, earliest_day: int, latest_day: int) -> float:
        """As planned."""
        return time_day

    def supports(self, subject: str, time_day: float) -> Sequence[str]:
        """Everybody is ventilated when they are randomised."""
        return ("invasive ventilation",)

    def takes_dose(self, subject: str, study_day: int, time_day: float) -> str | None:
        """Always."""
        return None

    def receive(
        self,
        subject: str,
        study_day: int,
        time_day: float,
        kit: str,
        route: str,
        volume_ml: float,
        over_h: float | None = None,
    ) -> None:
        """Only the number is kept."""
        self.kits.append((subject, study_day, kit))

    def observed(self, subject: str, time_day: float, hours: float) -> tuple[Bedside, Bedside]:
        """Nothing happens after a dose."""
        return _CALM, _CALM

    def next_event(self, subject: str, after_day: float, before_day: float) -> Event | None:
        """By script."""
        return next((e for e in self.fates[subject].events if after_day < e.time_day <= before_day), None)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A trial that was acted out to database lock."""

    file: ProtocolFile
    ledger: Path
    clock: SimulatedClock
    vault: Vault
    conduct: Conduct
    nature: ScriptedNature

    def unblind(self) -> None:
        """Reveal, record, and close the ledger for good."""
        shown = self.vault.reveal(is_locked=self.conduct.is_locked)
        now = self.clock.now()
        unblind_trial(self.conduct, shown.assignments, shown.allocation_list, shown.nonce, shown.results_key, now)
        self.conduct.ledger.commit(LedgerState.COMPLETE)
        self.conduct.ledger.close()


def acted(file: ProtocolFile, folder: Path, supply: Supply, fate: Callable[[int], Fate]) -> World:
    """Act a trial out, from the first site's opening to database lock. Its secrets are this file's."""
    folder.mkdir(parents=True, exist_ok=True)
    vault = Vault.create(folder / "vault.db", supply, SECRET)
    clock = SimulatedClock(datetime(2010, 1, 1, tzinfo=UTC))
    conduct = Conduct(file, Ledger.create(folder / "trial.db", clock, KEY), vault)
    units = {name: variable.unit or "" for name, variable in file.protocol.known_variables.items()}
    nature = ScriptedNature(units, fate)
    rehearse(conduct, nature, clock, 5, lambda _done, _of: None)
    vault.persist()
    return World(file=file, ledger=folder / "trial.db", clock=clock, vault=vault, conduct=conduct, nature=nature)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A trial that is open at one site of either country, to be run step by step."""

    file: ProtocolFile
    ledger: Path
    clock: SimulatedClock
    vault: Vault
    conduct: Conduct

    def screened(self, subject: str = "FR-1-001") -> str:
        """An eligible candidate."""
        assert not screen_candidate(self.conduct, subject, subject[:4], screening(AT))
        return subject

    def consented(self, subject: str = "FR-1-001") -> str:
        """One who takes part."""
        record_consent(self.conduct, self.screened(subject), "patient", AT)
        return subject

    def randomised(self, subject: str = "FR-1-001") -> str:
        """One who has a place on the list."""
        randomise_subject(self.conduct, self.consented(subject), AT)
        return subject

    def seen(self, subject: str, visit: str, day: int, **values: float) -> None:
        """A visit with these results."""
        variables = self.file.protocol.known_variables
        results = {name: Result(value=value, unit=variables[name].unit or "") for name, value in values.items()}
        record_visit(self.conduct, subject, visit, results, AT + timedelta(days=day - 1))

    def dosed(self, subject: str, day: int) -> str:
        """A dose is given; answers its kit."""
        at = AT + timedelta(days=day - 1)
        prepared = prepare_dose(self.conduct, subject, day, at)
        assert prepared is not None
        give_dose(self.conduct, subject, day, *prepared, at)
        return prepared[0]

    def locked(self) -> None:
        """Everybody comes to an end, and the database is locked."""
        for standing in self.conduct.standings.values():
            if standing.number is not None:
                self.conduct.ending(standing.subject, AT)
                sign_data(self.conduct, standing.subject, "Dr Ida", MEANING, None, AT)
        lock_database(self.conduct, AT)

    def closed(self, state: LedgerState = LedgerState.COMPLETE) -> Path:
        """Commit, sign, let go; answers the ledger's file."""
        self.conduct.ledger.commit(state)
        self.conduct.ledger.close()
        return self.ledger


def desk(folder: Path, n: int = 4, name: str = "iris-7") -> Desk:
    """Open a trial for ``n`` subjects."""
    file = planned(name, n)
    supply = dataclasses.replace(SUPPLY[name], n_planned=n)
    vault = Vault.create(folder / "vault.db", supply, SECRET)
    clock = SimulatedClock(AT + timedelta(days=365))  # a desk looks back on what happened
    conduct = Conduct(file, Ledger.create(folder / "trial.db", clock, KEY), vault)
    open_trial(conduct, AT, is_rehearsal=True)
    open_site(conduct, "FR-1", AT)
    open_site(conduct, "US-1", AT)
    return Desk(file=file, ledger=folder / "trial.db", clock=clock, vault=vault, conduct=conduct)
