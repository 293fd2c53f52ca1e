"""Safety: what monitoring raises, serious events judged and reported, treatments that were or may have been seen."""

from typing import Literal

from sevenfold.record.kinds.kind import Payload

__all__ = [
    "AuthorityInformed",
    "EmergencyUnblinded",
    "EnvelopeOpened",
    "MonitoringRaised",
    "NoticeSeen",
    "PossiblyUnblinded",
    "SeriousEventAssessed",
    "SusarUnblinded",
    "TreatmentGuessed",
]


class MonitoringRaised(Payload):
    """A monitoring rule has found what it looks for; it lands in the queue of the role that must act.

    Args:
        rule: its id in the protocol.
        to: the role.
        action: what the role must do.
        because: what was found.
    """

    rule: str
    to: str
    action: str
    because: str


class SeriousEventAssessed(Payload):
    """The medical monitor, who is blind, has judged a serious adverse event.

    Args:
        of: the number of the event that reported it.
        is_related: whether the treatment may have caused it.
        is_expected: whether it is among what the protocol or the investigator's brochure expects.
    """

    of: int
    is_related: bool
    is_expected: bool
    comment: str


class SusarUnblinded(Payload):
    """The safety role behind the firewall has asked for the treatment of a subject with a suspected unexpected serious
    adverse reaction, for the authority. It does not say what was shown.
    """

    of: int


class AuthorityInformed(Payload):
    """A report on a serious event went to the authority."""

    of: int
    reference: str
    is_follow_up: bool


class EmergencyUnblinded(Payload):
    """Somebody asked for the treatment of one subject, in an emergency. It is recorded before anything is shown, and
    does not say what was shown.

    Args:
        asked_by: name and function of the person who asked, as they gave them.
        reason: why the treatment must be known.
    """

    asked_by: str
    reason: str


class EnvelopeOpened(Payload):
    """A sealed envelope was opened at the bedside, without the server. It is recorded afterwards; the event's
    ``happened_at`` is when it was opened.

    Args:
        asked_by: name and function of the person who opened it.
        reason: why the treatment had to be known.
    """

    asked_by: str
    reason: str


class NoticeSeen(Payload):
    """Somebody of the sponsor has taken note that a subject's treatment was shown in an emergency.

    Args:
        of: the number of the event that recorded the emergency.
    """

    of: int


class PossiblyUnblinded(Payload):
    """Somebody who must be blind has seen what may betray the treatment, such as a count ordered for care."""

    who: str
    what: str


class TreatmentGuessed(Payload):
    """What somebody takes the treatment to be, asked to see whether the blind held."""

    by: Literal["patient", "investigator", "nurse"]
    guess: Literal["active", "comparator", "does not know"]
