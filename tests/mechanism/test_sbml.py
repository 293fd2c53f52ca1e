"""SBML, read back by libSBML's own checker and simulated by libRoadRunner (CVODE)."""

import dataclasses
from pathlib import Path

import libsbml
import numpy as np
import pytest
import roadrunner
from pages import ALL

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.compartments import compartment_page
from sevenfold.mechanism.load import load_model
from sevenfold.mechanism.sbml import sbml_text
from sevenfold.mechanism.solve import Dose, advance, begin
from sevenfold.mechanism.trace import trace_whole

CASES = {
    "il7 IM": ("il7", [Dose(time_day=float(d), amount=750.0, route="IM") for d in (0, 3, 7, 10, 14, 17, 21, 24)]),
    "il7 infused": (
        "il7",
        [
            Dose(time_day=1.0, amount=700.0, route="IV", duration_day=0.25),
            Dose(time_day=1.25, amount=300.0, route="IV", duration_day=0.5),  # begins when the first ends
            Dose(time_day=3.0, amount=200.0, route="IM"),
            Dose(time_day=3.0, amount=100.0, route="SC"),  # two into one state at one time
        ],
    ),
    "il15": ("il15_nk.py", [Dose(time_day=float(d), amount=750.0, route="SC") for d in (0, 7, 14)]),
    "gm-csf": ("gm_csf_monocytes.py", [Dose(time_day=float(d), amount=300.0, route="SC") for d in range(5)]),
}


def named(model: str) -> str:
    """The model's name, or its file's path."""
    return next(known for known in ALL if Path(known).name == model)


@pytest.mark.parametrize("case", CASES)
def test_libroadrunner_gives_the_same_trajectories(case: str) -> None:
    """To 1e-6 of each value, or of a billionth of the output's largest (a drug long gone). Both solvers run at 1e-10 a
    step; over some hundred steps that leaves 1e-8, and the rest is room for another build of CVODE.
    """
    model, doses = CASES[case]
    loaded = load_model(named(model))
    names = [output.name for output in loaded.page.outputs]
    looks = np.arange(0.137, 42.0, 0.5)  # none at a dose: there the two see different sides of it
    runner = roadrunner.RoadRunner(sbml_text(loaded.whole, doses))
    runner.timeCourseSelections = ["time", *names]
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-10, 1e-13
    runner.integrator.maximum_num_steps = 100_000
    theirs = np.asarray(runner.simulate(times=[0.0, *looks]))[1:, 1:]
    ours = advance(begin(loaded.page, {}), [doses], [list(looks)], [50.0], tolerance=1e-10).seen
    for k, name in enumerate(names):
        size = np.max(np.abs(theirs[:, k]))
        assert ours[name][0] == pytest.approx(theirs[:, k], rel=1e-6, abs=1e-9 * size), name


def faults(text: str) -> list[tuple[int, str]]:
    """What libSBML's checker has to say: (number, message)."""
    document = libsbml.readSBMLFromString(text)
    document.checkConsistency()
    found = [document.getError(k) for k in range(document.getNumErrors())]
    return [(error.getErrorId(), error.getMessage()) for error in found]


@pytest.mark.parametrize("model", ALL)
def test_libsbml_finds_the_document_valid_and_its_units_consistent(model: str) -> None:
    """A second opinion on our check of units. All it says is that it can't tell the unit of a bare 0."""
    loaded = load_model(model)
    doses = [Dose(time_day=1.0, amount=1.0, route=entry.route, duration_day=0.5) for entry in loaded.page.entries]
    for number, message in faults(sbml_text(loaded.whole, doses)):
        assert number == libsbml.UndeclaredUnits, message
        assert ", 0)" in message, message


def test_provenance_and_units_go_with_the_model() -> None:
    loaded = load_model("il7")
    document = libsbml.readSBMLFromString(sbml_text(loaded.whole))
    model = document.getModel()
    clearance = model.getParameter("clearance_l_per_day")
    assert "Status: assumed" in clearance.getNotesString()
    assert model.getUnitDefinition(clearance.getUnits()).getName() == "L/day"
    assert model.getNumRules() == len(loaded.page.states) + sum(rule.isAssignment() for rule in model.getListOfRules())
    assert model.getNumEvents() == 0


def test_a_lag_moves_the_dose() -> None:
    """The first two-compartment page of the library, absorbed late: an entry whose lag is a parameter."""
    page = compartment_page(2, is_absorbed=True)
    entry = next(entry for entry in page.entries if entry.lag is not None)
    doses = [Dose(time_day=float(day), amount=100.0, route=entry.route) for day in (0, 2)]
    lag = {entry.lag: 0.3}
    page = dataclasses.replace(
        page, parameters=tuple(dataclasses.replace(p, value=lag.get(p.name, p.value)) for p in page.parameters)
    )
    looks, name = np.arange(0.1, 6.0, 0.25), page.outputs[0].name
    runner = roadrunner.RoadRunner(sbml_text(trace_whole(page), doses))
    runner.timeCourseSelections = ["time", name]
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-10, 1e-13
    theirs = np.asarray(runner.simulate(times=[0.0, *looks]))[1:, 1]
    ours = advance(begin(page, {}), [doses], [list(looks)], [6.0], tolerance=1e-10).seen[name][0]
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9 * np.max(theirs))
    assert ours[0] == 0.0


def test_a_dose_before_time_0_is_refused() -> None:
    """A trigger that is true from the beginning never becomes true: the dose would be lost without a word."""
    with pytest.raises(InvalidInput, match="day -3 is before time 0"):
        sbml_text(load_model("il7").whole, [Dose(time_day=-3.0, amount=1.0, route="IM")])
