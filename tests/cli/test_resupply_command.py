"""``sevenfold resupply``: the plan's need of vials, by site and product."""

from pathlib import Path

import pytest

from sevenfold.cli import main


def test_every_site_and_product_is_told_and_a_larger_first_consignment_runs_out_less(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ten sites, two products; what is sent first need not be ordered."""
    found = []
    for first in ("1", "40"):
        assert main(["resupply", "iris-7c", "--first", first, "--horizon", "40", "--lead", "20"]) == 0
        rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
        assert len(rows) == 20
        found.append({(site, product): (float(p.rstrip("%")), int(n)) for site, product, _, _, p, n in rows})
    few, many = found
    assert all(many[key][0] <= few[key][0] and many[key][1] <= few[key][1] for key in few)
    assert few["FR-1", "cyt107"][0] > few["FR-1", "placebo"][0] > 0.0  # at 3:1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--lead", "90"], "must be less than --horizon"),
        (["--probability", "1"], "lies between 0 and 1"),
        (["--randomised", "0"], "lies between 0 and 1"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resupply", "iris-7", *words]) == 2
    assert told in capsys.readouterr().err


def test_a_protocol_without_vials_is_told_how_to_have_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / "mine.yaml")]) == 0
    capsys.readouterr()
    assert main(["resupply", str(tmp_path / "mine.yaml")]) == 2
    assert "give every product under 'products' its 'vial'" in capsys.readouterr().err
