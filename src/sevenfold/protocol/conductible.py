"""Whether a trial can be rehearsed or run here: what a protocol that is only analysed may leave out."""

from sevenfold.errors import InvalidInput
from sevenfold.protocol.endpoint import BUILT_IN_EVENTS
from sevenfold.protocol.protocol import Protocol

__all__ = ["check_conductible"]

_STRATA = ("country", "site")


def check_conductible(protocol: Protocol) -> None:
    """Refuse to rehearse or run a trial whose file says too little for it.

    Raises:
        InvalidInput: what is missing, and what would be right.
    """
    unknown = sorted({event for e in protocol.endpoints for event in e.events} - set(BUILT_IN_EVENTS))
    other = [name for name in protocol.randomisation.strata if name not in _STRATA]
    if protocol.is_described_in_words:
        why = "its arms' treatments are words; give each arm its injections"
    elif not protocol.sites:
        why = "it has no sites; give the registered trials theirs"
    elif other:
        why = f"lists by {other[0]!r} are not drawn here; strata are {' and '.join(_STRATA)}"
    elif unknown:
        why = f"the event {unknown[0]!r} is not recorded here; events are {', '.join(BUILT_IN_EVENTS)}"
    else:
        return
    raise InvalidInput(
        f"{protocol.name} cannot be rehearsed or run: {why}. `sevenfold analyse` analyses data of such a trial."
    )
