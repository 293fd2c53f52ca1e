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
        is_by_one_hand: whether nobody else had to attest who it is, as while the trial was being set up, and as always
            in records of before.
    """

    person: str
    name: str
    role: str
    site: str | None
    is_by_one_hand: bool = True


class PersonChanged(Payload):
    """Something about a person's access was changed.

    Args:
        change: ``suspended``, ``restored``, ``renewal asked`` (an administrator asks for a new link), ``attested`` (by
            the actor: it is the person whom a link is for), ``second factor renewed``, ``password changed``,
            ``token made`` (granted by the actor), ``token taken`` (by the person) or ``token revoked``.
    """

    person: str
    change: Literal[
        "suspended", "restored", "renewal asked", "attested", "second factor renewed", "password changed",
        "token made", "token taken", "token revoked",
    ]  # fmt: skip
    reason: str
