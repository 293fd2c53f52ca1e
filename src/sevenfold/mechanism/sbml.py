"""A page as SBML, for libRoadRunner, COPASI and others: Level 3 Version 2, core only.

States are parameters with rate rules (an equation says all there is; species would bring compartments and a choice
between amount and concentration), terms and outputs are assignment rules, what is derived and the start are initial
assignments, doses are events. Units become unit definitions, the provenance of a parameter its note. What SBML has no
place for stays behind: variability between patients, priors, domains, the solver's scales.

Source: [hucka2019].
"""

from collections.abc import Sequence
from fractions import Fraction
from html import escape
from types import ModuleType
from typing import Any, Final, final

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.dimension import Dimension, dimension_of
from sevenfold.mechanism.expression import Node
from sevenfold.mechanism.solve import Dose
from sevenfold.mechanism.trace import Whole

__all__ = ["sbml_text"]

_BASES: Final[dict[str, tuple[str, int, float]]] = {  # base of a dimension: SBML's kind, scale, multiplier
    "µg": ("gram", -6, 1.0),
    "nmol": ("mole", -9, 1.0),
    "dm": ("metre", -1, 1.0),
    "day": ("second", 0, 86_400.0),
    "cells": ("item", 0, 1.0),
    "antibodies": ("item", 0, 1.0),
    "mmHg": ("pascal", 0, 133.322387415),
    "°C": ("kelvin", 0, 1.0),
}
_OPERATORS: Final = {"+": "({} + {})", "-": "({} - {})", "*": "({} * {})", "/": "({} / {})", "power": "pow({}, {})",
                     "exp": "exp({})", "log": "ln({})", "maximum": "max({}, {})", "minimum": "min({}, {})"}  # fmt: skip


def sbml_text(whole: Whole, doses: Sequence[Dose] = ()) -> str:
    """The model as an SBML document.

    Args:
        doses: they become events; a look at the time of a dose sees the moment after it in most programs.

    Raises:
        InvalidInput: python-libsbml, the extra ``sbml``, is not installed; or a dose before time 0.
    """
    early = [dose.time_day for dose in doses if dose.time_day < 0.0]
    if early:
        raise InvalidInput(f"A dose on day {early[0]:g} is before time 0, when an SBML model begins; no event happens.")
    try:
        import libsbml
    except ImportError:
        raise InvalidInput("SBML is written by python-libsbml: pip install 'sevenfold[sbml]'.") from None
    return _Document(libsbml, whole, doses).text()


@final
class _Document:
    def __init__(self, libsbml: ModuleType, whole: Whole, doses: Sequence[Dose]) -> None:
        self.libsbml: Any = libsbml
        self.whole, self.page, self.doses = whole, whole.traced.page, doses
        self.document = libsbml.SBMLDocument(3, 2)
        self.model = self.document.createModel()
        self.parsing = libsbml.L3ParserSettings()
        self.parsing.setParseL3v2Functions(True)
        self.parsing.setParseUnits(True)
        self.units: dict[str, str] = {}
        derived = {node.number: name for name, node in whole.derived.items()}
        self.named = {n: derived.get(n, term.name) for n, term in whole.traced.graph.terms.items()}

    def text(self) -> str:
        """Everything, in an order that a person can read."""
        page, graph = self.page, self.whole.traced.graph
        self.model.setId(page.name.replace("-", "_"))
        self.model.setName(page.title)
        self.model.setTimeUnits(self._unit("day"))
        self._note(
            self.model, "Written by Sevenfold. One patient; time in days since the first dose. Not medical advice."
        )
        for p in page.parameters:
            made = self._quantity(p.name, p.unit, f"{p.symbol}: {p.name}", is_constant=True)
            made.setValue(p.value)
            self._note(made, f"Status: {p.status}. Source: {p.source}. {p.note}".strip())
        for name, node in self.whole.derived.items():
            term = graph.terms.get(node.number)
            self._quantity(name, term.unit if term else None, term.what if term else "", is_constant=True)
            self._initially(name, self._formula(node, is_definition=True))
        for state, start in zip(page.states, self.whole.start, strict=True):
            made = self._quantity(state.name, state.unit, state.what)
            if start.is_constant():
                made.setValue(start.value)
            else:
                self._initially(state.name, self._formula(start))
        for name in self.whole.traced.inputs:
            made = self._quantity(_infused(name), f"{self._unit_of(name)}/day", f"infusion into {name}")
            made.setValue(0.0)
        self._terms()
        for state, rate in zip(page.states, self.whole.traced.rates, strict=True):
            self._math(self.model.createRateRule(), self._formula(rate), variable=state.name)
        self._outputs()
        self._events()
        return str(self.libsbml.writeSBMLToString(self.document))

    def _terms(self) -> None:
        graph = self.whole.traced.graph
        derived = {node.number for node in self.whole.derived.values()}
        for number, term in sorted(graph.terms.items()):
            if number in derived:
                continue
            node = graph.nodes[number]
            is_constant = node.kinds <= {"parameter"}
            self._quantity(term.name, term.unit, term.what, is_constant=is_constant)
            formula = self._formula(node, is_definition=True)
            if is_constant:
                self._initially(term.name, formula)
            else:
                self._math(self.model.createAssignmentRule(), formula, variable=term.name)

    def _outputs(self) -> None:
        for output, node in zip(self.page.outputs, self.whole.traced.outputs, strict=True):
            same = self.model.getParameter(output.name) is not None
            if same and self._formula(node) == output.name:
                continue  # what is observed is the state or term of that name itself
            name = f"{output.name}_observed" if same else output.name
            self._quantity(name, output.unit, output.what)
            self._math(self.model.createAssignmentRule(), self._formula(node), variable=name)

    def _events(self) -> None:
        changes: dict[tuple[float, str], dict[str, list[str]]] = {}  # (day, lag) -> variable -> what is added

        def change(day: float, lag: str | None, variable: str, added: str) -> None:
            changes.setdefault((day, lag or ""), {}).setdefault(variable, []).append(added)

        for dose in self.doses:
            entry = self.page.entry(dose.route)
            amount = f"{dose.amount!r} {self._unit(self._unit_of(entry.state))}"
            amount += f" * {entry.fraction}" if entry.fraction else ""
            if dose.duration_day > 0.0:
                per_day = f"{amount} / {dose.duration_day!r} {self._unit('day')}"
                change(dose.time_day, entry.lag, _infused(entry.state), f"+ {per_day}")
                change(dose.time_day + dose.duration_day, entry.lag, _infused(entry.state), f"- {per_day}")
            else:
                change(dose.time_day, entry.lag, entry.state, f"+ {amount}")
        for number, ((day, lag), by_name) in enumerate(sorted(changes.items()), start=1):
            event = self.model.createEvent()
            event.setId(f"dosing_{number}")
            event.setName(f"day {day:g}" + (f" and {lag}" if lag else ""))
            event.setUseValuesFromTriggerTime(not lag)  # two lags may end at one time: then one after the other
            trigger = event.createTrigger()
            trigger.setInitialValue(False)  # so that a dose at time 0 is given
            trigger.setPersistent(True)
            self._math(trigger, f"time >= {day!r} {self._unit('day')}" + (f" + {lag}" if lag else ""))
            for name, added in by_name.items():
                self._math(event.createEventAssignment(), f"{name} {' '.join(added)}", variable=name)

    def _quantity(self, name: str, unit: str | None, what: str, *, is_constant: bool = False) -> Any:
        made = self.model.createParameter()
        made.setId(name)
        made.setConstant(is_constant)
        if what:
            made.setName(what)
        if unit is not None:
            made.setUnits(self._unit(unit))
        return made

    def _initially(self, name: str, formula: str) -> None:
        made = self.model.createInitialAssignment()
        made.setSymbol(name)
        self._math(made, formula)

    def _math(self, holder: Any, formula: str, variable: str | None = None) -> None:
        if variable is not None:
            holder.setVariable(variable)
        tree = self.libsbml.parseL3FormulaWithSettings(formula, self.parsing)
        assert tree is not None, self.libsbml.getLastParseL3Error()  # we wrote the formula ourselves
        holder.setMath(tree)

    def _formula(self, node: Node, *, is_definition: bool = False) -> str:
        if node.number in self.named and not is_definition:
            return self.named[node.number]
        if node.is_constant():
            return repr(node.value) + ("" if node.value == 0 else f" {self._unit(node.unit)}")
        if node.operation == "variable":
            kind = next(iter(node.kinds))
            return {"time": "time", "input": _infused(node.name)}.get(kind, node.name)
        return _OPERATORS[node.operation].format(*(self._formula(operand) for operand in node.operands))

    def _unit_of(self, state: str) -> str:
        return next(known.unit for known in self.page.states if known.name == state)

    def _unit(self, unit: str) -> str:
        """The id of a unit, defined when it is first asked for."""
        dimension = dimension_of(unit)
        if dimension.is_number:
            return "dimensionless"
        if unit not in self.units:
            plain = unit.replace("µ", "u").replace("/", "_per_").replace("%", "percent").replace("^", "")
            name = "".join(c if c.isascii() and c.isalnum() else "_" for c in plain).strip("_") or "unit"
            name = f"unit_{name}" if name[0].isdigit() or name in ("day", "item") else name
            self.units[unit] = name if name not in self.units.values() else f"{name}_{len(self.units)}"
            definition = self.model.createUnitDefinition()
            definition.setId(self.units[unit])
            definition.setName(unit)
            self._define(definition, dimension)
        return self.units[unit]

    def _define(self, definition: Any, dimension: Dimension) -> None:
        parts = [(*_BASES.get(base, ("dimensionless", 0, 1.0)), power) for base, power in dimension.powers]
        if dimension.size != 1:
            parts.append(("dimensionless", 0, float(dimension.size), Fraction(1)))
        for kind, scale, multiplier, power in parts:
            made = definition.createUnit()
            made.setKind(self.libsbml.UnitKind_forName(kind))
            made.setScale(scale)
            made.setMultiplier(multiplier)
            made.setExponent(float(power))

    def _note(self, holder: Any, words: str) -> None:
        holder.setNotes(f'<p xmlns="http://www.w3.org/1999/xhtml">{escape(words)}</p>')


def _infused(state: str) -> str:
    return f"{state}_infused_per_day"
