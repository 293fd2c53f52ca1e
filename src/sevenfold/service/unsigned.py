"""Subjects whose part is over and whose data no investigator has signed: the lock waits for them."""

from dataclasses import dataclass, field
from typing import final

from sevenfold.service.people.person import Person
from sevenfold.service.room import Room

__all__ = ["Unsigned", "unsigned"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """What the lock waits for.

    Args:
        by_site: subjects whose part is over and whose data want a signature, in the order of the record.
        n_going_on: randomised subjects whose part is not over.
    """

    by_site: dict[str, list[str]] = field(default_factory=dict)
    n_going_on: int = 0

    @property
    def n(self) -> int:
        """Subjects who want a signature."""
        return sum(map(len, self.by_site.values()))


def unsigned(room: Room, person: Person) -> Unsigned:
    """Of the subjects whom a person may count."""
    by_site: dict[str, list[str]] = {}
    n_going_on = 0
    for name in room.subjects(person):
        standing = room.conduct.standings[name]
        if standing.number is None:
            continue
        if not standing.is_over:
            n_going_on += 1
        elif not standing.is_signed and standing.unsigned_because is None:
            by_site.setdefault(str(room.conduct.site_of(name)), []).append(name)
    return Unsigned(by_site=dict(sorted(by_site.items())), n_going_on=n_going_on)
