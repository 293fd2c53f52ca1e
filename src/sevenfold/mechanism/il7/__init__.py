"""The IL-7 model: its page, and its parameters with their provenance."""

import tomllib
from functools import cache
from importlib.resources import files

from sevenfold.mechanism.il7 import page
from sevenfold.mechanism.page import Page, Parameter
from sevenfold.provenance import Provenance

__all__ = ["il7_page"]


@cache
def il7_page() -> Page:
    """The model of IL-7 in septic shock with the parameters that the package ships."""
    text = files(__package__).joinpath("parameters.toml").read_text(encoding="utf-8")
    parameters = tuple(
        Parameter(name=name, **{**entry, "status": Provenance(entry["status"])})
        for name, entry in tomllib.loads(text).items()
    )
    return Page(
        name="il7",
        title="IL-7 and T cells in septic shock",
        states=page.STATES,
        parameters=parameters,
        entries=page.ENTRIES,
        outputs=page.OUTPUTS,
        derive=page.derive,
        start=page.start,
        rates=page.rates,
        observe=page.observe,
    )
