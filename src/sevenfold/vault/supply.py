"""What the vault has to know of a trial: arms, strata, and what is in the syringe on which day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, final

__all__ = ["Supply"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """In plain words.

    Args:
        ratio: arms, written out, of the shortest block.
        block_repeats: how many times over a block may be the ratio.
        strata: a list is drawn for each.
        n_planned: subjects; every stratum's list is this long.
        products: arm -> study day -> product.
        placebo_of: active product -> the placebo that looks like it.
    """

    ratio: tuple[str, ...]
    block_repeats: tuple[int, ...]
    strata: tuple[str, ...]
    n_planned: int
    products: Mapping[str, Mapping[int, str]]
    placebo_of: Mapping[str, str]

    @classmethod
    def read(cls, said: Iterable[list[Any]]) -> Self:
        """From what :meth:`told` says."""
        entries: dict[str, list[list[Any]]] = {}
        for word, *values in said:
            entries.setdefault(word, []).append(values)
        products: dict[str, dict[int, str]] = {}
        for arm, day, product in entries.get("product", []):
            products.setdefault(arm, {})[day] = product
        return cls(
            ratio=tuple(arm for (arm,) in entries.get("ratio", [])),
            block_repeats=tuple(times for (times,) in entries.get("repeats", [])),
            strata=tuple(stratum for (stratum,) in entries.get("stratum", [])),
            n_planned=entries["planned"][0][0],
            products=products,
            placebo_of=dict(entries.get("placebo", [])),
        )

    def told(self) -> list[list[Any]]:
        """As a list of short plain entries."""
        return [
            ["planned", self.n_planned],
            *(["ratio", arm] for arm in self.ratio),
            *(["repeats", times] for times in self.block_repeats),
            *(["stratum", stratum] for stratum in self.strata),
            *(["product", arm, day, product] for arm, days in self.products.items() for day, product in days.items()),
            *(["placebo", active, placebo] for active, placebo in self.placebo_of.items()),
        ]

    @property
    def days(self) -> tuple[int, ...]:
        """Study days on which anybody is injected, in order."""
        return tuple(sorted({day for by_day in self.products.values() for day in by_day}))

    @property
    def places(self) -> tuple[str, ...]:
        """Every randomisation number there can be: the stratum's letter and the place on its list."""
        return tuple(self.number(stratum, place) for stratum in self.strata for place in range(self.n_planned))

    def number(self, stratum: str, place: int) -> str:
        """The randomisation number of a place (from 0) on a stratum's list."""
        letters, index = "", self.strata.index(stratum) + 1
        while index:  # A to Z, AA to ZZ, ...
            index, letter = divmod(index - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return f"{letters}-{place + 1:03d}"
