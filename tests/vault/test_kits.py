"""Kit numbers and their order: what they are drawn from has no arm in it."""

import dataclasses
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sevenfold.vault.kits import kit_numbers
from sevenfold.vault.supply import Supply
from sevenfold.vault.vault import Vault

ARMS = ("one", "two", "three")
DAYS = (1, 4, 8)
SUPPLY = Supply(
    ratio=ARMS, block_repeats=(1, 2), strata=("here", "there"), n_planned=12,
    products={
        "one": dict.fromkeys(DAYS, "drug"), "two": {1: "drug", 4: "saline", 8: "drug"},
        "three": dict.fromkeys(DAYS, "saline"),
    },
    placebo_of={"drug": "saline"},
)  # fmt: skip
PICKED = {"drug": {"1.1": 2}, "saline": {"1.2": 1, "2.1": 4}}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(ARMS), secret=st.binary(min_size=32, max_size=32), steps=st.lists(st.integers(0, 1)))
def test_with_swapped_arms_the_same_numbers_come_in_the_same_order(
    order: list[str], secret: bytes, steps: list[int]
) -> None:
    """Whatever order subjects come in, doses held back or not, vials taken or not: numbers, order, and the rows of the
    file are those of the world in which every arm is another.
    """
    other = dict(zip(ARMS, order, strict=True))
    swapped = dataclasses.replace(SUPPLY, products={arm: SUPPLY.products[other[arm]] for arm in ARMS})
    handed: list[list[str]] = []
    for supply in (SUPPLY, swapped):
        with TemporaryDirectory() as folder:
            vault = Vault.create(Path(folder) / "vault.db", supply, secret)
            kits: list[str] = []
            for step in steps[:12]:
                stratum = supply.strata[step]
                number = vault.allocate(stratum)
                vault.withhold(number, until_further_notice=bool(len(kits) % 2), for_good=False)
                kits += [number, *(vault.dispense(number, day, PICKED if step else None) for day in DAYS)]
                vault.persist()
            handed.append([*kits, str(len(Vault.reopened(vault.path, secret)._vials))])
    assert handed[0] == handed[1]


@given(secret=st.binary(min_size=32, max_size=32), n=st.integers(1, 40))
@settings(deadline=None)
def test_numbers_tell_neither_the_place_nor_the_day_in_order(secret: bytes, n: int) -> None:
    """They are drawn from places and days alone, distinct, and in no order of either."""
    places = [f"A-{k:03d}" for k in range(1, n + 1)]
    numbers = list(kit_numbers(places, DAYS, secret).values())
    assert len(set(numbers)) == len(numbers)
    assert n < 10 or numbers != sorted(numbers)
