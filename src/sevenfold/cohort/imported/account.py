"""The account of an import: what was read, kept and left out with the reason; it closes, or nothing is made."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from sevenfold.errors import InvalidInput

__all__ = ["Account", "Ledger", "RowCount", "Trouble"]

_SHOWN: Final = 20


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A row that cannot be read as what it should be.

    Args:
        where: file and line (or row).
        subject: whose it is; None where that itself is not known.
        column: the column in question.
        found: what stands there.
        wanted: what would be right, and what to do.
        reason: in short, for counting.
    """

    where: str
    subject: str | None
    column: str
    found: str
    wanted: str
    reason: str
    visit: str | None = None

    @property
    def message(self) -> str:
        """In a sentence."""
        whose = "" if self.subject is None else f" subject {self.subject},"
        when = "" if self.visit is None else f" visit {self.visit!r},"
        return f"{self.where},{whose}{when} column {self.column!r}: {self.found}; {self.wanted}."


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RowCount:
    """What became of the rows of a table, or of the subjects.

    Args:
        what: they are, in words.
        source: the file.
        left_out: reason -> number.
    """

    what: str
    source: str
    n_read: int
    n_kept: int
    left_out: Mapping[str, int]

    def __post_init__(self) -> None:
        if self.n_read != self.n_kept + sum(self.left_out.values()):
            raise InvalidInput(
                f"{self.what}: {self.n_read} read are not {self.n_kept} kept and {sum(self.left_out.values())} left "
                "out; this is a mistake of the program."
            )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything that was read, kept and left out.

    Args:
        counts: subjects first, then each part of the mapping in order.
        troubles: rows that were left out because they could not be read, each with what to do.
        tables: files that were read.
        notes: what a reader must know of how values were made.
    """

    counts: tuple[RowCount, ...]
    troubles: tuple[Trouble, ...]
    tables: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    @property
    def subjects(self) -> RowCount:
        """The subjects' own count."""
        return self.counts[0]


@final
@dataclass(slots=True)
class Ledger:
    """An account while it is kept."""

    is_refused: bool
    counts: list[RowCount] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def close(self, tables: Iterable[Path]) -> Account:
        """The account.

        Raises:
            InvalidInput: there is trouble and it is not to be left out; every one named, up to a number.
        """
        if self.troubles and self.is_refused:
            shown = [trouble.message for trouble in self.troubles[:_SHOWN]]
            more = len(self.troubles) - len(shown)
            tail = [f"… and {more} more of the same kinds."] if more else []
            raise InvalidInput(
                "\n".join(
                    [
                        f"{len(self.troubles)} values of the data cannot be read as what they should be:",
                        *shown,
                        *tail,
                        "Mend the data or the mapping; 'trouble: leave out' in the mapping leaves these rows out, "
                        "counted and listed in the report.",
                    ]
                )
            )
        notes = tuple(f"{text} ({n})" for text, n in sorted(self.notes.items()))
        return Account(counts=tuple(self.counts), troubles=tuple(self.troubles), tables=tuple(tables), notes=notes)
