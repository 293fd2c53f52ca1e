"""The beginning of a trial on the record: it is opened, and then its sites, one by one."""

from datetime import datetime

from sevenfold import __version__
from sevenfold.errors import InvalidInput
from sevenfold.protocol.registered import RegisteredTrial, Site
from sevenfold.record.payloads import SiteOpened, TrialOpened
from sevenfold.trial.conduct import Conduct

__all__ = ["open_site", "open_trial", "place_of"]


def open_trial(conduct: Conduct, happened: datetime, *, is_rehearsal: bool) -> None:
    """The first event: the protocol, and what is committed to."""
    said = TrialOpened(
        protocol=conduct.file.protocol.name,
        protocol_sha256=conduct.file.sha256,
        planned=conduct.file.protocol.population.planned,
        allocation_commitment=conduct.allocator.commitment,
        signing_key=conduct.ledger.signer.public_key,
        software=f"sevenfold {__version__}",
        is_rehearsal=is_rehearsal,
    )
    conduct.say_of_trial(said, "sponsor", happened)


def open_site(conduct: Conduct, site: str, happened: datetime) -> None:
    """A site may screen."""
    trial, place = place_of(conduct, site)
    said = SiteOpened(
        name=place.name,
        city=place.city,
        country=trial.country,
        registered_trial=trial.id,
        time_zone=place.time_zone,
    )
    conduct.say_of_trial(said, "sponsor", happened, site)


def place_of(conduct: Conduct, site: str) -> tuple[RegisteredTrial, Site]:
    """A site of the protocol, with the registered trial that it belongs to.

    Raises:
        InvalidInput: the protocol has no such site.
    """
    sites = conduct.file.protocol.sites
    if site not in sites:
        raise InvalidInput(f"The protocol has no site {site!r}; its sites are {', '.join(sites)}.")
    return sites[site]
