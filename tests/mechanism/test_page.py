"""What a page refuses when it is put together, and when it is given a patient."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_state import DECAY

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.page import Page, Parameter
from sevenfold.mechanism.place import InvalidModel
from sevenfold.provenance import Provenance


def parameter(**changed: object) -> Parameter:
    """A share between 0 and 1, but for what is changed."""
    given: dict[str, object] = {
        "name": "f",
        "symbol": "f",
        "value": 0.5,
        "unit": "fraction",
        "cv": 0.2,
        "low": 0.0,
        "high": 1.0,
    }
    given |= {"status": Provenance.ASSUMED, "source": "test"}
    return Parameter(**(given | changed))  # type: ignore[arg-type]


def with_share() -> Page:
    """One state and a share."""
    import dataclasses

    return dataclasses.replace(DECAY, parameters=(*DECAY.parameters, parameter()))


@given(st.floats(0.0, 1.0))
def test_every_value_within_the_domain_is_taken(value: float) -> None:
    """The ends are inside."""
    assert with_share().values({"f": value}).f == value


@pytest.mark.parametrize("value", [-0.001, 1.001, math.nan, math.inf])
def test_a_value_outside_the_domain_is_named_with_parameter_and_domain(value: float) -> None:
    with pytest.raises(InvalidInput, match=r"The parameter 'f' is .* fraction, outside its domain: 0 to 1\."):
        with_share().values({"f": value})


def test_of_many_patients_the_first_that_is_outside_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"'f' of patient 2 is 1\.5 fraction"):
        with_share().values({"f": np.array([0.1, 0.2, 1.5, 7.0])})


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"value": 1.5}, "is 1.5 fraction, outside its domain 0 to 1"),
        ({"cv": -0.1}, "cv is not negative"),
        ({"prior_cv": 0.0}, "prior_cv is positive or None"),
        ({"value": 0.0, "prior_cv": 0.3}, "a log-normal prior wants a positive value"),
    ],
)
def test_a_parameter_that_contradicts_itself_is_refused(changed: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidModel, match=says):
        parameter(**changed)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_whatever_the_domain(value: float) -> None:
    """A NaN would run through every equation and come out as a patient like others."""
    with pytest.raises(InvalidInput, match=r"'k' of patient 1 is .*inf|nan /day, outside its domain: any number"):
        DECAY.values({"k": np.array([1.0, value])})
    with pytest.raises(InvalidModel, match="outside its domain"):
        parameter(value=value, low=-math.inf, high=math.inf)


def test_an_end_may_be_outside() -> None:
    """A volume of 0 divides by 0: what must be positive says so."""
    volume = parameter(value=3.0, above=0.0, high=math.inf)
    assert volume.domain == "more than 0"
    assert parameter(above=0.0).domain == "more than 0, 1 or less"
    volume.refuse_outside(5e-324)
    with pytest.raises(InvalidInput, match="'f' is 0 fraction, outside its domain: more than 0"):
        volume.refuse_outside(0.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clearance_l_per_day", -1.0),
        ("central_volume_l", 0.0),
        ("bioavailable_fraction", 1.5),
        ("inflammation_decay_day", 0.0),
        ("septic_death_per_day", math.nan),
    ],
)
def test_il7_refuses_what_biology_does_not_have(name: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=f"'{name}' is .* outside its domain"):
        il7_page().values({name: value})


def test_every_parameter_of_il7_has_a_domain() -> None:
    for one in il7_page().parameters:
        assert one.low >= 0.0 or one.above >= 0.0, one.name
        assert ("0 to 1" in one.domain) == (one.high == 1.0)


@pytest.mark.parametrize(
    ("low", "high", "domain"),
    [
        (-math.inf, math.inf, "any number"),
        (0.0, math.inf, "0 or more"),
        (-math.inf, 2.0, "2 or less"),
        (0.0, 1.0, "0 to 1"),
    ],
)
def test_a_domain_reads_as_a_person_says_it(low: float, high: float, domain: str) -> None:
    assert parameter(low=low, high=high).domain == domain


def test_random_patients_lie_within_the_domains() -> None:
    """10 000 of IL-7: the sampler and the page agree about what may be."""
    from sevenfold.population.sampling import draw_parameters

    page = il7_page()
    page.values(draw_parameters(page, 5, subject=np.arange(10_000)))
