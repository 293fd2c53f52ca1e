"""Units: the closed list, and the only place that converts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold import unit
from sevenfold.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "to", "value"),
    [
        ("10 µg/kg", "µg/kg", 10.0),
        ("0.01 mg/kg", "µg/kg", 10.0),
        ("10 ug/kg", "µg/kg", 10.0),
        ("0.9 10^9/L", "cells/µL", 900.0),
        ("0.9 G/L", "cells/µL", 900.0),
        ("900 cells/mm3", "cells/µL", 900.0),
        ("35 000 /µL", "cells/µL", 35_000.0),
        ("48 h", "day", 2.0),
        ("2 mg/mL", "ng/mL", 2e6),
        ("50 %", "fraction", 0.5),
        ("18 years", "year", 18.0),
    ],
)
def test_quantities_are_read_and_converted_exactly(text: str, to: str, value: float) -> None:
    assert unit.parse(text).to(to) == value


@given(value=st.floats(1e-6, 1e9), units=st.sampled_from([("h", "day"), ("10^9/L", "cells/µL"), ("mg/dL", "g/L")]))
def test_there_and_back_is_the_same(value: float, units: tuple[str, str]) -> None:
    """Two roundings: at most two units in the last place."""
    there, back = units
    assert unit.convert(unit.convert(value, there, back), back, there) == pytest.approx(value, rel=4.5e-16)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("10", "no unit"),
        ("µg/kg", "not a number"),
        ("10 µg/kgs", "nearest known is 'µg/kg'"),
        ("10 furlong", "not known"),
        ("", "not a number"),
    ],
)
def test_what_is_no_quantity_is_refused_with_the_way_out(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        unit.parse(text)


def test_another_dimension_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidInput, match="is a concentration; a dose by weight is wanted"):
        unit.convert(10.0, "µg/L", "µg/kg")
