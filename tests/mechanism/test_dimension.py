"""Units as products of powers."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.dimension import DIMENSIONLESS, Dimension, dimension_of

UNITS = [
    "µg",
    "L",
    "L/day",
    "/day",
    "cells/µL",
    "cells/µL/day",
    "nmol/L",
    "kg",
    "m²",
    "µg/kg",
    "mmHg",
    "antibodies/cell",
]
ANY = st.sampled_from(UNITS).map(dimension_of)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ng/mL", "µg/L"),
        ("μg/L", "µg/L"),
        ("ug/l", "µg/L"),
        ("cells/µL", "10^6·cells/L"),
        ("10^9/L", "10^3/µL"),
        ("1/day", "/day"),
        ("m²", "m^2"),
        ("mL/min", "1440·mL/day"),
        ("L", "dm³"),
        ("ratio", ""),
        ("nM", "nmol/L"),
    ],
)
def test_spellings_of_one_unit_are_one_dimension(one: str, other: str) -> None:
    assert dimension_of(one) == dimension_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [("µg", "ng"), ("/h", "/day"), ("%", "fraction"), ("U", "IU"), ("cells/L", "/L")]
)
def test_what_would_need_converting_does_not_agree(one: str, other: str) -> None:
    """Nothing converts inside an equation, so another size is another unit."""
    assert dimension_of(one) != dimension_of(other)


@given(ANY, ANY, ANY)
def test_dimensions_form_a_group(a: Dimension, b: Dimension, c: Dimension) -> None:
    assert a * b == b * a
    assert (a * b) * c == a * (b * c)
    assert a / a == DIMENSIONLESS
    assert (a * b) / b == a


@given(ANY, st.integers(-3, 3), st.integers(1, 3))
def test_powers_of_powers_multiply(a: Dimension, n: int, m: int) -> None:
    assert a.to_power(Fraction(n)).to_power(Fraction(m)) == a.to_power(Fraction(n * m))


@pytest.mark.parametrize(
    ("unit", "says"), [("ngg/mL", "nearest known is 'ng'"), ("µg//L", "not known"), ("parsec", "not known")]
)
def test_an_unknown_unit_is_named_with_the_nearest(unit: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        dimension_of(unit)
