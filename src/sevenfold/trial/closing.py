"""The end of a trial on the record: its data are locked, and the blind is lifted for everybody."""

from collections.abc import Mapping
from datetime import datetime

from sevenfold.errors import OutOfOrder
from sevenfold.record.payloads import DatabaseLocked, Unblinded
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.signing import check_signed

__all__ = ["lock_database", "unblind_trial"]


def lock_database(conduct: Conduct, happened: datetime, unsigned: Mapping[str, str] | None = None) -> None:
    """Close the data. Every randomised subject must have come to an end and an investigator have signed the data, and
    every query been closed, those to the laboratory too.

    Args:
        unsigned: by site, why nobody there can sign.

    Raises:
        OutOfOrder: somebody's part is not over, a query is open, or data are not signed.
    """
    open_ones = [s.subject for s in conduct.standings.values() if s.number is not None and not s.is_over]
    if open_ones:
        raise OutOfOrder(
            f"The database cannot be locked: {open_ones[0]} and {len(open_ones) - 1} more are still in the trial."
        )
    asked = [s for s in conduct.standings.values() if s.n_open_queries]
    if asked:
        n = sum(standing.n_open_queries for standing in asked)
        raise OutOfOrder(f"The database cannot be locked: {n} queries are open, the first of {asked[0].subject}.")
    sealed = [s for s in conduct.standings.values() if s.asked_of_laboratory]
    if sealed:
        raise OutOfOrder(
            f"The database cannot be locked: the laboratory has a question open on masked results of "
            f"{sealed[0].subject}."
        )
    why = check_signed(conduct.ledger, conduct.standings.values(), conduct.followed.sites, unsigned or {})
    said = DatabaseLocked(n_subjects=conduct.n_randomised, unsigned=why)
    if conduct.refuses is not None:
        for subject in why:
            conduct.refuses(subject, said)
    conduct.say_of_trial(said, "data manager", happened)


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
