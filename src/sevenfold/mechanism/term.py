"""Names and units inside equations: a term is an intermediate quantity with a name, a quantity is a number with a unit.

Both are invisible to arithmetic. With floats and arrays ``term`` gives back what it got; when a page is traced it
labels the node, so that printed equations, the diagram and the check of units can speak of *uptake* and not of a
product of six factors.
"""

from dataclasses import dataclass
from typing import TypeVar, final

from sevenfold.mechanism.expression import Node, Quantified

__all__ = ["Term", "quantity", "term"]

_Value = TypeVar("_Value")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A named intermediate quantity of a page.

    Args:
        name: as in the code, ending in its unit where that helps.
        unit: as a person reads it; the check of units holds the equation against it.
        what: in a clinician's words.
        symbol: the letter the equations use.
    """

    name: str
    unit: str
    what: str
    symbol: str


def term(name: str, value: _Value, *, unit: str, what: str = "", symbol: str = "") -> _Value:
    """``value``, unchanged; its name, unit and letter are noted when a page is traced.

    Raises:
        InvalidModel: the name is already that of another expression.
    """
    if isinstance(value, Node):
        value.graph.label(value, Term(name=name, unit=unit, what=what, symbol=symbol or name))
    return value


def quantity(value: float, unit: str) -> float:
    """A constant of an equation that has a unit, such as a floor of ``quantity(1.0, "cells/µL")``.

    A plain number in an equation is dimensionless. Arithmetic between plain numbers forgets the unit: write
    ``quantity(70.0, "kg")``, not ``7 * quantity(10.0, "kg")``.
    """
    return Quantified(value, unit)
