"""The tree of errors: each names the thing, what was found and the way out."""

__all__ = [
    "AuditBroken",
    "BlindBroken",
    "InvalidDesign",
    "InvalidInput",
    "NotConverged",
    "OutOfOrder",
    "SevenfoldError",
    "Unavailable",
]


class SevenfoldError(Exception):
    """Anything Sevenfold refuses, said in a sentence that its user can act on."""


class InvalidDesign(SevenfoldError, ValueError):
    """A trial, a model or an analysis that contradicts itself, found when it was put together."""


class InvalidInput(SevenfoldError, ValueError):
    """A file, a value or a command that cannot be read as what it should be."""


class OutOfOrder(SevenfoldError):
    """A step of a trial that its record does not allow now, such as a dose before randomisation."""


class NotConverged(SevenfoldError):
    """A fit or an integration that did not reach its answer and was asked for it."""


class BlindBroken(SevenfoldError):
    """Something that must stay blind was asked for without the right to see it."""


class AuditBroken(SevenfoldError):
    """A ledger that is not what its chain or its signed head says."""


class Unavailable(SevenfoldError):
    """A database that cannot be reached or written just now; later it may."""
