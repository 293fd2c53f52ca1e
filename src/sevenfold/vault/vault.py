"""The vault: the only holder of who receives what, in a file of its own under a key of its own.

Its verbs: allocate the next place, dispense a kit, say what a kit holds (to the pharmacy, or to the virtual body that
receives it), seal and open masked results, and reveal everything once, after lock. A commitment to the list is given
out at the start.
"""

import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, final

from sevenfold.errors import AuditBroken, BlindBroken, InvalidDesign, InvalidInput
from sevenfold.sealing import allocation_commitment, derived_key, open_sealed, seal
from sevenfold.vault.allocation import PermutedBlocks, allocation_list
from sevenfold.vault.envelopes import Envelope, sealed_envelopes
from sevenfold.vault.kits import kit_numbers
from sevenfold.vault.safe import Safe
from sevenfold.vault.supply import Supply

__all__ = ["Revealed", "Vault"]

_FOR_GOOD, _FOR_NOW = "for good", "until further notice"


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
    """An open vault. Made by :meth:`create` or :meth:`reopened`.

    What is given out is durable after :meth:`persist`; conduct asks for it before it makes the events durable.
    """

    supply: Supply
    _safe: Safe
    _secret: bytes = field(repr=False)
    _list: dict[str, list[str]] = field(repr=False)
    _kits: dict[tuple[str, int], str] = field(repr=False)
    _taken: dict[str, str] = field(default_factory=dict, repr=False)  # randomisation number -> arm
    _contents: dict[str, str] = field(default_factory=dict, repr=False)  # kit -> product
    _withheld: dict[str, bool] = field(default_factory=dict, repr=False)  # randomisation number -> whether for good
    _n_kept: dict[str, int] = field(default_factory=dict, repr=False)  # of each list, how many items the file holds
    _next: dict[str, int] = field(default_factory=dict, repr=False)  # stratum -> place before which all are taken
    _reviewed: set[str] = field(default_factory=set, repr=False)  # numbers whose withholding the file may not know yet

    @classmethod
    def create(cls, path: Path, supply: Supply, secret: bytes) -> Self:
        """Draw the list and the kit numbers from a secret of 32 bytes or more, and seal them in a new file.

        Raises:
            InvalidInput: the file exists, or the secret is too short.
        """
        if len(secret) < 32:
            raise InvalidInput(f"A vault's secret has 32 bytes or more, got {len(secret)}.")
        safe = Safe.create(path, derived_key(secret, "vault"))
        scheme = PermutedBlocks(supply.ratio, supply.block_repeats)
        drawn = allocation_list(scheme, supply.strata, supply.n_planned, derived_key(secret, "allocation list"))
        kits = kit_numbers(supply.places, supply.days, derived_key(secret, "kits"))
        lists: dict[str, list[Any]] = {
            "supply": supply.told(),
            "allocation list": [[stratum, arm] for stratum, arms in drawn.items() for arm in arms],
            "kit numbers": [[number, day, kit] for (number, day), kit in kits.items()],
            "withheld": [[number, ""] for number in supply.places],
        }
        safe.put({name: (items, range(len(items))) for name, items in lists.items()})
        return cls(supply, safe, secret, drawn, kits)

    @classmethod
    def reopened(cls, path: Path, secret: bytes) -> Self:
        """A vault as it was last made durable.

        Raises:
            InvalidInput: there is no such file, or it is no vault.
            AuditBroken: it belongs to another secret, or was altered.
        """
        safe = Safe.open(path, derived_key(secret, "vault"))
        kept = safe.take()
        if "supply" not in kept:
            raise InvalidInput(f"{path} is not a vault: it holds no sealed supply.")
        supply = Supply.read(kept["supply"])
        drawn: dict[str, list[str]] = {stratum: [] for stratum in supply.strata}
        for stratum, arm in kept["allocation list"]:
            drawn[stratum].append(arm)
        kits = {(number, day): kit for number, day, kit in kept["kit numbers"]}
        taken, contents = dict(kept.get("taken places", [])), dict(kept.get("kit contents", []))
        withheld = {number: state == _FOR_GOOD for number, state in kept["withheld"] if state}
        n_kept = {"taken places": len(taken), "kit contents": len(contents)}
        return cls(supply, safe, secret, drawn, kits, taken, contents, withheld, n_kept)

    @property
    def path(self) -> Path:
        """The vault's file."""
        return self._safe.path

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
        arms = self._list[stratum]
        for place in range(self._next.get(stratum, 0), len(arms)):
            number = self.supply.number(stratum, place)
            if number not in self._taken:
                self._taken[number] = arms[place]
                self._next[stratum] = place + 1
                return number
        raise InvalidDesign(f"The list of stratum {stratum!r} is used up after {len(self._list[stratum])} subjects.")

    def withhold(self, number: str, *, until_further_notice: bool, for_good: bool) -> None:
        """Dispense placebo in place of the active product from now on, or no longer; what is for good stays."""
        self._reviewed.add(number)
        if for_good or self._withheld.get(number):
            self._withheld[number] = True
        elif until_further_notice:
            self._withheld[number] = False
        else:
            self._withheld.pop(number, None)

    def dispense(self, number: str, study_day: int) -> str:
        """The kit for a subject's dose of this day; it holds placebo while the active product is withheld.

        Raises:
            InvalidInput: the place was not taken, there is no dose on that day, or the kit was dispensed already.
            InvalidDesign: the active product is withheld and has no placebo.
        """
        if number not in self._taken:
            raise InvalidInput(f"No kit can be dispensed for {number}: the place was not taken.")
        if (number, study_day) not in self._kits:
            raise InvalidInput(f"No kit can be dispensed for {number}: no dose is planned for day {study_day}.")
        product = self.supply.products[self._taken[number]][study_day]
        kit = self._kits[number, study_day]
        if kit in self._contents:
            raise InvalidInput(f"Kit {kit} was dispensed already.")
        is_active = product not in self.supply.placebo_of.values()
        if number in self._withheld and is_active:
            if product not in self.supply.placebo_of:
                raise InvalidDesign(
                    f"No kit can be dispensed for {number} on day {study_day}: a product that may be withheld needs "
                    "a placebo that matches it; name one under 'products'."
                )
            product = self.supply.placebo_of[product]
        self._contents[kit] = product
        return kit

    def contents(self, kit: str) -> str:
        """The product in a kit: for the pharmacy, and for whoever plays the body that it is injected into."""
        if kit not in self._contents:
            raise InvalidInput(f"There is no dispensed kit {kit!r}.")
        return self._contents[kit]

    def has_given_out(self, *, number: str | None = None, kit: str | None = None) -> bool:
        """Whether this place was taken, or this kit dispensed."""
        return number in self._taken if number is not None else kit in self._contents

    def seal(self, place: str, value: Any) -> str:
        """Seal masked results that belong at ``place``."""
        return seal(self._results_key(), place, value)

    def open(self, place: str, sealed: str) -> Any:
        """Open masked results: for the safety reviewer outside the trial team."""
        return open_sealed(self._results_key(), place, sealed)

    def take_back(self, *, numbers: Collection[str], kits: Collection[str], withheld: Mapping[str, bool]) -> None:
        """Keep these places as taken, these kits as dispensed and these numbers as withheld (True: for good), and take
        everything else back.

        Raises:
            AuditBroken: a place or a kit that was never given out: the vault is older than the ledger.
        """
        unknown = [*sorted(set(numbers) - self._taken.keys()), *sorted(set(kits) - self._contents.keys())]
        if unknown:
            raise AuditBroken(
                f"The vault {self.path} has never given out {unknown[0]}, of which the ledger speaks: it is an older "
                "one than the ledger. Put the vault in its place that belongs to it."
            )
        taken = {number: arm for number, arm in self._taken.items() if number in numbers}
        contents = {kit: product for kit, product in self._contents.items() if kit in kits}
        reviewed = {
            number
            for number in self._withheld.keys() | withheld.keys()
            if self._withheld.get(number) != withheld.get(number)
        }
        lists: dict[str, tuple[list[Any], Iterable[int]]] = {}
        for name, now, before in (("taken places", taken, self._taken), ("kit contents", contents, self._contents)):
            n_same = next((i for i, (a, b) in enumerate(zip(now, before, strict=False)) if a != b), len(now))
            if n_same < self._n_kept.get(name, 0):  # else the file has never heard of what is taken back
                lists[name] = (list(now.items()), range(max(n_same - 1, 0), len(now)))
        if reviewed:
            lists["withheld"] = self._as_withheld(withheld, reviewed | self._reviewed)
        if lists:
            self._safe.put(lists)
        self._taken, self._contents, self._withheld = taken, contents, dict(withheld)
        self._next = {}
        self._n_kept |= {name: len(items) for name, (items, _) in lists.items() if name != "withheld"}
        self._reviewed = set() if reviewed else self._reviewed

    def reveal_one(self, number: str) -> str:
        """The arm of one taken place: for an emergency that is on the record already.

        Raises:
            InvalidInput: the place was not taken.
        """
        if number not in self._taken:
            raise InvalidInput(f"Nothing can be revealed of {number}: the place was not taken.")
        return self._taken[number]

    def envelopes(self, stratum: str, told: Mapping[str, str]) -> list[Envelope]:
        """A sealed envelope for every place of a stratum, taken or not: to be opened when the server is down.

        Args:
            told: arm -> what an envelope says of it.

        Raises:
            InvalidDesign: no such stratum.
        """
        if stratum not in self._list:
            raise InvalidDesign(f"There is no stratum {stratum!r}; there is {', '.join(self._list)}.")
        arms = {self.supply.number(stratum, place): arm for place, arm in enumerate(self._list[stratum])}
        return sealed_envelopes(arms, told, derived_key(self._secret, "envelopes"))

    def letters(self) -> dict[str, str]:
        """A letter for every arm, in an order that follows from the secret: the monitoring committee's closed report
        compares A with B and does not say which is which.
        """
        key = derived_key(self._secret, "letters")
        arms = sorted(self.supply.products, key=lambda arm: hmac.new(key, arm.encode(), "sha256").digest())
        return {arm: chr(ord("A") + place) for place, arm in enumerate(arms)}

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

    def persist(self) -> None:
        """Seal in the file what was given out since the last time; it is on the disk when this returns."""
        growing: dict[str, list[Any]] = {
            "taken places": list(self._taken.items()),
            "kit contents": list(self._contents.items()),
        }
        new = {name: (items, range(self._n_kept.get(name, 0), len(items))) for name, items in growing.items()}
        lists: dict[str, tuple[list[Any], Iterable[int]]] = {name: entry for name, entry in new.items() if entry[1]}
        if self._reviewed:
            lists["withheld"] = self._as_withheld(self._withheld, self._reviewed)
        if lists:
            self._safe.put(lists)
        self._n_kept = {name: len(items) for name, items in growing.items()}
        self._reviewed = set()

    def _as_withheld(self, withheld: Mapping[str, bool], changed: Collection[str]) -> tuple[list[Any], list[int]]:
        places = self.supply.places
        said = {number: _FOR_GOOD if good else _FOR_NOW for number, good in withheld.items()}
        indices = [index for index, number in enumerate(places) if number in changed]
        return [[number, said.get(number, "")] for number in places], indices

    def _nonce(self) -> str:
        return derived_key(self._secret, "commitment nonce", 32).hex()

    def _results_key(self) -> bytes:
        return derived_key(self._secret, "masked results")
