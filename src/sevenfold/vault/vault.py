"""The vault: the only holder of who receives what, in a file of its own under a key of its own.

Its verbs: allocate the next place, dispense a kit, say what a kit holds (to the pharmacy, or to the virtual body that
receives it), seal and open masked results, and reveal everything once, after lock. A commitment to the list is given
out at the start.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, final

from sevenfold.errors import BlindBroken, InvalidDesign, InvalidInput
from sevenfold.sealing import allocation_commitment, derived_key, open_sealed, seal
from sevenfold.vault.allocation import PermutedBlocks, allocation_list
from sevenfold.vault.kits import kit_numbers

__all__ = ["Revealed", "Supply", "Vault"]

_CHUNK: Final = 25  # items a sealed text holds: all sealed texts have one length


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What the vault has to know of a trial, in plain words.

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


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """Everything, once. ``assignments`` is by randomisation number."""

    assignments: Mapping[str, str]
    allocation_list: Mapping[str, list[str]]
    nonce: str
    results_key: str


@final
@dataclass(slots=True)
class Vault:
    """An open vault. Made by :meth:`create`."""

    path: Path
    supply: Supply
    _secret: bytes = field(repr=False)
    _list: dict[str, list[str]] = field(repr=False)
    _kits: dict[tuple[str, int], str] = field(repr=False)
    _taken: dict[str, str] = field(default_factory=dict, repr=False)  # randomisation number -> arm
    _contents: dict[str, str] = field(default_factory=dict, repr=False)  # kit -> product
    _withheld: dict[str, bool] = field(default_factory=dict, repr=False)  # randomisation number -> whether for good

    @classmethod
    def create(cls, path: Path, supply: Supply, secret: bytes) -> Self:
        """Draw the list and the kit numbers from a secret of 32 bytes or more, and seal them in a new file.

        Raises:
            InvalidInput: the file exists, or the secret is too short.
        """
        if path.exists():
            raise InvalidInput(f"{path} exists already; a vault is never overwritten.")
        if len(secret) < 32:
            raise InvalidInput(f"A vault's secret has 32 bytes or more, got {len(secret)}.")
        scheme = PermutedBlocks(supply.ratio, supply.block_repeats)
        drawn = allocation_list(scheme, supply.strata, supply.n_planned, derived_key(secret, "allocation list"))
        days = sorted({day for by_day in supply.products.values() for day in by_day})
        kits = kit_numbers(supply.places, days, derived_key(secret, "kits"))
        vault = cls(path, supply, secret, drawn, kits)
        vault.write()
        return vault

    @property
    def commitment(self) -> str:
        """A hash of the list with a nonce: tells nothing now, and proves later that the list was not altered."""
        return allocation_commitment(self._nonce(), self._list)

    def allocate(self, stratum: str) -> str:
        """Take the next place of a stratum's list; the randomisation number tells nothing but the order.

        Raises:
            InvalidDesign: no such stratum, or its list is used up.
        """
        if stratum not in self._list:
            raise InvalidDesign(f"There is no stratum {stratum!r}; there is {', '.join(self._list)}.")
        for place, arm in enumerate(self._list[stratum]):
            number = self.supply.number(stratum, place)
            if number not in self._taken:
                self._taken[number] = arm
                return number
        raise InvalidDesign(f"The list of stratum {stratum!r} is used up after {len(self._list[stratum])} subjects.")

    def withhold(self, number: str, *, until_further_notice: bool, for_good: bool) -> None:
        """Dispense placebo in place of the active product from now on, or no longer; what is for good stays."""
        if for_good or self._withheld.get(number):
            self._withheld[number] = True
        elif until_further_notice:
            self._withheld[number] = False
        else:
            self._withheld.pop(number, None)

    def dispense(self, number: str, study_day: int) -> str:
        """The kit for a subject's dose of this day; it holds placebo while the active product is withheld."""
        if number not in self._taken:
            raise InvalidInput(f"No kit can be dispensed for {number}: the place was not taken.")
        if (number, study_day) not in self._kits:
            raise InvalidInput(f"No kit can be dispensed for {number}: no dose is planned for day {study_day}.")
        product = self.supply.products[self._taken[number]][study_day]
        kit = self._kits[number, study_day]
        if kit in self._contents:
            raise InvalidInput(f"Kit {kit} was dispensed already.")
        self._contents[kit] = self.supply.placebo_of.get(product, product) if number in self._withheld else product
        return kit

    def contents(self, kit: str) -> str:
        """The product in a kit: for the pharmacy, and for whoever plays the body that it is injected into."""
        if kit not in self._contents:
            raise InvalidInput(f"There is no dispensed kit {kit!r}.")
        return self._contents[kit]

    def seal(self, place: str, value: Any) -> str:
        """Seal masked results that belong at ``place``."""
        return seal(self._results_key(), place, value)

    def open(self, place: str, sealed: str) -> Any:
        """Open masked results: for the safety reviewer outside the trial team."""
        return open_sealed(self._results_key(), place, sealed)

    def reveal(self, *, is_locked: bool) -> Revealed:
        """Everything, after the database is locked.

        Raises:
            BlindBroken: the database is not locked.
        """
        if not is_locked:
            raise BlindBroken("The allocation is revealed after database lock, and not before.")
        return Revealed(
            assignments=dict(self._taken),
            allocation_list={stratum: list(arms) for stratum, arms in self._list.items()},
            nonce=self._nonce(),
            results_key=self._results_key().hex(),
        )

    def write(self) -> None:
        """Seal the lists, the kits and what was used of them in the file."""
        key = derived_key(self._secret, "vault")
        texts: dict[str, list[Any]] = {
            "allocation list": [[s, place, arm] for s, arms in self._list.items() for place, arm in enumerate(arms)],
            "kit numbers": [[number, day, kit] for (number, day), kit in self._kits.items()],
            "taken places": list(self._taken.items()),
            "kit contents": list(self._contents.items()),
            "withheld": list(self._withheld.items()),
        }
        rows = []
        for name, items in texts.items():
            for start in range(0, max(len(items), 1), _CHUNK):
                place = f"{name} {start // _CHUNK}"
                rows.append((place, seal(key, place, items[start : start + _CHUNK])))
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS sealed (name TEXT PRIMARY KEY, text TEXT NOT NULL)")
            connection.executemany("INSERT OR REPLACE INTO sealed VALUES (?, ?)", rows)

    def _nonce(self) -> str:
        return derived_key(self._secret, "commitment nonce", 32).hex()

    def _results_key(self) -> bytes:
        return derived_key(self._secret, "masked results")
