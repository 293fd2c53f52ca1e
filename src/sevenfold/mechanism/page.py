"""A model as a page: what there is in one patient, in which unit, and how it changes.

Whoever writes a model writes states, parameters, dosing entries, outputs and four plain functions of one patient.
Everything else (the compiled kernel, its Jacobian, equations for the documentation) is made from the page by the
machinery beside this file.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any, final

import numpy as np

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.place import InvalidModel
from sevenfold.provenance import Provenance

__all__ = ["Entry", "Named", "Output", "Page", "Parameter", "State"]

Named = SimpleNamespace
"""Values by name: floats, arrays (one element a patient) or nodes of the graph, as the caller of a page likes."""

Equations = Callable[[Any, Any, Any], Mapping[str, Any]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What changes in time.

    Args:
        name: ends in its unit, such as ``central_ug``.
        unit: as a person reads it.
        scale: the amount below which an error doesn't matter, in the state's unit; the solver's absolute tolerance is
            its relative tolerance times this.
        what: in a clinician's words.
        symbol: the letter the equations use; the name if there is none.
        group: what it is drawn together with, such as ``T cells``.
    """

    name: str
    unit: str
    scale: float
    what: str
    symbol: str = ""
    group: str = ""

    def __post_init__(self) -> None:
        if not self.scale > 0.0:
            raise InvalidModel(
                f"The state {self.name!r} has scale {self.scale:g}; give an amount, more than 0, below which an error "
                "doesn't matter.",
                name=self.name,
            )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What differs between patients but not in time, with where its value comes from.

    Args:
        name: ends in its unit.
        symbol: the letter the equations use.
        value: of the typical patient.
        unit: as a person reads it.
        cv: between-subject variability: standard deviation of its logarithm, 0 where patients do not differ.
        status: how far the value can be trusted.
        source: paper, or the reasoning.
        note: what a reader ought to know.
        low, high: the domain; a value outside is refused when patients are made, the ends are inside.
        above: the domain's lower end where that end is outside: 0 for what must be positive.
        prior_cv: how uncertain the typical value is, before data: standard deviation of the logarithm of a log-normal
            whose median is ``value``; None where no prior was stated.
    """

    name: str
    symbol: str
    value: float
    unit: str
    cv: float
    status: Provenance
    source: str
    note: str = ""
    low: float = -math.inf
    high: float = math.inf
    above: float = -math.inf
    prior_cv: float | None = None

    def __post_init__(self) -> None:
        if not self.holds(np.float64(self.value)):
            raise InvalidModel(
                f"The parameter {self.name!r} is {self.value:g} {self.unit}, outside its domain {self.domain}; "
                "correct the value or the domain.",
                name=self.name,
            )
        if not self.cv >= 0.0 or (self.prior_cv is not None and not (self.prior_cv > 0.0 and self.value > 0.0)):
            raise InvalidModel(
                f"The parameter {self.name!r} has cv {self.cv:g} and prior_cv {self.prior_cv}: cv is not negative, "
                "prior_cv is positive or None, and a log-normal prior wants a positive value.",
                name=self.name,
            )

    @property
    def domain(self) -> str:
        """The interval as text, such as ``0 to 1``."""
        lower = f"more than {self.above:g}" if self.above >= self.low and not math.isinf(self.above) else ""
        if math.isinf(self.high):
            return lower or ("any number" if math.isinf(self.low) else f"{self.low:g} or more")
        if lower:
            return f"{lower}, {self.high:g} or less"
        return f"{self.high:g} or less" if math.isinf(self.low) else f"{self.low:g} to {self.high:g}"

    def refuse_outside(self, given: Any) -> None:
        """Raise if a value of one patient or of many lies outside the domain or is not finite.

        Raises:
            InvalidInput: names parameter, value, domain and, of many, the first patient.
        """
        values = np.atleast_1d(np.asarray(given, dtype=np.float64)).ravel()
        wrong = np.flatnonzero(~self.holds(values))
        if wrong.size:
            of_patient = f" of patient {wrong[0]}" if values.size > 1 else ""
            raise InvalidInput(
                f"The parameter {self.name!r}{of_patient} is {values[wrong[0]]:g} {self.unit}, "
                f"outside its domain: {self.domain}."
            )

    def holds(self, values: Any) -> Any:
        """Whether values are finite and within the domain, one by one."""
        is_inside: Any = (values >= self.low) & (values <= self.high)
        return is_inside & ((values > self.above) | (self.above == -math.inf)) & np.isfinite(values)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A way for a dose to enter.

    Args:
        route: the name that a dose carries, such as ``IM``.
        state: where it arrives.
        fraction: the parameter that says which share arrives; None for all of it.
        first_step_day: the step with which the solver starts after such a dose.
        lag: the parameter that says how long after it is given a dose arrives [day]; None for at once.
        rate: the parameter that is the rate of an infusion whose record leaves it to the model (``rate`` -1).
        duration: the parameter that is the duration of one whose record leaves that to the model (``rate`` -2).
    """

    route: str
    state: str
    fraction: str | None
    first_step_day: float
    lag: str | None = None
    rate: str | None = None
    duration: str | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters that say how a dose arrives."""
        return tuple(name for name in (self.fraction, self.lag, self.rate, self.duration) if name is not None)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What can be observed, computed from the states."""

    name: str
    unit: str
    what: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A model of one patient.

    Args:
        name: short, for files and messages.
        title: what it is a model of.
        states: in the order in which equations are written.
        parameters: every number of the equations, with its provenance.
        entries: how doses enter.
        outputs: what ``observe`` returns.
        derive: values by name -> further values by name, worked out once a patient (steady states, thresholds).
        start: values by name -> state at time 0.
        rates: (time in days, states, values) -> d/dt of every state by name.
        observe: (time in days, states, values) -> every output by name.
    """

    name: str
    title: str
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    entries: tuple[Entry, ...]
    outputs: tuple[Output, ...]
    derive: Callable[[Any], Mapping[str, Any]]
    start: Callable[[Any], Mapping[str, Any]]
    rates: Equations
    observe: Equations

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", self.name):
            raise InvalidModel(f"A model is called {self.name!r}; use letters, digits, '_' and '-'.", name=self.name)
        for kind, names in (
            ("state", [state.name for state in self.states]),
            ("parameter", [parameter.name for parameter in self.parameters]),
            ("output", [output.name for output in self.outputs]),
            ("route", [entry.route for entry in self.entries]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise InvalidModel(f"Model {self.name!r} names the {kind} {min(twice)!r} twice.", name=min(twice))
            odd = [name for name in names if kind != "route" and not (name.isidentifier() and name.isascii())]
            if odd:
                raise InvalidModel(
                    f"Model {self.name!r} has a {kind} called {odd[0]!r}; use letters, digits and '_', no digit first.",
                    name=odd[0],
                )
        for entry in self.entries:
            known(self.name, "state", entry.state, [state.name for state in self.states])
            for name in entry.parameters:
                known(self.name, "parameter", name, [parameter.name for parameter in self.parameters])

    @property
    def typical(self) -> dict[str, float]:
        """The typical patient's parameters by name."""
        return {parameter.name: parameter.value for parameter in self.parameters}

    def entry(self, route: str) -> Entry:
        """The way in for doses given by ``route``."""
        known(self.name, "route", route, [entry.route for entry in self.entries])
        return next(entry for entry in self.entries if entry.route == route)

    def values(self, parameters: Mapping[str, Any]) -> Named:
        """Parameters of one patient (floats) or of many (arrays), completed by those that are derived from them.

        Raises:
            InvalidModel: a parameter that the model does not have.
            InvalidInput: a value outside the parameter's domain, or one that is not finite.
        """
        given = {**self.typical, **parameters}
        declared = {parameter.name: parameter for parameter in self.parameters}
        for name, value in parameters.items():
            known(self.name, "parameter", name, list(declared))
            declared[name].refuse_outside(value)
        return Named(**given, **self.derive(Named(**given)))


def known(model: str, kind: str, name: str, names: list[str]) -> None:
    """Refuse a name that the model does not have, and say which it has.

    Raises:
        InvalidModel: ``name`` is not in ``names``.
    """
    if name not in names:
        near = get_close_matches(name, names, n=1)
        has = f"It has: {', '.join(names)}." if names else "It has none."
        hint = f"Did you mean {near[0]!r}?" if near else has
        raise InvalidModel(f"Model {model!r} has no {kind} {name!r}. {hint}", name=name)
