"""What a checker found wrong in a file, in its writer's words: the line, what stands there, what would be right."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from sevenfold.protocol.reading import Document
from sevenfold.protocol.reading import Path as Place

__all__ = ["faults_in", "found", "shortened"]

_WANTED: Final = {  # what a checker's kind of fault means, in the words of somebody who writes a protocol
    "string_type": "should be text", "int_type": "should be a whole number", "int_parsing": "should be a whole number",
    "float_type": "should be a number", "bool_type": "should be true or false",
    "date_type": "should be a date, such as 2027-01-31", "tuple_type": "should be a list",
    "dict_type": "should be a mapping of keys to values", "model_type": "should be a mapping of keys to values",
    "model_attributes_type": "should be a mapping of keys to values", "string_too_short": "must not be empty",
    "int_parsing_size": "is too large a number",
    "string_pattern_mismatch": "should begin with a letter or a digit and go on with letters, digits, spaces, "
    "dots, hyphens and underscores",
}  # fmt: skip


def faults_in(error: ValidationError, document: Document) -> list[str]:
    """One line a fault, in the order of the file: where it stands, what was found and what would be right."""
    told: dict[tuple[int, str], None] = {}
    faults = error.errors(include_url=False)
    for fault in faults:
        here = fault["loc"]
        if fault["type"] == "too_short" and any(f["loc"][: len(here)] == here and f["loc"] != here for f in faults):
            continue  # it is short only because of the faults within it, which are told
        place = _place(fault["loc"], document.values) + tuple(fault.get("ctx", {}).get("at", ()))
        told[
            document.line(place), f"{document.name}, line {document.line(place)}: {_where(place)}{_what(dict(fault))}"
        ] = None
    return [message for _, message in sorted(told)]


def _place(location: tuple[int | str, ...], values: Any) -> Place:
    """The path in the file that a location of the checker means: without the names of alternatives it went through."""
    place: list[int | str] = []
    for step in location:
        inner = _within(values, step)
        if inner is not None:
            values = inner[0]
            place.append(step)
        elif step == location[-1] and isinstance(values, Mapping):
            place.append(step)  # the missing key itself
    return tuple(place)


def _within(values: Any, step: int | str) -> tuple[Any] | None:
    if isinstance(values, Mapping):
        return (values[step],) if step in values else None
    if isinstance(values, tuple) and isinstance(step, int):
        return (values[step],) if step < len(values) else None
    return None


def _where(place: Place) -> str:
    words = [f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in place]
    return "".join(words).lstrip(".") + ": " if words else ""


def _what(fault: dict[str, Any]) -> str:
    match fault["type"]:
        case "missing":
            return "this key is missing."
        case "unknown_key" | "contradiction" | "quantity":
            said = str(fault["ctx"]["text"])
            return said if said.endswith("?") else f"{said}."
        case "too_short":
            n = fault["ctx"]["min_length"]
            return f"should have at least {n} {'entry' if n == 1 else 'entries'}; found {found(fault['input'])}."
    said = str(fault["msg"]).replace("Input should be", "should be").replace("String should", "should")
    return f"{_WANTED.get(fault['type'], said)}; found {found(fault['input'])}."


def found(value: Any) -> str:
    """A value as its writer would call it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case tuple() | list():
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            return f"a mapping of {len(value)}" if value else "an empty mapping"
        case dt.date():
            return value.isoformat()
    return shortened(repr(value))


def shortened(text: str) -> str:
    """At most 60 letters of a text."""
    return text if len(text) < 60 else text[:57] + "..."
