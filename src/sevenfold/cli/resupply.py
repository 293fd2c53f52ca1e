"""``sevenfold resupply``: what sites will need of each product, by the plan alone."""

import argparse

from sevenfold.errors import InvalidInput
from sevenfold.protocol.conductible import check_conductible
from sevenfold.protocol.load import load
from sevenfold.trial.outlook import ahead_of_plan
from sevenfold.trial.resupply import forecast, needed

__all__ = ["print_resupply"]


def print_resupply(chosen: argparse.Namespace) -> int:
    """Print the forecast of every site."""
    file = load(chosen.protocol)
    check_conductible(file.protocol)
    if not file.protocol.keeps_stock:
        raise InvalidInput(
            f"{file.protocol.name} names no vials; give every product under 'products' its 'vial', such as "
            "{volume: 1 mL, stored_from: 2 °C, stored_to: 8 °C}."
        )
    if not 0.0 < chosen.probability < 1.0 or not 0.0 < chosen.randomised <= 1.0:
        raise InvalidInput("--probability lies between 0 and 1, and --randomised above 0 and not above 1.")
    if not 1 <= chosen.lead < chosen.horizon <= 3660 or not 0 <= chosen.first <= 100_000:
        raise InvalidInput(
            f"--lead {chosen.lead} is at least 1 and must be less than --horizon {chosen.horizon}, which is at most "
            f"3660 days; --first {chosen.first} is at most 100000 vials and not negative."
        )
    print(f"Vials needed in {chosen.horizon} days from a site's opening, of {chosen.first} sent first, by the plan:")
    print(
        f"{'site':8} {'product':16} {'median':>6} {'95 %':>6}  {'out before day ' + str(chosen.lead):>20} {'order':>6}"
    )
    for site in file.protocol.sites:
        need = needed(ahead_of_plan(file, site, chosen.randomised), chosen.horizon, chosen.seed)
        for product, vials in need.items():
            one = forecast(vials, [(chosen.first, chosen.horizon)], chosen.lead, chosen.probability)
            print(f"{site:8} {product:16} {one.median:6d} {one.upper:6d}  {one.runs_out:20.1%} {one.order:6d}")
    return 0
