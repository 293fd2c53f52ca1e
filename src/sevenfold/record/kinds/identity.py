"""That the site keeps who a subject is, and that it does no longer. Who it is stands nowhere in the record."""

from typing import Literal

from sevenfold.record.kinds.kind import Payload

__all__ = ["DestroyedBecause", "IdentityDestroyed", "IdentityKept"]

DestroyedBecause = Literal["the subject asked for it", "the retention has ended", "it was entered by mistake"]


class IdentityKept(Payload):
    """The site's list says who the subject is, from now on or otherwise than before."""


class IdentityDestroyed(Payload):
    """The key of the subject's entry was destroyed: nobody can tell any more who the subject is.

    Args:
        reason: one of a few, so that it can hold no name.
    """

    reason: DestroyedBecause
