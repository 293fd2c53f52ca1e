"""The door to a protocol: a built-in's name or a path goes in, a checked protocol comes out, or one clear message."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, final

from pydantic import ValidationError

from sevenfold.errors import InvalidInput
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.reading import Citation, Document, read_document
from sevenfold.protocol.reading import Path as Place

__all__ = ["FORMAT", "ProtocolFile", "built_in", "load", "parse"]

FORMAT: Final = 1
_LARGEST: Final = 4_000_000  # bytes
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


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolFile:
    """A protocol with the file it was read from.

    Args:
        name: of the file, for messages.
        text: as read.
        citations: where its numbers come from, by path.
        lines: the line of every value, by path.
    """

    protocol: Protocol
    name: str
    text: str
    citations: Mapping[Place, Citation]
    lines: Mapping[Place, int]

    @property
    def sha256(self) -> str:
        """Of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def built_in() -> tuple[str, ...]:
    """The names of the protocols that the package ships."""
    folder = files(__package__).joinpath("library")
    return tuple(sorted(p.name.removesuffix(".yaml") for p in folder.iterdir() if p.name.endswith(".yaml")))


def load(name: str) -> ProtocolFile:
    """A built-in protocol by its name, or one from a file by its path.

    Raises:
        InvalidInput: no such built-in or file, not readable, or not a protocol; every fault with its line.
    """
    if name in built_in():
        text = files(__package__).joinpath("library", f"{name}.yaml").read_text(encoding="utf-8")
        return parse(text, f"{name}.yaml")
    path = Path(name)
    try:
        if name and path.is_file():
            if path.stat().st_size > _LARGEST:
                raise InvalidInput(f"{path} is larger than {_LARGEST // 1_000_000} MB; a protocol is a short text.")
            raw = path.read_bytes()
            return parse(raw.decode("utf-8-sig"), path.name)
        is_other = bool(name) and path.exists()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{path}, line {line}: not UTF-8 text (byte {error.start}); save it as UTF-8.") from None
    except OSError as error:
        raise InvalidInput(f"{_shortened(name)} cannot be read: {error.strerror}.") from None
    if is_other:
        raise InvalidInput(f"{name} is a folder or a device; a protocol is a file.")
    near = get_close_matches(name.casefold(), built_in(), n=1)
    hint = f" Did you mean the built-in {near[0]!r}?" if near else ""
    raise InvalidInput(
        f"There is no protocol {name!r}: no such file, and the built-in ones are {', '.join(built_in())}.{hint}"
    )


def parse(text: str, name: str) -> ProtocolFile:
    """A protocol from its text.

    Raises:
        InvalidInput: every fault found, each with its line.
    """
    document = read_document(text, name)
    if not isinstance(document.values, dict):
        raise InvalidInput(
            f"{name}, line 1: a protocol is a mapping of keys to values, found {_found(document.values)}."
        )
    _check_format(document)
    try:
        protocol = Protocol.model_validate(document.values)
    except ValidationError as error:
        raise InvalidInput("\n".join(_messages(error, document))) from None
    return ProtocolFile(protocol=protocol, name=name, text=text, citations=document.citations, lines=document.lines)


def _check_format(document: Document) -> None:
    found = document.values.get("format")
    if isinstance(found, int) and not isinstance(found, bool) and found > FORMAT:
        raise InvalidInput(
            f"{document.name}, line {document.line(('format',))}: format {found} is newer than this version of "
            "Sevenfold reads "
            f"(format {FORMAT}); install a newer version."
        )


def _messages(error: ValidationError, document: Document) -> list[str]:
    found: dict[tuple[int, str], None] = {}
    faults = error.errors(include_url=False)
    for fault in faults:
        here = fault["loc"]
        if fault["type"] == "too_short" and any(f["loc"][: len(here)] == here and f["loc"] != here for f in faults):
            continue  # it is short only because of the faults within it, which are told
        place = _place(fault["loc"], document.values) + tuple(fault.get("ctx", {}).get("at", ()))
        found[
            document.line(place), f"{document.name}, line {document.line(place)}: {_where(place)}{_what(dict(fault))}"
        ] = None
    return [message for _, message in sorted(found)]


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
            return f"should have at least {n} {'entry' if n == 1 else 'entries'}; found {_found(fault['input'])}."
    said = str(fault["msg"]).replace("Input should be", "should be").replace("String should", "should")
    return f"{_WANTED.get(fault['type'], said)}; found {_found(fault['input'])}."


def _found(value: Any) -> str:
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
    return _shortened(repr(value))


def _shortened(text: str) -> str:
    return text if len(text) < 60 else text[:57] + "..."
