"""How a candidate comes into the trial: held against the criteria, asked for consent, randomised."""

from dataclasses import asdict
from datetime import datetime

from sevenfold.errors import OutOfOrder
from sevenfold.protocol.load import ProtocolFile
from sevenfold.record.payloads import CandidateScreened, ConsentGiven, ConsentRefused, Randomised, UnmetCriterion
from sevenfold.rules.eligibility import Unmet, unmet_criteria
from sevenfold.rules.screening import Screening
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.opening import place_of

__all__ = ["randomise_subject", "record_consent", "screen_candidate", "stratum_of"]


def stratum_of(file: ProtocolFile, site: str) -> str:
    """The stratum of a subject of this site."""
    trial, _ = file.protocol.sites[site]
    words = {"country": trial.country, "site": site}
    return " / ".join(words[name] for name in file.protocol.randomisation.strata) or "all"


def screen_candidate(conduct: Conduct, subject: str, site: str, known: Screening) -> tuple[Unmet, ...]:
    """Hold a candidate against the criteria in force at the site; answers those that are not met."""
    p = conduct.file.protocol
    place_of(conduct, site)
    unmet = unmet_criteria(p.criteria_at(site, known.at.date()), known, p)
    said = CandidateScreened(
        amendments=list(p.amendments_at(site, known.at.date())),
        known=known.as_payload(),
        unmet=[UnmetCriterion(**asdict(one)) for one in unmet],
    )
    conduct.record(subject, said, "investigator", known.at, site)
    return unmet


def record_consent(conduct: Conduct, subject: str, by: str | None, happened: datetime) -> None:
    """Consent by ``patient`` or ``representative``; None for a refusal."""
    conduct.record(
        subject,
        ConsentRefused() if by is None else ConsentGiven.model_validate({"by": by}),
        "investigator",
        happened,
    )


def randomise_subject(conduct: Conduct, subject: str, happened: datetime) -> str:
    """Take the next place of the subject's stratum; answers the randomisation number.

    Raises:
        OutOfOrder: no consent, randomised already, or the planned number is reached.
    """
    site = conduct.site_of(subject)
    stratum = "" if site is None else stratum_of(conduct.file, site)
    conduct.check(subject, Randomised(number="", stratum=stratum), happened)
    if conduct.n_randomised >= conduct.file.protocol.population.planned:
        raise OutOfOrder(f"{subject} cannot be randomised: the planned {conduct.n_randomised} subjects have been.")
    number = conduct.allocator.allocate(stratum)
    conduct.record(subject, Randomised(number=number, stratum=stratum), "investigator", happened)
    return number
