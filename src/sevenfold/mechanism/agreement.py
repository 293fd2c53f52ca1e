"""Do a page's equations agree in their units? Dimensional analysis over the traced graph.

Every state, parameter, output and term declares its unit, numbers are dimensionless unless ``quantity`` says otherwise,
and what is derived gets its unit from what it is made of. A rate has the unit of its state a day. What is added or
compared agrees in dimension and size; arguments of exp and log, and exponents, are plain numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, final

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.dimension import DIMENSIONLESS, Dimension, dimension_of
from sevenfold.mechanism.expression import Node, in_order
from sevenfold.mechanism.notation import Letters, letters
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.place import InvalidModel, of_function
from sevenfold.mechanism.trace import Whole, trace_whole

__all__ = ["Agreement", "check_units"]


@final
@dataclass(slots=True)
class Agreement:
    """The dimension of every node of a page, found as it is asked for.

    Args:
        declared: dimension of states and parameters by (kind, name).
        spelt: how the page spells a dimension, for messages.
        found: dimension by node; None is that of 0, which agrees with anything.
        equation, says: what is being looked at, and the page's function that says it.
    """

    whole: Whole
    letters: Letters
    declared: dict[tuple[str, str], Dimension]
    spelt: dict[Dimension, str]
    found: dict[int, Dimension | None] = field(default_factory=dict)
    equation: str = ""
    says: Callable[..., Any] | None = None

    def about(self, equation: str, says: Callable[..., Any]) -> None:
        """What is looked at from now on, for messages, and the function that says it."""
        self.equation, self.says = equation, says

    def of(self, node: Node) -> Dimension | None:
        """The dimension of a node.

        Raises:
            InvalidModel: parts of it do not agree.
        """
        for part in in_order([node], self.found):
            self.found[part.number] = self._worked_out(part)
        return self.found[node.number]

    def hold(self, node: Node, found: Dimension | None, wanted: Dimension, says: str) -> None:
        """Refuse an equation whose unit is not the one it should have."""
        if found is not None and found != wanted:
            raise self._fault(node, f"it {says}, but {self.letters.sentence(node)} is {self.spell(found)}", wanted)

    def spell(self, dimension: Dimension | None) -> str:
        """A dimension as the page writes it: ``in µg/L``, or ``a plain number``."""
        if dimension is None or dimension.is_number:
            return "a plain number"
        return f"in {self.spelt.get(dimension, str(dimension))}"

    def _worked_out(self, node: Node) -> Dimension | None:
        match node.operation:
            case "constant":
                return dimension_of(node.unit) if node.unit else None if node.value == 0 else DIMENSIONLESS
            case "variable":
                return self._variable(node)
            case "+" | "-" | "maximum" | "minimum":
                return self._same(node)
            case "*" | "/":
                a, b = (self.found[operand.number] for operand in node.operands)
                return None if a is None or b is None else a * b if node.operation == "*" else a / b
            case "power":
                return self._power(node)
        self._plain(node, node.operands[0], f"the argument of {node.operation}")
        return DIMENSIONLESS

    def _variable(self, node: Node) -> Dimension | None:
        kind = next(iter(node.kinds))
        if kind == "parameter" and node.name in self.whole.derived:
            return self.of(self.whole.derived[node.name])
        if kind == "time":
            return dimension_of("day")
        return None if kind == "input" else self.declared[kind, node.name]

    def _same(self, node: Node) -> Dimension | None:
        a, b = (self.found[operand.number] for operand in node.operands)
        if a is None or b is None:
            return b if a is None else a
        if a != b:
            done = {"+": "added", "-": "subtracted"}.get(node.operation, "compared")
            left, right = (self.letters.phrase(operand) for operand in node.operands)
            raise self._fault(node, f"{left} is {self.spell(a)} and {right} is {self.spell(b)}; they are {done}", a, b)
        return a

    def _power(self, node: Node) -> Dimension | None:
        base, exponent = node.operands
        found = self.found[base.number]
        self._plain(node, exponent, "an exponent")
        if exponent.is_constant() and found is not None:
            return found.to_power(Fraction(exponent.value).limit_denominator(1000))
        self._plain(node, base, f"the base of the power {self.letters.phrase(node)}")
        return DIMENSIONLESS

    def _plain(self, node: Node, part: Node, what: str) -> None:
        found = self.found[part.number]
        if found is not None and not found.is_number:
            said = f"{what}, {self.letters.phrase(part)}, is {self.spell(found)} and must be a plain number"
            raise self._fault(node, f"{said}; divide it by a quantity of its own unit", found)

    def _fault(self, node: Node, message: str, *dimensions: Dimension) -> InvalidModel:
        hint = ""
        if len(dimensions) == 2 and dimensions[0].powers == dimensions[1].powers:
            hint = f" (the same dimension; sizes differ by a factor {float(dimensions[0].size / dimensions[1].size):g})"
        elif any(dimension.is_number for dimension in dimensions[:2]) and "they are" in message:
            hint = '; a plain number with a unit is written quantity(1.0, "unit")'
        page = self.whole.traced.page
        place = self.whole.traced.graph.places.get(node.number)
        function = of_function(self.says) if self.says is not None else None
        if function is not None and (place is None or place.file != function.file):
            place = function  # a state or a parameter, which no line of the page made
        return InvalidModel(f"Model {page.name!r}, units of {self.equation}: {message}{hint}.", place=place)


def check_units(page: Page) -> Whole:
    """Hold every equation of a page against the units that it declares.

    Returns:
        The traced page, for whoever goes on with it.

    Raises:
        InvalidModel: two units that do not agree: the equation, both units, and where.
    """
    whole = trace_whole(page)
    declared = {("state", state.name): _declared(state.unit, "state", state.name) for state in page.states}
    declared |= {("parameter", p.name): _declared(p.unit, "parameter", p.name) for p in page.parameters}
    outputs = {output.name: _declared(output.unit, "output", output.name) for output in page.outputs}
    units = [item.unit for items in (page.states, page.parameters, page.outputs) for item in items]
    spelt = {dimension_of(unit): unit for unit in reversed(units)}
    spelt |= {dimension_of(f"{s.unit}/day"): f"{s.unit}/day" for s in page.states if s.unit} | spelt
    agreement = Agreement(whole=whole, letters=letters(whole), declared=declared, spelt=spelt)
    for number, term in sorted(whole.traced.graph.terms.items()):  # the innermost first, so that a fault is named by it
        agreement.about(term.name, page.rates)
        node = whole.traced.graph.nodes[number]
        wanted = _declared(term.unit, "term", term.name)
        agreement.hold(node, agreement.of(node), wanted, f"is declared in {term.unit!r}")
    for name, node in whole.derived.items():
        agreement.about(f"{name}, which is derived", page.derive)
        agreement.of(node)
    per_day = dimension_of("/day")
    for state, node in zip(page.states, whole.traced.rates, strict=True):
        agreement.about(f"d {state.name}/dt", page.rates)
        equation = _without_doses(node)
        says = f"must be in {state.unit}/day" if state.unit else "must be in /day"
        agreement.hold(equation, agreement.of(equation), declared["state", state.name] * per_day, says)
    for output, node in zip(page.outputs, whole.traced.outputs, strict=True):
        agreement.about(f"the output {output.name}", page.observe)
        agreement.hold(node, agreement.of(node), outputs[output.name], f"is declared in {output.unit!r}")
    for state, node in zip(page.states, whole.start, strict=True):
        agreement.about(f"the start of {state.name}", page.start)
        agreement.hold(node, agreement.of(node), declared["state", state.name], f"is declared in {state.unit!r}")
    _hold_entries(page, declared)
    return whole


def _hold_entries(page: Page, declared: dict[tuple[str, str], Dimension]) -> None:
    """What says how a dose arrives: a share, two times, a rate."""
    units = {state.name: state.unit for state in page.states} | {p.name: p.unit for p in page.parameters}
    for entry in page.entries:
        state_unit = units[entry.state]
        for name, what, unit in (
            (entry.fraction, "the share that arrives", ""),
            (entry.lag, "a lag", "day"),
            (entry.duration, "a duration", "day"),
            (entry.rate, "a rate", f"{state_unit}/day"),
        ):
            if name is not None and declared["parameter", name] != dimension_of(unit):
                raise InvalidModel(
                    f"Model {page.name!r}, units of the doses by {entry.route}: {name} is {what} and must be "
                    f"{f'in {unit}' if unit else 'a plain number'}, but is declared in {units[name]!r}.",
                    name=name,
                )


def _without_doses(rate: Node) -> Node:
    is_sum = rate.operation == "+" and "input" in rate.operands[1].kinds
    return rate.operands[0] if is_sum else rate


def _declared(unit: str, kind: str, name: str) -> Dimension:
    try:
        return dimension_of(unit)
    except InvalidInput as error:
        raise InvalidModel(f"The {kind} {name!r}: {error}", name=name) from None
