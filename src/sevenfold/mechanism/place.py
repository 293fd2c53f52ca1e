"""Where in a model's file something is said, and the error that points there."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, final

from sevenfold.errors import InvalidDesign

__all__ = ["InvalidModel", "Place", "of_function", "of_traceback"]


@final
@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file."""

    file: str
    line: int


@final
class InvalidModel(InvalidDesign):
    """A model that contradicts itself.

    Args:
        message: what was found, and the way out.
        place: the line, where it is known.
        name: the name that is wrong, as the file writes it.
    """

    def __init__(self, message: str, *, place: Place | None = None, name: str | None = None) -> None:
        super().__init__(message)
        self.place = place
        self.name = name


def of_function(function: Callable[..., Any]) -> Place | None:
    """Where a page's function begins."""
    code = getattr(function, "__code__", None)
    return None if code is None else Place(code.co_filename, code.co_firstlineno)


def of_traceback(traceback: TracebackType | None, file: str) -> Place | None:
    """The innermost line of ``file`` that an error came through."""
    found = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            found = Place(file, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found
