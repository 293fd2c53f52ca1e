"""What the laboratory sends after the first results of a visit, in files and otherwise; of what is masked nothing is in
clear.
"""

from typing import Literal

from pydantic import Field

from sevenfold.record.kinds.kind import Payload

__all__ = ["FurtherMaskedResults", "LabFileImported", "SealedQueryAnswered", "SealedQueryRaised"]


class FurtherMaskedResults(Payload):
    """Masked results of a visit of which others had come before, sealed.

    Args:
        number: of what came further of the visit, from 1; each is sealed in a place of its own.
    """

    visit: str
    study_day: int
    sealed: str
    number: int = Field(default=1, exclude_if=lambda number: number == 1)


class SealedQueryRaised(Payload):
    """The laboratory has sent another value of a masked test than is recorded. What both are is sealed, and which test
    it is.

    Args:
        number: of the subject's sealed queries, from 1.
    """

    number: int
    visit: str
    sealed: str


class SealedQueryAnswered(Payload):
    """The laboratory has said which of the two values is right and why; all of it is sealed, so that nobody sees
    whether a value was put right.
    """

    number: int
    visit: str
    sealed: str


class LabFileImported(Payload):
    """Results were recorded from a file.

    The hash of a file of few masked values would let anybody try which values give it; it is sealed.

    Args:
        holds: ``open`` results, of a site, or ``masked`` ones, of the laboratory.
        sha256: of the file; None where it holds masked results.
        sealed: the same, sealed; None where it does not.
        number: of the files of masked results, from 1; each hash is sealed in a place of its own.
        n_rows: of the file.
        n_recorded: results that were not there before.
        n_same: rows that said what is recorded already.
        n_asked: rows that said something else, and became queries.
        n_unreadable: rows of which nothing was recorded.
    """

    holds: Literal["open", "masked"]
    sha256: str | None
    sealed: str | None
    n_rows: int
    n_recorded: int
    n_same: int
    n_asked: int
    n_unreadable: int
    number: int = Field(default=1, exclude_if=lambda number: number == 1)
