"""The vault: the only holder of who receives what, in a file of its own under a key of its own.

Its verbs: allocate the next place, dispense a kit, say what a kit holds (to the pharmacy, or to the virtual patient who receives
it), seal and open masked results, and reveal everything once, after lock. A commitment to the list is given out at the start.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self, final

from sevenfold.errors import BlindBroken, InvalidDesign, InvalidInput
from sevenfold.sealing import canonical_json, derived_key, open_sealed, seal
from sevenfold.vault.allocation import PermutedBlocks, allocation_list
from sevenfold.vault.kits import kit_map

__all__ = ["Revealed", "Supply", "Vault"]

_CHUNK: Final = 40  # items a sealed text holds: all sealed texts have one length


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

    def kits_wanted(self) -> dict[str, int]:
        """Enough of every product for whatever the lists say: as many as all subjects could need of it."""
        names = {product for days in self.products.values() for product in days.values()} | set(self.placebo_of.values())
        most = max(len(days) for days in self.products.values())
        return dict.fromkeys(sorted(names), self.n_planned * most)


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
    _kits: dict[str, str] = field(repr=False)
    _taken: dict[str, str] = field(default_factory=dict, repr=False)  # randomisation number -> arm
    _used: set[str] = field(default_factory=set, repr=False)
    _is_revealed: bool = False

    @classmethod
    def create(cls, path: Path, supply: Supply, secret: bytes) -> Self:
        """Draw the list and the kits from a secret of 32 bytes, and seal them in a new file.

        Raises:
            InvalidInput: the file exists, or the secret is too short.
        """
        if path.exists():
            raise InvalidInput(f"{path} exists already; a vault is never overwritten.")
        if len(secret) < 32:
            raise InvalidInput(f"A vault's secret has 32 bytes or more, got {len(secret)}.")
        scheme = PermutedBlocks(supply.ratio, supply.block_repeats)
        drawn = allocation_list(scheme, supply.strata, supply.n_planned, derived_key(secret, "allocation list"))
        kits = kit_map(supply.kits_wanted(), derived_key(secret, "kits"))
        vault = cls(path, supply, secret, drawn, kits)
        vault._write()
        return vault

    @property
    def commitment(self) -> str:
        """A hash of the list with a nonce: tells nothing now, and proves later that the list was not altered."""
        return sha256(canonical_json(["sevenfold allocation", 1, self._nonce(), self._list])).hexdigest()

    def allocate(self, stratum: str) -> str:
        """Take the next place of a stratum's list; the randomisation number tells nothing but the order.

        Raises:
            InvalidDesign: no such stratum, or its list is used up.
        """
        if stratum not in self._list:
            raise InvalidDesign(f"There is no stratum {stratum!r}; there is {', '.join(self._list)}.")
        place = sum(number.startswith(f"{self._letter(stratum)}-") for number in self._taken)
        if place >= len(self._list[stratum]):
            raise InvalidDesign(f"The list of stratum {stratum!r} is used up after {place} subjects.")
        number = f"{self._letter(stratum)}-{place + 1:03d}"
        self._taken[number] = self._list[stratum][place]
        return number

    def dispense(self, number: str, study_day: int, *, withhold: bool) -> str:
        """A kit for a subject's dose of this day; placebo in its place if the active product is withheld."""
        product = self.supply.products[self._taken[number]][study_day]
        if withhold:
            product = self.supply.placebo_of.get(product, product)
        for kit, content in self._kits.items():
            if content == product and kit not in self._used:
                self._used.add(kit)
                return kit
        raise InvalidDesign("The stock of kits is used up.")

    def contents(self, kit: str) -> str:
        """The product in a kit: for the pharmacy, and for whoever plays the body that it is injected into."""
        return self._kits[kit]

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
        self._is_revealed = True
        return Revealed(
            assignments=dict(self._taken),
            allocation_list={stratum: list(arms) for stratum, arms in self._list.items()},
            nonce=self._nonce(),
            results_key=self._results_key().hex(),
        )

    def close(self) -> None:
        """Seal what was used, and let go of the file."""
        self._write()

    def _letter(self, stratum: str) -> str:
        return chr(ord("A") + self.supply.strata.index(stratum))

    def _nonce(self) -> str:
        return derived_key(self._secret, "commitment nonce", 32).hex()

    def _results_key(self) -> bytes:
        return derived_key(self._secret, "masked results")

    def _write(self) -> None:
        key = derived_key(self._secret, "vault")
        texts = {
            "allocation list": list(self._list.items()),
            "kit map": list(self._kits.items()),
            "taken places": list(self._taken.items()),
            "used kits": sorted(self._used),
        }
        rows = [
            (f"{name} {start // _CHUNK}", seal(key, f"{name} {start // _CHUNK}", items[start : start + _CHUNK]))
            for name, items in texts.items()
            for start in range(0, max(len(items), 1), _CHUNK)
        ]
        with sqlite3.connect(self.path) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS sealed (name TEXT PRIMARY KEY, text TEXT NOT NULL)")
            connection.executemany("INSERT OR REPLACE INTO sealed VALUES (?, ?)", rows)
        connection.close()

