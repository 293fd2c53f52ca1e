"""Who may work in the trial."""

from typing import Literal

from sevenfold.record.kinds.kind import Payload

__all__ = ["PersonAdmitted", "PersonChanged"]


class PersonAdmitted(Payload):
    """Somebody may work in the trial from now on.

    Args:
        person: the id that events name.
        name: printed with everything that the person signs.
        site: None for people of the whole trial.
    """

    person: str
    name: str
    role: str
    site: str | None


class PersonChanged(Payload):
    """Something about a person's access was changed.

    Args:
        change: ``suspended``, ``restored``, ``second factor renewed``, ``password changed``, ``token made`` or
            ``token revoked``.
    """

    person: str
    change: Literal["suspended", "restored", "second factor renewed", "password changed", "token made", "token revoked"]
    reason: str
