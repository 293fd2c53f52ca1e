"""Equations as a person writes them."""

from typing import Any

import pytest
from pages import ALL

from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.load import load_page
from sevenfold.mechanism.notation import letters, number, pretty
from sevenfold.mechanism.term import quantity, term
from sevenfold.mechanism.trace import trace_whole


@pytest.fixture(scope="module")
def il7() -> dict[str, str]:
    """IL-7's terms and rates as text, by name."""
    whole = trace_whole(il7_page())
    called, graph = letters(whole), whole.traced.graph
    rates = zip(whole.traced.page.states, whole.traced.rates, strict=True)
    said = {term.name: called.sentence(graph.nodes[n]) for n, term in graph.terms.items()}
    return said | {state.name: called.sentence(rate) for state, rate in rates}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("concentration_ng_per_ml", "max(A₁, 0)/V₁"),
        ("inflammation", "I₀·exp(−t/τI)"),
        ("uptake_ug_per_day", "kdegL·b·R"),
        ("signal", "max(Cr/(EC₅₀ + Cr) − S₀, 0)"),
        ("cd4_entry_per_day", "π₀₄·min((T₄*/max(T₄, 1 cells/µL))^γ, 6)·(1 − sPi·I) + πmax₄·E₂/(1 + Z)"),
        ("cd4_loss_now_per_day", "s·(μ₀₄·T₄/T₄* + δ)"),
        ("cd4_loss_per_day", "(λ₄ + P₄*·(ρ − μP))/(T₄* − P₄*)"),
        ("depot_ug", "doses − ka·A₀"),
        ("central_ug", "ka·A₀ + k₀ − CL·A₁/V₁ − Q·A₁/V₁ + Q·A₂/V₂ − U + doses"),
        ("cd4_receptor", "kdeg·(1 − r₄) − (kdegL − kdeg)·r₄·b"),
        ("cd8_cycling_per_ul", "Q₈·π₈ − P₈·(ρ + μP + 0.5·δ·s)"),
    ],
)
def test_il7_s_equations_read_like_those_of_its_derivation(il7: dict[str, str], name: str, said: str) -> None:
    """The letters and forms of docs/theory/il7.md."""
    assert il7[name] == said


@pytest.mark.parametrize("model", ALL)
def test_no_two_things_of_a_page_share_a_letter(model: str) -> None:
    called = letters(trace_whole(load_page(model)))
    assert len(set(called.by_name.values())) == len(called.by_name)


@pytest.mark.parametrize(
    ("symbol", "letter"),
    [
        ("V1", "V₁"),
        ("tauI", "τI"),
        ("pimax4", "πmax₄"),
        ("muP", "μP"),
        ("T4*", "T₄*"),
        ("pixel", "pixel"),
        ("kz_on", "kz_on"),
    ],
)
def test_symbols_become_letters(symbol: str, letter: str) -> None:
    assert pretty(symbol) == letter


def test_numbers_are_short_and_have_a_true_minus() -> None:
    assert number(-1 / 3) == "−0.333333"


@pytest.mark.parametrize("value", [3.0, [1.0, 2.0]])
def test_a_term_is_invisible_to_numbers(value: Any) -> None:
    assert term("x", value, unit="µg") is value
    assert 2.0 * quantity(3.0, "µg") == 6.0
