"""The evidence as a YAML file: arms and experiments, read field by field and held against the published figures."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from sevenfold.calibrate.coherence import refuse_incoherent, refuse_unlike_print, reported_in_unit
from sevenfold.calibrate.experiments import Arm, Evidence, Experiment, Form, Reading, Statistic, Use
from sevenfold.calibrate.fields import Fields, is_number, refuse_unknown
from sevenfold.calibrate.populations import populations, products
from sevenfold.errors import InvalidInput
from sevenfold.evidence.figures import Figure, figures

__all__ = ["evidence", "parse_evidence"]

_FORMAT: Final = 1
_VARIABLES: Final = ("alc", "cd4", "cd8", "cd4 and cd8", "ki67_cd4", "il7")
_ROUTES: Final = ("IM", "SC", "IV")
_OF_AN_ARM: Final = ("population", "looks", "product", "route", "dose_ug_per_kg", "days")
_OF_AN_EXPERIMENT: Final = (
    "figure", "use", "arms", "against", "variable", "statistic", "read as", "form", "printed", "within", "unit", "n",
    "n_printed", "n_against", "discrepancy", "spread", "weight", "bound", "until", "rounding", "meaning",
)  # fmt: skip


@cache
def evidence() -> Evidence:
    """The experiments that the package ships."""
    text = files(__package__).joinpath("data/experiments.yaml").read_text(encoding="utf-8")
    return parse_evidence(text, "experiments.yaml")


def parse_evidence(text: str, name: str, known: tuple[Figure, ...] | None = None) -> Evidence:
    """Experiments from YAML, held against the published figures.

    Args:
        name: of the file, for messages.
        known: figures, in place of those that the package ships.

    Raises:
        InvalidInput: with file, entry and field: not YAML; another format; an unknown field, figure, population,
            variable, arm, statistic or form; a field that is no such thing; a figure that differs from what is
            printed, was not verified or is of low confidence; no unit, or one of something else.
    """
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidInput(f"{name}: not YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(given, Mapping) or not isinstance(given.get("arms"), Mapping) or "experiments" not in given:
        raise InvalidInput(f"{name}: it needs the mappings `arms` and `experiments` (a list).")
    top = Fields(name, given, ("format", "arms", "experiments"))
    if top.given.get("format") != _FORMAT:
        top.refuse("format", f"this program reads `format: {_FORMAT}`")
    entries = given["experiments"]
    if not isinstance(entries, list) or not entries:
        top.refuse("experiments", "give a list of at least one experiment")
    arms = {str(key): _arm(name, str(key), entry) for key, entry in given["arms"].items()}
    by_id = {figure.id: figure for figure in (figures() if known is None else known)}
    made = tuple(
        _experiment(f"{name}: experiment {number} ({_figure_of(entry)})", entry, by_id, arms)
        for number, entry in enumerate(entries, start=1)
    )
    return Evidence(arms=arms, experiments=made)


def _figure_of(entry: object) -> str:
    return str(entry.get("figure", "without figure")) if isinstance(entry, Mapping) else "without figure"


def _arm(file: str, name: str, entry: object) -> Arm:
    f = Fields(f"{file}: arm {name!r}", entry, _OF_AN_ARM)
    population = f.choice("population", tuple(populations()))
    looks_wanted = "looks must ascend from day 0, such as [0, 7, 28]"
    looks = f.ascending("looks", looks_wanted)
    if looks[0] != 0.0:
        f.refuse("looks", looks_wanted)
    if "product" not in f:
        for field in ("days", "dose_ug_per_kg", "route"):
            if field in f and f.given[field] != []:
                raise InvalidInput(f"{f.where} is given doses of no product: it has {field}; name the product.")
        return Arm(name=name, population=population, looks=looks)
    product, route = f.choice("product", tuple(products())), f.choice("route", _ROUTES)
    days = f.ascending("days", "days of doses must not be negative, and ascend, such as [0, 3, 7]")
    dose = float(f.number("dose_ug_per_kg", "a dose must not be negative; give µg/kg", least=0.0))
    if days[0] < 0.0 or days[-1] > looks[-1]:
        f.refuse("days", f"days of doses must not be negative, nor lie after the last look (day {looks[-1]:g})")
    if route == "IV" and products()[product].potency is not None:
        f.refuse("route", "a product with a potency of its own is simulated by IM and SC only")
    return Arm(
        name=name, population=population, looks=looks, product=product,
        injections=tuple((day, dose, route) for day in days),
    )  # fmt: skip


def _experiment(where: str, entry: object, by_id: Mapping[str, Figure], arms: Mapping[str, Arm]) -> Experiment:
    f = Fields(where, entry, _OF_AN_EXPERIMENT)
    figure = by_id[f.choice("figure", tuple(by_id))]
    use = Use(f.choice("use", tuple(Use)))
    form, statistic = Form(f.choice("form", tuple(Form))), Statistic(f.choice("statistic", tuple(Statistic)))
    refuse_unlike_print(f, figure, use)
    numbers: dict[str, Any] = {
        name: f.number(name, wants, **bounds) for name, (wants, bounds) in _NUMBERS.items() if name in f
    }
    if "n_against" in f:
        numbers["n_against"] = f.count("n_against", "give a whole number of patients, 1 or more")
    one = Experiment(
        figure=figure,
        use=use,
        arms=_shares(f, arms),
        against=_comparator(f, arms),
        variable=f.choice("variable", _VARIABLES),
        statistic=statistic,
        readings=_readings(f),
        form=form,
        reported=reported_in_unit(f, figure, form, statistic),
        n=f.count("n", "give a whole number of patients, 1 or more"),
        meaning=f.text("meaning", "say in words how the figure is read"),
        **numbers,
    )
    refuse_incoherent(f, one, arms)
    return one


_NUMBERS: Final[Mapping[str, tuple[str, dict[str, float]]]] = {
    "discrepancy": ("give a standard deviation, 0 or more", {"least": 0.0}),
    "spread": ("give a standard deviation, more than 0", {"above": 0.0}),
    "weight": ("give an exponent, more than 0 and at most 1", {"above": 0.0, "most": 1.0}),
    "bound": ("give a number above 0, in the unit of the statistic", {"above": 0.0}),
    "until": ("give a day, 0 or more", {"least": 0.0}),
    "rounding": ("give the step of the printed digits, 0 or more", {"least": 0.0}),
}


def _shares(f: Fields, arms: Mapping[str, Arm]) -> Mapping[str, float]:
    wanted = "give arms with their shares of the patients, such as {high: 1, low: 1}"
    shares = f.need("arms", "arms")
    if not isinstance(shares, Mapping) or not shares:
        f.refuse("arms", wanted)
    for name, share in shares.items():
        refuse_unknown(f.where, "arm", name, tuple(arms))
        if not is_number(share) or share <= 0:
            f.refuse("arms", f"the share of {name!r} must be more than 0")
    return shares


def _comparator(f: Fields, arms: Mapping[str, Arm]) -> str | None:
    if "against" not in f:
        return None
    refuse_unknown(f.where, "arm", f.given["against"], tuple(arms))
    return str(f.given["against"])


def _readings(f: Fields) -> tuple[Reading, ...]:
    if "read as" not in f:
        return (Reading(),)
    given = f.given["read as"]
    if not isinstance(given, list) or not given:
        f.refuse("read as", "give a list of readings, such as [{day: 28}, {day: 41, over placebo: true}]")
    made = []
    for one in given:
        reading = Fields(f"{f.where}: read as", one, ("day", "over placebo"))
        is_over = reading.given.get("over placebo", False)
        if not isinstance(is_over, bool):
            reading.refuse("over placebo", "it is true or false")
        day = reading.number("day", "give a day, 0 or more", least=0.0)
        made.append(Reading(day=float(day), over_placebo=is_over))
    return tuple(made)
