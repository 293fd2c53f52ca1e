"""Published figures: a value or a range, what it is of, where it stands, and whether it was read there."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, final

import yaml

from sevenfold.errors import InvalidInput

__all__ = ["Figure", "figures", "figures_of"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One published figure.

    Args:
        trial: or cohort, it comes from.
        value: as printed; None where only a range is.
        lo: lower end of the range or interval that is printed.
        interval: what ``lo`` and ``hi`` are (range, IQR, 95% CI, mean+-SD).
        level: abstract, registry, press, table, secondary_summary, memory or derived.
        verified: whether it was read in the text that ``source`` names.
        use: design, calibration, validation or proxy.
    """

    id: str
    trial: str
    arm: str
    variable: str
    statistic: str
    source: str
    level: str
    verified: bool
    use: str
    value: Any = None
    lo: float | None = None
    hi: float | None = None
    interval: str | None = None
    unit: str | None = None
    n: int | None = None
    day: Any = None
    confidence: str | None = None
    note: str | None = None

    @property
    def shown(self) -> str:
        """The figure as a reader would write it."""
        if isinstance(self.value, list):
            return ", ".join(str(item) for item in self.value)
        if self.value is None:
            return f"{self.lo:g} to {self.hi:g}"
        head = f"{self.value:g}" if isinstance(self.value, (int, float)) else str(self.value)
        return head if self.lo is None or self.hi is None else f"{head} ({self.interval} {self.lo:g} to {self.hi:g})"


@cache
def figures() -> tuple[Figure, ...]:
    """Every figure that the package ships."""
    text = files(__package__).joinpath("figures.yaml").read_text(encoding="utf-8")
    return parse_figures(text, "figures.yaml")


def parse_figures(text: str, name: str) -> tuple[Figure, ...]:
    """Figures from YAML.

    Raises:
        InvalidInput: an entry that names no trial, no source, or an unknown field.
    """
    found = []
    for number, entry in enumerate(yaml.safe_load(text)["figures"], start=1):
        try:
            found.append(Figure(**entry))
        except TypeError as error:
            raise InvalidInput(f"{name}: figure {number} ({entry.get('id', 'without id')}): {error}.") from None
    return tuple(found)


def figures_of(trial: str) -> tuple[Figure, ...]:
    """The figures of a trial, in the order of the file."""
    return tuple(figure for figure in figures() if figure.trial == trial)
