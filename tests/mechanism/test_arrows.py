"""What moves and what acts, read off the equations."""

from pages import ALL

from sevenfold.mechanism.arrows import Arrows, arrows
from sevenfold.mechanism.direction import Direction
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.load import load_model
from sevenfold.mechanism.trace import trace_whole

IL7 = arrows(trace_whole(il7_page()))


def moves(found: Arrows) -> set[tuple[str | None, str | None]]:
    return {(flow.source, flow.target) for flow in found.flows}


def test_il7_s_flows_are_absorption_exchange_and_the_cycle() -> None:
    between = {(a, b) for a, b in moves(IL7) if a and b}
    assert between == {
        ("depot_ug", "central_ug"), ("central_ug", "peripheral_ug"), ("peripheral_ug", "central_ug"),
        ("signal_1", "signal_2"),
        ("cd4_quiescent_per_ul", "cd4_cycling_per_ul"), ("cd4_cycling_per_ul", "cd4_quiescent_per_ul"),
        ("cd8_quiescent_per_ul", "cd8_cycling_per_ul"), ("cd8_cycling_per_ul", "cd8_quiescent_per_ul"),
    }  # fmt: skip
    assert {flow.by for flow in IL7.flows if flow.target == "cd4_quiescent_per_ul" and flow.source} == {"2·ρ"}


def test_what_is_made_and_lost_has_one_end() -> None:
    assert (None, "cd4_quiescent_per_ul") in moves(IL7)
    assert ("b_per_ul", None) in moves(IL7)
    assert (None, "peripheral_ug") not in moves(IL7)


def test_influences_have_the_direction_that_the_biology_gives_them() -> None:
    """T cells eat IL-7, IL-7 strips receptor, survival keeps T cells, sepsis kills them."""
    assert IL7.influences["receptors_per_ul", "central_ug"] is Direction.LOWERS
    assert IL7.influences["central_ug", "cd4_receptor"] is Direction.LOWERS
    assert IL7.influences["central_ug", "signal"] is Direction.RAISES
    assert IL7.influences["survival", "cd4_quiescent_per_ul"] is Direction.RAISES
    assert IL7.influences["inflammation", "cd8_cycling_per_ul"] is Direction.LOWERS
    assert IL7.influences["tolerance", "homing"] is Direction.LOWERS
    assert IL7.influences["cd4_cycling_per_ul", "signal"] is Direction.EITHER


def test_few_terms_are_drawn_and_inflammation_drives() -> None:
    assert IL7.terms == ("inflammation", "receptors_per_ul", "signal")
    assert IL7.drivers == ("inflammation",)


def test_a_flow_through_a_term_is_one_flow_and_no_influence() -> None:
    model = next(known for known in ALL if known.endswith("gm_csf_monocytes.py"))
    found = arrows(load_model(model).whole)
    assert ("marrow_per_ul", "monocytes_per_ul") in moves(found)
    assert ("marrow_per_ul", "monocytes_per_ul") not in found.influences
    assert found.influences["central_ug", "monocytes_per_ul"] is Direction.RAISES
