"""The forecast of what a site needs, held against closed forms, and its ignorance of the list."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from test_stock import SITE, Shop, lots

from sevenfold.trial.outlook import ahead_of, ahead_of_plan
from sevenfold.trial.resupply import Ahead, Ongoing, SiteRate, forecast, needed

N = 4000
ONE_DOSE = {"active": {1: ("drug", 1)}, "control": {1: ("saline", 1)}}
AHEAD = Ahead(
    ratio=("active", "control"), block_repeats=(1, 2), vials=ONE_DOSE, sites=(SiteRate(shape=3.0, days=40.0),),
    n_taken=0, n_left=10_000, stops=0.0, ongoing=(),
)  # fmt: skip


def test_enrolment_is_negative_binomial() -> None:
    """Poisson at a Gamma rate: with one dose each, all vials together are the subjects who came.

    The largest distance between the distributions stays below Kolmogorov's 0.1 % quantile, 1.95/√N.
    """
    horizon, site = 60, AHEAD.sites[0]
    total = sum(one.sum(axis=1) for one in needed(AHEAD, horizon, 7, N).values())
    exact = stats.nbinom(site.shape, site.days / (site.days + horizon))
    ks = range(40)
    distance = max(abs(float((total <= k).mean()) - exact.cdf(k)) for k in ks)
    assert distance < 1.95 / np.sqrt(N)


def test_a_product_that_one_arm_takes_is_a_thinned_stream_where_blocks_are_single_places() -> None:
    """A list of one arm alone has no blocks: two vials a dose, doses of days 1 and 8 in a known stream.

    At a rate that is known (shape and days large) each day's doses are Poisson; the mean of all is
    2·λ·((H) + (H - 7)), its variance from subjects who give 2 or 4 vials.
    """
    rate, horizon = 0.2, 50
    ahead = replace(
        AHEAD, ratio=("active",), vials={"active": {1: ("drug", 2), 8: ("drug", 2)}},
        sites=(SiteRate(shape=rate * 1e8, days=1e8),),
    )  # fmt: skip
    total = needed(ahead, horizon, 3, N)["drug"].sum(axis=1)
    twice, once = rate * (horizon - 7), rate * 7
    mean, variance = 4 * twice + 2 * once, 16 * twice + 4 * once
    assert abs(total.mean() - mean) < 4 * np.sqrt(variance / N)
    assert abs(total.var() / variance - 1) < 0.15


def test_two_subjects_of_one_block_take_one_vial_of_each_product() -> None:
    """Blocks of two are kept: whoever is first, the other is of the other arm."""
    pair = [Ongoing(place=place, due={1: 3}) for place in (4, 5)]
    none = (SiteRate(shape=1e-9, days=1.0),)
    need = needed(replace(AHEAD, block_repeats=(1,), sites=none, n_taken=6, ongoing=pair), 10, 1, 500)
    assert all((one[:, 3] == 1).all() for one in need.values())
    apart = [Ongoing(place=place, due={1: 3}) for place in (3, 4)]
    need = needed(replace(AHEAD, block_repeats=(1,), sites=none, n_taken=6, ongoing=apart), 10, 1, 500)
    assert set(need["drug"][:, 3]) == {0, 1, 2}


@pytest.mark.parametrize("repeats", [(1,), (1, 3), (2,)])
def test_a_drawn_list_keeps_the_ratio_of_its_blocks(repeats: tuple[int, ...]) -> None:
    """At 2:1, 30 places in blocks of 3 hold 20; in blocks of 9 never farther than one block's worth from it."""
    everybody = [Ongoing(place=place, due={1: 0}) for place in range(30)]
    ahead = replace(
        AHEAD, ratio=("active", "active", "control"), block_repeats=repeats, n_taken=30, ongoing=everybody,
        sites=(SiteRate(shape=1e-9, days=1.0),),
    )  # fmt: skip
    found = needed(ahead, 1, 5, 800)["drug"].sum(axis=1)
    assert abs(found - 20).max() <= max(repeats)
    assert repeats != (1,) or (found == 20).all()


def test_doses_to_come_are_lost_with_whoever_stops() -> None:
    """Of three doses to come, (1 - s) + (1 - s)² + (1 - s)³ are expected; standard error from a count of 0 to 3."""
    stops, vials = 0.3, {"active": {1: ("drug", 1), 4: ("drug", 1), 8: ("drug", 1)}}
    ahead = replace(
        AHEAD, ratio=("active",), vials=vials, stops=stops, n_taken=1, sites=(SiteRate(shape=1e-9, days=1.0),),
        ongoing=[Ongoing(place=0, due={1: 0, 4: 3, 8: 7})],
    )  # fmt: skip
    total = needed(ahead, 20, 2, N)["drug"].sum(axis=1)
    assert abs(total.mean() - sum((1 - stops) ** k for k in (1, 2, 3))) < 4 * 1.5 / np.sqrt(N)


def test_running_out_and_what_to_order_are_those_of_the_negative_binomial() -> None:
    """One arm, one dose: P(more than s come within the lead time); and the order is the quantile of all until the
    horizon less the stock, as nothing of it is lost where the stock outlasts the delivery.
    """
    site, lead, horizon, stock = AHEAD.sites[0], 14, 90, 6
    need = needed(replace(AHEAD, ratio=("active",)), horizon, 11, N)["drug"]
    found = forecast(need, [(stock, 400)], lead, 0.05)
    p = stats.nbinom(site.shape, site.days / (site.days + lead)).sf(stock)
    assert abs(found.runs_out - p) < 4 * np.sqrt(p * (1 - p) / N)
    exact = stats.nbinom(site.shape, site.days / (site.days + horizon)).ppf([0.93, 0.97])
    assert exact[0] - stock <= found.order <= exact[1] - stock


def test_stock_that_expires_is_of_no_use_afterwards_and_is_used_first() -> None:
    """One vial a day: five that expire tonight cover one day, whatever lies behind them."""
    need = np.ones((3, 10), np.int64)
    found = forecast(need, [(4, 30), (5, 0)], 5, 0.05)
    assert found.runs_out == 0.0  # days 0; 1 to 4
    assert found.order == 5
    assert forecast(need, [(4, 30), (5, 0)], 6, 0.05).runs_out == 1.0
    assert list(found.usable[:2]) == [9, 4]
    assert (found.median, found.upper) == (10, 10)


def test_one_more_day_or_trial_leaves_the_others_as_they_were() -> None:
    """Counted randomness: a longer horizon and more trials begin with the same numbers."""
    short, long = needed(AHEAD, 40, 9, 50)["drug"], needed(AHEAD, 41, 9, 60)["drug"]
    assert (long[:50, :40] == short).all()


def test_the_forecast_does_not_know_the_list(tmp_path: Path) -> None:
    """Two vaults with other lists, the same steps: the same need, to the vial."""
    found, contents = [], []
    for secret in (1, 2):
        (tmp_path / str(secret)).mkdir()
        shop = Shop.opened(tmp_path / str(secret), secret=secret)
        shop.receive(*lots(20))
        for _ in range(6):
            kit = shop.dispensed(shop.enrolled())
            contents.append(shop.vault.contents(kit))
        shop.clock.move_to(shop.clock.at + timedelta(days=2))
        ahead = ahead_of(shop.conduct, SITE, shop.clock.at)
        assert len(ahead.ongoing) == 6
        assert ahead.ongoing[0].due == {4: 1, 8: 5, 11: 8, 15: 12, 18: 15, 22: 19, 25: 22}
        found.append(needed(ahead, 30, 1, 200))
    assert contents[:6] != contents[6:]
    assert all((found[0][name] == found[1][name]).all() for name in found[0])


def test_the_plan_s_outlook_is_the_record_s_before_anything_is_recorded(shop_file: Shop) -> None:
    """A site that has just opened expects what its plan does."""
    assert ahead_of(shop_file.conduct, SITE, shop_file.clock.at) == replace(
        ahead_of_plan(shop_file.file, SITE, 0.5), ongoing=[]
    )


@pytest.fixture
def shop_file(tmp_path: Path) -> Shop:
    return Shop.opened(tmp_path)
