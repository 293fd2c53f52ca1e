"""Numbered kits: the numbers are a random order of the products, so that neither a number nor its neighbours tell anything."""

from collections.abc import Mapping

from sevenfold.seed import Stream

__all__ = ["kit_map"]


def kit_map(wanted: Mapping[str, int], secret: bytes) -> dict[str, str]:
    """Kit number -> product, in ascending order of number.

    Args:
        wanted: how many kits of each product.

    Numbers are distinct, of six digits, the last a check digit (Luhn), and drawn without regard to the product.
    """
    n = sum(wanted.values())
    products = [product for product, count in sorted(wanted.items()) for _ in range(count)]
    shuffled = [products[i] for i in Stream(secret, "kit products").order(n)]
    gaps = Stream(secret, "kit numbers").uniform(draw=range(n))
    span = 90_000 // max(n, 1)
    bodies = [10_000 + i * span + int(gap * span) for i, gap in enumerate(gaps)]
    return {f"{body}{_check_digit(body)}": product for body, product in zip(bodies, shuffled, strict=True)}


def _check_digit(body: int) -> int:
    total = 0
    for place, digit in enumerate(reversed(str(body))):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10
