"""Who was studied and with what: populations as shifts of the IL-7 page's typical patient, products as bridges."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import final

from sevenfold.calibrate.priors import priors
from sevenfold.errors import InvalidInput
from sevenfold.mechanism.il7 import il7_page

__all__ = ["Population", "Product", "parse_populations", "populations", "products"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """A population of the evidence.

    Args:
        weight_kg: of every patient.
        fixed: page parameter -> value.
        taken: page parameter -> parameter of the calibration.
        scaled: page parameter -> bridge that multiplies it.
        powers: page parameter -> {parameter of the calibration: exponent} that multiply it.
        spread: page parameter -> standard deviation of the logarithm between subjects, a number or a parameter of the
            calibration, where it is not the page's.
        severity: page parameter -> correlation of its random effect with the severity of the illness.
        entry_alc_at_most: a measured count above it keeps a patient out [cells/µL].
        assumptions: what was assumed, in words.
    """

    name: str
    label: str
    weight_kg: float
    assumptions: tuple[str, ...]
    fixed: Mapping[str, float] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    scaled: Mapping[str, str] = field(default_factory=dict)
    powers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    spread: Mapping[str, float | str] = field(default_factory=dict)
    severity: Mapping[str, float] = field(default_factory=dict)
    entry_alc_at_most: float | None = None

    def __post_init__(self) -> None:
        page, ours = set(il7_page().typical), {prior.name for prior in priors()}
        tables = (self.fixed, self.taken, self.scaled, self.powers, self.spread, self.severity)
        unknown = [name for table in tables for name in table if name not in page]
        wanted = [*self.taken.values(), *self.scaled.values(), *(v for v in self.spread.values() if isinstance(v, str))]
        unknown += [name for name in [*wanted, *(n for p in self.powers.values() for n in p)] if name not in ours]
        if unknown:
            raise InvalidInput(f"population {self.name!r} names {unknown[0]!r}, which no model page and no prior has")
        if not self.assumptions:
            raise InvalidInput(f"population {self.name!r} names no assumption; say what it takes for granted")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A form of IL-7: bridges over CYT107, each a parameter of the calibration; None is the same as CYT107."""

    name: str
    label: str
    absorption: str | None = None
    clearance: str | None = None
    bioavailability: str | None = None
    potency: str | None = None

    def __post_init__(self) -> None:
        ours = {prior.name for prior in priors()}
        for bridge in (self.absorption, self.clearance, self.bioavailability, self.potency):
            if bridge is not None and bridge not in ours:
                raise InvalidInput(f"product {self.name!r} names {bridge!r}, which no prior has")


def parse_populations(text: str, name: str) -> tuple[dict[str, Population], dict[str, Product]]:
    """Populations and products from TOML.

    Raises:
        InvalidInput: not TOML, or an entry with an unknown name or a wrong field.
    """
    try:
        given = tomllib.loads(text)
        people = {
            key: Population(name=key, **{**entry, "assumptions": tuple(entry.get("assumptions", ()))})
            for key, entry in given["population"].items()
        }
        forms = {key: Product(name=key, **entry) for key, entry in given["product"].items()}
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{name}: {error}.") from None
    except (InvalidInput, KeyError, TypeError) as error:
        raise InvalidInput(f"{name}: {error}.") from None
    return people, forms


@cache
def _shipped() -> tuple[dict[str, Population], dict[str, Product]]:
    text = files(__package__).joinpath("data/populations.toml").read_text(encoding="utf-8")
    return parse_populations(text, "populations.toml")


def populations() -> Mapping[str, Population]:
    """The populations that the package ships, by name."""
    return _shipped()[0]


def products() -> Mapping[str, Product]:
    """The products that the package ships, by name."""
    return _shipped()[1]
