"""What was believed beforehand: each parameter of the calibration, a monotone function of a standard normal number."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sevenfold.errors import InvalidInput
from sevenfold.provenance import Provenance

__all__ = ["Prior", "parse_priors", "physical", "priors"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """A prior: log-normal for quantities, logit-normal for shares.

    Args:
        median: of the parameter, in its unit.
        sd: of its logarithm or logit.
        discards: whether the page's own value was fitted to IRIS-7's shape and was put aside.
    """

    name: str
    median: float
    sd: float
    shape: Literal["log", "logit"]
    unit: str
    status: Provenance
    source: str
    discards: bool

    def __post_init__(self) -> None:
        if self.shape not in ("log", "logit"):
            raise InvalidInput(f"prior {self.name!r}: shape must be 'log' or 'logit', got {self.shape!r}")
        if not self.sd > 0.0 or not self.median > 0.0 or (self.shape == "logit" and self.median >= 1.0):
            raise InvalidInput(f"prior {self.name!r}: a median of {self.median:g} with sd {self.sd:g} is not possible")

    def value(self, standard: Floats) -> Floats:
        """The parameter at standard normal numbers."""
        if self.shape == "log":
            return np.asarray(self.median * np.exp(self.sd * standard))
        return np.asarray(expit(logit(self.median) + self.sd * standard))

    def standard(self, value: Floats) -> Floats:
        """The standard normal number of a value: the inverse of :meth:`value`."""
        if self.shape == "log":
            return np.asarray(np.log(np.asarray(value) / self.median) / self.sd)
        return np.asarray((logit(np.asarray(value)) - logit(self.median)) / self.sd)


def parse_priors(text: str, name: str) -> tuple[Prior, ...]:
    """Priors from TOML.

    Raises:
        InvalidInput: not TOML, or an entry with a wrong, missing or impossible field.
    """
    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{name}: {error}.") from None
    found = []
    for key, entry in entries.items():
        try:
            found.append(Prior(name=key, **{**entry, "status": Provenance(entry["status"])}))
        except (InvalidInput, KeyError, TypeError, ValueError) as error:
            raise InvalidInput(f"{name}: prior {key!r}: {error}.") from None
    return tuple(found)


@cache
def priors() -> tuple[Prior, ...]:
    """The priors that the package ships, in the order of a particle's columns."""
    text = files(__package__).joinpath("data/priors.toml").read_text(encoding="utf-8")
    return parse_priors(text, "priors.toml")


def physical(standard: Floats, known: tuple[Prior, ...] | None = None) -> Mapping[str, Floats]:
    """Parameters by name, one element a particle.

    Args:
        standard: (particle, parameter) standard normal coordinates.
    """
    known = priors() if known is None else known
    return {prior.name: prior.value(standard[:, k]) for k, prior in enumerate(known)}
