"""The door to a protocol: a built-in's name or a path goes in, a checked protocol comes out, or one clear message."""

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
    if not path.exists():
        near = get_close_matches(name, built_in(), n=1)
        hint = f" Did you mean the built-in {near[0]!r}?" if near else ""
        raise InvalidInput(
            f"There is no protocol {name!r}: no such file, and the built-in ones are {', '.join(built_in())}.{hint}"
        )
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8.") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None


def parse(text: str, name: str) -> ProtocolFile:
    """A protocol from its text.

    Raises:
        InvalidInput: every fault found, each with its line.
    """
    document = read_document(text, name)
    if not isinstance(document.values, dict):
        raise InvalidInput(
            f"{name}, line 1: a protocol is a mapping of keys to values, found a {type(document.values).__name__}."
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
    message = str(fault["msg"]).replace("Input should be", "should be").replace("String should", "should")
    shown = repr(fault["input"])
    return f"{message}; found {shown if len(shown) < 60 else shown[:57] + '...'}."
