"""Kit numbers: one for every dose of every place on the lists, drawn without regard to what the kit holds.

A kit is a syringe that the unblinded pharmacist prepares and numbers. Its number belongs to a place and a day, not to
a product, so the same numbers would be seen whatever the lists say.
"""

from collections.abc import Iterable, Sequence

from sevenfold.errors import InvalidDesign
from sevenfold.vault.keystream import below, shuffled, words

__all__ = ["kit_numbers"]

_FIRST, _LAST = 100_000, 999_999


def kit_numbers(places: Sequence[str], days: Iterable[int], secret: bytes) -> dict[tuple[str, int], str]:
    """(randomisation number, study day) -> kit number: distinct, seven digits, the last a check digit (Luhn).

    Raises:
        InvalidDesign: more kits than there are numbers.
    """
    slots = [(place, day) for place in places for day in days]
    span = (_LAST - _FIRST + 1) // max(len(slots), 1)
    if span < 1:
        raise InvalidDesign(f"{len(slots)} kits are more than the {_LAST - _FIRST + 1} numbers there are.")
    gaps = words(secret, "kit numbers", len(slots))
    bodies = [_FIRST + i * span + below(gap, span) for i, gap in enumerate(gaps)]
    order = shuffled(secret, "kit order", len(slots))
    return {slot: f"{bodies[i]}{_check_digit(bodies[i])}" for slot, i in zip(slots, order, strict=True)}


def _check_digit(body: int) -> int:
    total = 0
    for place, digit in enumerate(reversed(str(body))):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10
