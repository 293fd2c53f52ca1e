"""Published figures as virtual experiments: what was done, what was seen, and how it was reported."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final, final

import yaml

from sevenfold.calibrate.populations import populations, products
from sevenfold.calibrate.priors import priors
from sevenfold.errors import InvalidInput
from sevenfold.evidence.figures import Figure, figures
from sevenfold.mechanism.il7 import il7_page

__all__ = [
    "Arm",
    "Evidence",
    "Experiment",
    "Form",
    "Reading",
    "Statistic",
    "Use",
    "evidence",
    "evidence_hash",
    "parse_evidence",
]

_VARIABLES: Final = ("alc", "cd4", "cd8", "cd4 and cd8", "ki67_cd4", "il7")


class Use(StrEnum):
    """What an experiment is for."""

    FIT = "fit"  # in both posteriors
    HELD_OUT = "held out"  # predicted by posterior A, used as data in B
    CHECK = "check"  # predicted, never fitted


class Form(StrEnum):
    """How a figure was reported."""

    POINT = "point"
    BETWEEN = "between"
    AT_LEAST = "at least"
    QUARTILES = "quartiles"
    MEAN_AND_SD = "mean and sd"
    SHARE = "share"
    QUALITATIVE = "qualitative"


class Statistic(StrEnum):
    """What was reported of the patients."""

    FOLD = "fold"
    LEVEL = "level"
    MEAN_CHANGE = "mean change"
    MEAN_HIGHEST_RISE = "mean highest rise"
    HIGHEST_MEAN_FOLD = "highest mean fold"
    DAY_OF_HIGHEST_MEAN = "day of highest mean"
    SHARE_BELOW = "share below"
    PEAK = "peak"
    TIME_OF_PEAK = "time of peak"
    HALF_LIFE = "half-life"
    RATIO_OF_PEAKS = "ratio of peaks"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Patients of one population under one regimen.

    Args:
        looks: days since the first dose on which the patients are looked at.
        product: None for no treatment.
        injections: (days since the first dose, µg/kg, route).
    """

    name: str
    population: str
    looks: tuple[float, ...]
    product: str | None = None
    injections: tuple[tuple[float, float, str], ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read an ambiguous figure."""

    day: float | None = None
    over_placebo: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A published figure as what it is: a statistic of n patients.

    Args:
        figure: in the evidence.
        arms: arm -> its share of the patients.
        against: the comparator's arm.
        readings: equally likely beforehand.
        reported: the figure in the unit that the statistic has: one number, or several as the form wants.
        n: patients the statistic is of.
        spread: standard deviation between patients on the form's scale where it was printed; otherwise the simulated.
        discrepancy: how far the model may be off, as a standard deviation on the form's scale.
        weight: exponent of the likelihood.
        bound, until: of a share below a bound on two days.
        rounding: step of the printed digits, in the unit of the statistic.
        meaning: how the figure is read, in words.
    """

    figure: Figure
    use: Use
    arms: Mapping[str, float]
    variable: str
    statistic: Statistic
    readings: tuple[Reading, ...]
    form: Form
    reported: tuple[float, ...]
    n: int
    meaning: str
    against: str | None = None
    n_against: int | None = None
    discrepancy: float = 0.0
    spread: float | None = None
    weight: float = 1.0
    bound: float | None = None
    until: float | None = None
    rounding: float = 0.0

    @property
    def id(self) -> str:
        """The figure's."""
        return self.figure.id


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All experiments and the arms that they are made of."""

    arms: Mapping[str, Arm]
    experiments: tuple[Experiment, ...]

    def of(self, *uses: Use) -> tuple[Experiment, ...]:
        """The experiments with one of these uses."""
        return tuple(one for one in self.experiments if one.use in uses)

    def arms_of(self, experiments: tuple[Experiment, ...]) -> tuple[Arm, ...]:
        """The arms that experiments need, in the order of the file."""
        wanted = {name for one in experiments for name in (*one.arms, one.against) if name is not None}
        return tuple(arm for name, arm in self.arms.items() if name in wanted)


@cache
def evidence() -> Evidence:
    """The experiments that the package ships."""
    text = files(__package__).joinpath("data/experiments.yaml").read_text(encoding="utf-8")
    return parse_evidence(text, "experiments.yaml")


def evidence_hash(ours: Evidence) -> str:
    """SHA-256 of what a posterior rests on: experiments with their figures, populations, priors, the page's values."""
    content = {
        "arms": [dataclasses.asdict(arm) for arm in ours.arms.values()],
        "experiments": [_hashed(one) for one in ours.experiments],
        "populations": [dataclasses.asdict(one) for one in populations().values()],
        "products": [dataclasses.asdict(one) for one in products().values()],
        "priors": [(p.name, p.median, p.sd, p.shape) for p in priors()],
        "page": [(p.name, p.value, p.cv) for p in il7_page().parameters],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _hashed(one: Experiment) -> dict[str, Any]:
    """An experiment without its words: what it says, not how."""
    figure = (one.figure.id, one.figure.value, one.figure.lo, one.figure.hi, one.figure.n, one.figure.verified)
    fields = {f.name: getattr(one, f.name) for f in dataclasses.fields(one) if f.name not in ("figure", "meaning")}
    fields["readings"] = [dataclasses.asdict(reading) for reading in one.readings]
    return {**fields, "figure": figure}


def parse_evidence(text: str, name: str, known: tuple[Figure, ...] | None = None) -> Evidence:
    """Experiments from YAML, held against the published figures.

    Raises:
        InvalidInput: with file and entry: not YAML; an unknown figure, field, population, variable, arm, statistic or
            form; a figure that differs from what is printed, was not verified or is of low confidence; no unit.
    """
    try:
        given = yaml.safe_load(text)
        arms = {key: _arm(name, key, entry) for key, entry in given["arms"].items()}
        entries = given["experiments"]
    except yaml.YAMLError as error:
        raise InvalidInput(f"{name}: not YAML: {str(error).splitlines()[0]}.") from None
    except (KeyError, TypeError, AttributeError):
        raise InvalidInput(f"{name}: it needs the mappings `arms` and `experiments`.") from None
    by_id = {figure.id: figure for figure in (figures() if known is None else known)}
    made = []
    for number, entry in enumerate(entries, start=1):
        where = f"{name}: experiment {number} ({entry.get('figure', 'without figure')})"
        try:
            made.append(_experiment(dict(entry), by_id, arms))
        except InvalidInput as error:
            raise InvalidInput(f"{where}: {error}") from None
        except (TypeError, ValueError, KeyError) as error:
            raise InvalidInput(f"{where}: {error}.") from None
    return Evidence(arms=arms, experiments=tuple(made))


def _arm(file: str, name: str, entry: Mapping[str, Any]) -> Arm:
    where = f"{file}: arm {name!r}"
    if "population" not in entry:
        raise InvalidInput(f"{where} names no population.")
    _known(where, "population", entry["population"], tuple(populations()))
    if entry.get("product") is not None:
        _known(where, "product", entry["product"], tuple(products()))
        _known(where, "route", str(entry.get("route")), ("IM", "SC", "IV"))
    given = {"product": None, "route": None, "dose_ug_per_kg": 0.0, "days": (), **entry}
    strange = set(given) - {"population", "looks", "product", "route", "dose_ug_per_kg", "days"}
    if strange or "looks" not in given:
        raise InvalidInput(f"{where}: {f'unknown field {min(strange)!r}' if strange else 'it has no looks'}.")
    looks, days = tuple(map(float, given["looks"])), tuple(map(float, given["days"]))
    dose = float(given["dose_ug_per_kg"])
    ascending = list(looks) == sorted(set(looks)) and list(days) == sorted(set(days))
    if not ascending or looks[:1] != (0.0,) or min(days, default=0.0) < 0.0 or dose < 0.0:
        raise InvalidInput(f"{where}: looks must ascend from day 0; doses and their days must not be negative.")
    if days and given["product"] is None:
        raise InvalidInput(f"{where} is given doses of no product.")
    if given["route"] == "IV" and products()[given["product"]].potency is not None:
        raise InvalidInput(f"{where}: a product with a potency of its own is simulated by IM and SC only.")
    return Arm(
        name=name, population=given["population"], looks=looks, product=given["product"],
        injections=tuple((day, dose, str(given["route"])) for day in days),
    )  # fmt: skip


def _known(where: str, kind: str, value: str, names: tuple[str, ...]) -> None:
    if value not in names:
        near = get_close_matches(str(value), names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InvalidInput(f"{where}: {kind} {value!r} is not known.{hint} Known: {', '.join(names)}.")


def _experiment(entry: dict[str, Any], by_id: Mapping[str, Figure], arms: Mapping[str, Arm]) -> Experiment:
    _known("evidence", "figure", entry["figure"], tuple(by_id))
    figure = by_id[entry.pop("figure")]
    use, form = Use(entry.pop("use")), Form(entry.pop("form"))
    _agrees(figure, entry.pop("printed"), entry.pop("n_printed"), use)
    variable, statistic = entry.pop("variable"), Statistic(entry.pop("statistic"))
    _known(figure.id, "variable", variable, _VARIABLES)
    for arm in (*entry["arms"], entry.get("against")):
        if arm is not None:
            _known(figure.id, "arm", arm, tuple(arms))
    readings = tuple(
        Reading(day=float(one["day"]), over_placebo=bool(one.get("over placebo", False)))
        for one in entry.pop("read as", [])
    ) or (Reading(),)
    _looked_at(figure.id, readings, entry, arms)
    unit, within = entry.pop("unit", None), entry.pop("within", None)
    if form not in (Form.QUALITATIVE, Form.AT_LEAST) and unit is None:
        raise InvalidInput("it names no unit.")
    reported = () if form is Form.QUALITATIVE else _reported(form, figure, unit, within, entry.get("bound"))
    if statistic is Statistic.DAY_OF_HIGHEST_MEAN and form is not Form.BETWEEN:
        raise InvalidInput("a day of the highest mean is reported between two days.")
    return Experiment(
        figure=figure, use=use, form=form, variable=variable, statistic=statistic, readings=readings, reported=reported,
        **entry,
    )  # fmt: skip


def _agrees(figure: Figure, printed: Any, n_printed: int | None, use: Use) -> None:
    """What stands in the experiment is what stands in the evidence, and may be used."""
    numbers = [value for value in (figure.value, figure.lo, figure.hi) if value is not None]
    ours = printed if isinstance(printed, list) else [printed]
    if ours != numbers:
        raise InvalidInput(f"printed {printed!r} differs from the figure's {figure.shown}; one of the two has drifted.")
    if n_printed != figure.n:
        raise InvalidInput(f"n_printed {n_printed!r} differs from the figure's {figure.n!r}.")
    if use is not Use.CHECK and not figure.verified:
        raise InvalidInput("the figure was not verified (it was recalled or derived) and can't be a target.")
    if use is not Use.CHECK and figure.confidence == "low":
        raise InvalidInput("the figure is of low confidence and can't be a target.")


def _looked_at(figure: str, readings: tuple[Reading, ...], entry: Mapping[str, Any], arms: Mapping[str, Arm]) -> None:
    for reading in readings:
        if reading.over_placebo and entry.get("against") is None:
            raise InvalidInput(f"{figure}: a ratio to placebo needs `against`.")
        for day in (reading.day, entry.get("until")):
            names = [*entry["arms"], *([entry["against"]] if reading.over_placebo else [])]
            missing = [name for name in names if day is not None and day not in arms[name].looks]
            if missing:
                raise InvalidInput(f"{figure}: arm {missing[0]!r} is not looked at on day {day:g}.")


_SIZES: Final = {"µg/L": 1.0, "fold": 1.0, "day": 1.0, "cells/µL": 1.0, "10^3/µL": 1000.0, "h": 1 / 24, "µg/kg": 1.0}


def _reported(
    form: Form, figure: Figure, unit: str | None, within: list[float] | None, bound: Any
) -> tuple[float, ...]:
    """The figure in the unit of its statistic: days, cells/µL, ng/mL, folds."""
    if form is Form.AT_LEAST:
        return (float(bound),)
    value = figure.value
    if unit == "percent":
        return (float(value) / 100.0,) if form is Form.SHARE else (1.0 + float(value) / 100.0,)
    if unit not in _SIZES:
        raise InvalidInput(f"unit {unit!r} is not known; known: percent, {', '.join(_SIZES)}.")
    size = _SIZES[unit]
    if form is Form.BETWEEN:
        low, high = within or (figure.lo or 0.0, figure.hi or 0.0)
        return float(low) * size, float(high) * size
    if form is Form.QUARTILES:
        return float(figure.lo or 0) * size, float(value) * size, float(figure.hi or 0) * size
    if form is Form.MEAN_AND_SD:
        assert figure.lo is not None
        return float(value) * size, (float(value) - figure.lo) * size
    return (float(value) * size,)
