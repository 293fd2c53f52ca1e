"""A person who works in the trial, as the pages know them."""

from dataclasses import dataclass
from typing import final

from sevenfold.service.role import RIGHTS, Right, Role

__all__ = ["Person"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with one role, at one site or over the whole trial.

    Args:
        id: what the ledger calls them.
        login: what they type; usually an e-mail address.
        site: None for people of the whole trial.
    """

    id: str
    login: str
    name: str
    role: Role
    site: str | None
    is_suspended: bool = False
    has_begun: bool = True

    @property
    def actor(self) -> str:
        """As events name the one who acts."""
        return f"{self.role.value} {self.id}"

    def may(self, right: Right) -> bool:
        """Whether the role has a right."""
        return right in RIGHTS[self.role]

    def sees(self, site: str | None) -> bool:
        """Whether what belongs to a site may be shown: site people see their own alone."""
        return self.site is None or self.site == site
