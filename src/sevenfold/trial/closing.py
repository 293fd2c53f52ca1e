"""The end of a trial on the record: its data are locked, and the blind is lifted for everybody."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sevenfold.errors import OutOfOrder
from sevenfold.record.payloads import DatabaseLocked, DataLocked, DataUnlocked, Unblinded
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.signing import check_signed
from sevenfold.trial.subject import Standing

__all__ = ["lock_database", "lock_site", "unblind_trial", "unlock_site"]


def lock_site(conduct: Conduct, site: str, happened: datetime, unsigned: str | None = None) -> None:
    """Close the data of a site: of every subject who is there, and nobody new is screened.

    Args:
        unsigned: why nobody there can sign.

    Raises:
        OutOfOrder: somebody's part is not over, a query is open, or data are not signed; the site is locked already.
    """
    here = [standing for standing in conduct.standings.values() if conduct.site_of(standing.subject) == site]
    _check_at_rest(here, f"Site {site}")
    reasons = {} if unsigned is None else {site: unsigned}
    why = check_signed(conduct, here, reasons, f"Site {site}")
    said = DataLocked(scope="site", name=site, unsigned_because=unsigned if why else None)
    _say_locked(conduct, said, why, happened, site)


def unlock_site(conduct: Conduct, site: str, reason: str, happened: datetime) -> None:
    """Open the data of a site again.

    Raises:
        OutOfOrder: they are not locked, or the database is.
    """
    conduct.say_of_trial(DataUnlocked(scope="site", name=site, reason=reason), "data manager", happened, site)


def _check_at_rest(standings: Sequence[Standing], what: str) -> None:
    """Refuse a lock while somebody's part is not over, or a query is open, to the laboratory too."""
    open_ones = [s.subject for s in standings if s.number is not None and not s.is_over]
    if open_ones:
        raise OutOfOrder(
            f"{what} cannot be locked: {open_ones[0]} and {len(open_ones) - 1} more are still in the trial."
        )
    asked = [s for s in standings if s.n_open_queries]
    if asked:
        n = sum(standing.n_open_queries for standing in asked)
        raise OutOfOrder(f"{what} cannot be locked: {n} queries are open, the first of {asked[0].subject}.")
    sealed = [s for s in standings if s.asked_of_laboratory]
    if sealed:
        raise OutOfOrder(
            f"{what} cannot be locked: the laboratory has a question open on masked results of {sealed[0].subject}."
        )


def _say_locked(
    conduct: Conduct,
    said: DataLocked | DatabaseLocked,
    unsigned: Iterable[str],
    happened: datetime,
    site: str | None = None,
) -> None:
    """Record a lock, unless the reason why subjects are not signed tells who one of them is."""
    if conduct.refuses is not None:
        for subject in unsigned:
            conduct.refuses(subject, said)
    conduct.say_of_trial(said, "data manager", happened, site)


def lock_database(conduct: Conduct, happened: datetime, unsigned: Mapping[str, str] | None = None) -> None:
    """Close the data. Every randomised subject must have come to an end and an investigator have signed the data, and
    every query been closed, those to the laboratory too.

    Args:
        unsigned: by site, why nobody there can sign.

    Raises:
        OutOfOrder: somebody's part is not over, a query is open, or data are not signed.
    """
    _check_at_rest(list(conduct.standings.values()), "The database")
    told = {site: why for site, why in conduct.whole.locked_sites.items() if why}
    reasons = told | dict(unsigned or {})
    why = check_signed(conduct, conduct.standings.values(), reasons, "The database")
    _say_locked(conduct, DatabaseLocked(n_subjects=conduct.n_randomised, unsigned=why), why, happened)


def unblind_trial(
    conduct: Conduct,
    assignments: Mapping[str, str],
    allocation_list: Mapping[str, list[str]],
    nonce: str,
    results_key: str,
    happened: datetime,
    vials: Mapping[str, Mapping[str, int]] | None = None,
) -> None:
    """Record the planned unblinding, after lock.

    Raises:
        OutOfOrder: the database is not locked.
    """
    nothing = Unblinded(assignments={}, allocation_list={}, commitment_nonce="", results_key="")
    conduct.check_of_trial(nothing, happened)
    by_subject = {s.subject: assignments[s.number] for s in conduct.standings.values() if s.number is not None}
    said = Unblinded(
        assignments=by_subject,
        allocation_list=dict(allocation_list),
        commitment_nonce=nonce,
        results_key=results_key,
        vials={kit: dict(lots) for kit, lots in (vials or {}).items()},
    )
    conduct.say_of_trial(said, "sponsor and IDMC statistician", happened)
