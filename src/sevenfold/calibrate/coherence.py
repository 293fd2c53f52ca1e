"""What an experiment may not contradict: the figure in print, its unit, its statistic, and when its arms are seen."""

from collections.abc import Mapping
from typing import Final

from sevenfold.calibrate.experiments import Arm, Experiment, Form, Statistic, Use
from sevenfold.calibrate.fields import Fields, is_number
from sevenfold.calibrate.seen import HALF_LIFE_DAYS, RISE_FROM_DAY
from sevenfold.errors import InvalidInput
from sevenfold.evidence.figures import Figure
from sevenfold.unit import canonical

__all__ = ["refuse_incoherent", "refuse_unlike_print", "reported_in_unit"]

_PERCENT: Final = "%"
_FOLDS: Final = {"fold": 1.0, _PERCENT: 0.01}  # of a percent, the rise
_COUNTS: Final = {"cells/µL": 1.0, "10^3/µL": 1000.0}
_DAYS: Final = {"day": 1.0, "h": 1 / 24}
_UNITS: Final[Mapping[Statistic, Mapping[str, float]]] = {
    Statistic.FOLD: _FOLDS,
    Statistic.LEVEL: _COUNTS,
    Statistic.MEAN_CHANGE: _COUNTS,
    Statistic.MEAN_HIGHEST_RISE: _FOLDS,
    Statistic.HIGHEST_MEAN_FOLD: _FOLDS,
    Statistic.DAY_OF_HIGHEST_MEAN: _DAYS,
    Statistic.SHARE_BELOW: {_PERCENT: 0.01},
    Statistic.PEAK: {"ng/mL": 1.0},
    Statistic.TIME_OF_PEAK: _DAYS,
    Statistic.HALF_LIFE: _DAYS,
    Statistic.RATIO_OF_PEAKS: _FOLDS,
}
_COUNTED: Final = ("alc", "cd4", "cd8")
_OF_CELLS: Final = (*_COUNTED, "cd4 and cd8", "ki67_cd4")
_VARIABLES: Final[Mapping[Statistic, tuple[str, ...]]] = {
    Statistic.FOLD: _OF_CELLS,
    Statistic.LEVEL: _COUNTED,
    Statistic.MEAN_CHANGE: _COUNTED,
    Statistic.MEAN_HIGHEST_RISE: (*_COUNTED, "ki67_cd4"),
    Statistic.HIGHEST_MEAN_FOLD: _OF_CELLS,
    Statistic.DAY_OF_HIGHEST_MEAN: _OF_CELLS,
    Statistic.SHARE_BELOW: _COUNTED,
    **dict.fromkeys((Statistic.PEAK, Statistic.TIME_OF_PEAK, Statistic.HALF_LIFE, Statistic.RATIO_OF_PEAKS), ("il7",)),
}
_ON_A_DAY: Final = (Statistic.FOLD, Statistic.LEVEL, Statistic.MEAN_CHANGE, Statistic.SHARE_BELOW)


def refuse_unlike_print(f: Fields, figure: Figure, use: Use) -> None:
    """Refuse what does not stand in the evidence as it stands here, and what may not be used.

    Raises:
        InvalidInput: a number that has drifted; a target that was not verified or is of low confidence.
    """
    numbers = [value for value in (figure.value, figure.lo, figure.hi) if value is not None]
    printed = f.need("printed", "printed")
    if (printed if isinstance(printed, list) else [printed]) != numbers:
        f.refuse("printed", f"that differs from the figure's {figure.shown}; one of the two has drifted")
    if f.given.get("n_printed") != figure.n:
        n = f.given.get("n_printed")
        raise InvalidInput(f"{f.where}: n_printed {n!r} differs from the figure's {figure.n!r}; one has drifted.")
    if use is not Use.CHECK and not figure.verified:
        raise InvalidInput(f"{f.where}: the figure was not verified (recalled or derived); it can't be a target.")
    if use is not Use.CHECK and figure.confidence == "low":
        raise InvalidInput(f"{f.where}: the figure is of low confidence; it can't be a target.")


def reported_in_unit(f: Fields, figure: Figure, form: Form, statistic: Statistic) -> tuple[float, ...]:
    """The figure in the unit of its statistic: days, cells/µL, ng/mL, folds, shares.

    Raises:
        InvalidInput: no unit, one that is not the figure's or the statistic's, or a figure that is not of the form.
    """
    unit = _unit(f, figure, form)
    if form is Form.QUALITATIVE:
        return ()
    if form is Form.AT_LEAST:
        return (float(f.number("bound", "give a number above 0, in the unit of the statistic", above=0.0)),)
    sizes = _UNITS[statistic]
    if unit not in sizes:
        f.refuse("unit", f"a {statistic.value} is in {' or '.join('percent' if u == _PERCENT else u for u in sizes)}")
    if (form is Form.SHARE) != (statistic is Statistic.SHARE_BELOW):
        f.refuse("form", f"a {Statistic.SHARE_BELOW.value} is reported as a share, and nothing else is")
    if statistic is Statistic.DAY_OF_HIGHEST_MEAN and form is not Form.BETWEEN:
        f.refuse("form", "a day of the highest mean is reported between two days")
    size, offset = sizes[unit], 1.0 if unit == _PERCENT and form is not Form.SHARE else 0.0
    reported = tuple(
        (offset + float(value) / 100.0 if unit == _PERCENT else float(value) * size)
        for value in _values(f, figure, form)
    )
    if form is Form.MEAN_AND_SD:
        return reported[0], (float(figure.value) - float(figure.lo or 0.0)) * size
    if statistic is not Statistic.MEAN_CHANGE and (
        min(reported) < 0.0 or (form is not Form.BETWEEN and 0.0 in reported)
    ):
        f.refuse("printed", f"a {statistic.value} is above 0")
    if form is Form.SHARE and reported[0] >= 1.0:
        f.refuse("printed", "a share is below 100 percent")
    return reported


def _unit(f: Fields, figure: Figure, form: Form) -> str:
    """The unit as this project spells it; it is the figure's. Empty where none is needed."""
    if "unit" not in f:
        if form in (Form.QUALITATIVE, Form.AT_LEAST):
            return ""
        raise InvalidInput(f"{f.where}: it names no unit.")
    given = f.text("unit", "give the figure's unit")
    try:
        unit = _spelt(given)
    except InvalidInput:
        known = dict.fromkeys(u for sizes in _UNITS.values() for u in sizes)
        names = ", ".join("percent" if u == _PERCENT else u for u in known)
        raise InvalidInput(f"{f.where}: unit {given!r} is not known; known: {names}.") from None
    if figure.unit is not None and unit != _spelt(figure.unit):
        f.refuse("unit", f"the figure's is {figure.unit}")
    return unit


def _spelt(unit: str) -> str:
    return unit if unit == "fold" else canonical(unit)


def _values(f: Fields, figure: Figure, form: Form) -> tuple[float, ...]:
    """The numbers that a form needs, in the figure's unit."""
    needed: tuple[object, ...] = (figure.value,)
    if form is Form.BETWEEN and "within" in f:
        within = f.ascending("within", "give two numbers, the smaller first")
        if len(within) != 2:
            f.refuse("within", "give two numbers, the smaller first")
        return within
    if form is Form.BETWEEN:
        needed = (figure.lo, figure.hi)
    elif form is Form.QUARTILES:
        needed = (figure.lo, figure.value, figure.hi)
    elif form is Form.MEAN_AND_SD:
        needed = (figure.value, figure.lo)
    numbers = tuple(float(value) for value in needed if is_number(value))  # type: ignore[arg-type]
    if len(numbers) < len(needed):
        hint = "; give `within`" if form is Form.BETWEEN else ""
        f.refuse("form", f"the figure ({figure.shown}) has no such numbers{hint}")
    order = numbers[::-1] if form is Form.MEAN_AND_SD else numbers
    if len(order) > 1 and list(order) != sorted(set(order)):
        f.refuse("printed", f"of a figure reported as {form.value}, the numbers ascend from low to high")
    return numbers[:1] if form is Form.MEAN_AND_SD else numbers


def refuse_incoherent(f: Fields, one: Experiment, arms: Mapping[str, Arm]) -> None:
    """Refuse what can't be read off the simulated arms.

    Raises:
        InvalidInput: a statistic that the variable does not have, a day on which nobody is looked at, no comparator.
    """
    if one.variable not in _VARIABLES[one.statistic]:
        f.refuse("variable", f"a {one.statistic.value} is of {', '.join(_VARIABLES[one.statistic])}")
    if ("read as" in f) != (one.statistic in _ON_A_DAY):
        on_a_day = one.statistic in _ON_A_DAY
        f.refuse("read as", f"a {one.statistic.value} {'needs its day or days' if on_a_day else 'has no day'}")
    if one.statistic is Statistic.SHARE_BELOW:
        f.need("bound", "bound")
        f.need("until", "until")
    if one.form is Form.MEAN_AND_SD and one.n < 2:
        f.refuse("n", "a standard deviation is of two patients or more")
    compares = one.statistic is Statistic.RATIO_OF_PEAKS or any(reading.over_placebo for reading in one.readings)
    if compares and (one.against is None or one.n_against is None):
        raise InvalidInput(f"{f.where}: a ratio to another arm needs `against` and `n_against`.")
    for reading in one.readings:
        for day in (reading.day, one.until):
            names = [*one.arms, *([one.against] if reading.over_placebo and one.against else [])]
            missing = [name for name in names if day is not None and day not in arms[name].looks]
            if missing:
                raise InvalidInput(f"{f.where}: arm {missing[0]!r} is not looked at on day {day:g}.")
    _refuse_too_few_looks(f, one, arms)


def _refuse_too_few_looks(f: Fields, one: Experiment, arms: Mapping[str, Arm]) -> None:
    """A top is that of a parabola through three looks, a half-life the slope through two."""
    n, first, last = 0, 0.0, float("inf")
    match one.statistic:
        case Statistic.PEAK | Statistic.TIME_OF_PEAK:
            n, first = 3, 1e-9
        case Statistic.RATIO_OF_PEAKS:
            n, first, last = 3, 1e-9, 3.0
        case Statistic.MEAN_HIGHEST_RISE:
            n, first = 3, RISE_FROM_DAY
        case Statistic.HIGHEST_MEAN_FOLD | Statistic.DAY_OF_HIGHEST_MEAN:
            n, first = 3, RISE_FROM_DAY if one.variable != "ki67_cd4" else 1.0
        case Statistic.HALF_LIFE:
            n, (first, last) = 2, HALF_LIFE_DAYS
    for name in (*one.arms, *([one.against] if one.statistic is Statistic.RATIO_OF_PEAKS and one.against else [])):
        found = sum(first <= look <= last for look in arms[name].looks)
        if found < n:
            until = f" to {last:g}" if last < float("inf") else ""
            raise InvalidInput(
                f"{f.where}: a {one.statistic.value} is read off {n} looks or more from day {first:.2g}{until}; "
                f"arm {name!r} has {found}."
            )
