"""Cells of a CSV that somebody opens in a spreadsheet: what a person typed is never worked out as a formula."""

from typing import Any, Final

__all__ = ["safe_cell"]

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: Any) -> Any:
    """A number as it is, nothing as nothing, and a text behind an apostrophe where a spreadsheet would work it out."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_BEGINS_A_FORMULA) else value
