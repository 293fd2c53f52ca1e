"""What lies ahead of a site, as far as everybody may know it: the forecast's input, from the protocol and the record.

Of those who are in the trial it takes the place on the list, which doses are still due, and no arm.
"""

from datetime import datetime
from typing import Final

from sevenfold.protocol.load import ProtocolFile
from sevenfold.protocol.protocol import Protocol
from sevenfold.rules.dosing import vials_for, volume_for
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.enrolling import stratum_of
from sevenfold.trial.resupply import Ahead, Ongoing, SiteRate
from sevenfold.trial.subject import Standing
from sevenfold.trial.timing import study_day_of

__all__ = ["ahead_of", "ahead_of_plan", "share_randomised"]

_DAYS_A_MONTH: Final = 365.25 / 12
_PRIOR_DAYS: Final = 60.0  # of the planned rate: it weighs as much as two months of what was seen
_STOPPED, _GONE_ON = 1.0, 19.0  # prior of stopping before the next dose: one in twenty, as if seen in twenty doses
_WEIGHT_KG: Final = 80.0  # until somebody was weighed


def ahead_of_plan(file: ProtocolFile, site: str, randomised: float) -> Ahead:
    """What lies ahead of a site before anything was recorded: the plan alone.

    Args:
        randomised: the share of those screened who are randomised.
    """
    p = file.protocol
    return Ahead(
        ratio=_ratio(p),
        block_repeats=p.randomisation.block_repeats,
        vials=_vials(p, _WEIGHT_KG),
        sites=tuple(_rate(p, one, randomised, 0, 0.0) for one in _of_stratum(file, site)),
        n_taken=0,
        n_left=p.population.planned,
        stops=_STOPPED / (_STOPPED + _GONE_ON),
        ongoing=(),
    )


def ahead_of(conduct: Conduct, site: str, now: datetime) -> Ahead:
    """What lies ahead of a site now: rates and stops as they were seen, beginning from the plan's."""
    p, stratum = conduct.file.protocol, stratum_of(conduct.file, site)
    standings = dict(list(conduct.standings.items()))  # others take steps meanwhile
    sites = {name: conduct.site_of(name) for name in standings}
    inside = {name: one for name, one in standings.items() if one.number is not None}
    opened = {
        str(event.site): datetime.fromisoformat(event.happened_at) for event in conduct.ledger.of_type("SiteOpened")
    }
    share = share_randomised(len(inside), len(standings))
    rates = []
    for one in _of_stratum(conduct.file, site):
        n = sum(sites[name] == one for name in inside)
        days = (now - opened[one]).total_seconds() / 86_400.0 if one in opened else 0.0
        rates.append(_rate(p, one, share, n, max(days, 0.0)))
    weights = [one.weight_kg for one in inside.values()]
    gone_on = sum(len(one.dispensed) for one in inside.values())
    stopped = sum(
        len(one.dispensed) < len(p.dosing_days) and (one.is_over or not one.is_dosing) for one in inside.values()
    )
    zone = conduct.zone(site)
    ongoing = [
        Ongoing(place=_place(one), due=due)
        for name, one in inside.items()
        if sites[name] == site and one.is_dosing and not one.is_over
        if (due := _due(p, one, study_day_of(one, now, zone) or 1))
    ]
    return Ahead(
        ratio=_ratio(p),
        block_repeats=p.randomisation.block_repeats,
        vials=_vials(p, sum(weights) / len(weights) if weights else _WEIGHT_KG),
        sites=tuple(rates),
        n_taken=sum(stratum_of(conduct.file, str(sites[name])) == stratum for name in inside),
        n_left=max(p.population.planned - len(inside), 0),
        stops=(stopped + _STOPPED) / (stopped + _STOPPED + gone_on + _GONE_ON),
        ongoing=ongoing,
    )


def share_randomised(n_randomised: int, n_screened: int) -> float:
    """Of those screened, how many are randomised: the mean after a uniform prior."""
    return (n_randomised + 1.0) / (n_screened + 2.0)


def _of_stratum(file: ProtocolFile, site: str) -> list[str]:
    """The sites of a site's stratum, that site first."""
    stratum = stratum_of(file, site)
    return [site, *(one for one in file.protocol.sites if one != site and stratum_of(file, one) == stratum)]


def _rate(p: Protocol, site: str, share: float, n: int, days: float) -> SiteRate:
    planned = p.sites[site][1].screened_per_month / _DAYS_A_MONTH * share
    return SiteRate(shape=planned * _PRIOR_DAYS + n, days=_PRIOR_DAYS + days)


def _ratio(p: Protocol) -> tuple[str, ...]:
    return tuple(arm for arm, count in p.randomisation.ratio.items() for _ in range(count))


def _vials(p: Protocol, weight_kg: float) -> dict[str, dict[int, tuple[str, int]]]:
    """Of every arm and dosing day, the product and how many vials a subject of this weight takes."""
    found: dict[str, dict[int, tuple[str, int]]] = {arm.id: {} for arm in p.arms}
    for day in p.dosing_days:
        wanted = vials_for(p, day, volume_for(p, day, weight_kg, {}).volume_ml)
        for arm in p.arms:
            product = arm.product_on(day)
            found[arm.id][day] = (product, wanted[product])
    return found


def _place(standing: Standing) -> int:
    """On the stratum's list, from 0: the randomisation number says it."""
    return int(str(standing.number).rpartition("-")[2]) - 1


def _due(p: Protocol, standing: Standing, today: int) -> dict[int, int]:
    """Doses to come, and in how many days."""
    done = standing.dispensed.keys() | standing.dose_days
    last = max(done, default=0)
    return {day: max(day - today, 0) for day in p.dosing_days if day > last and day not in done and day >= today - 1}
