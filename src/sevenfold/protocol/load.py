"""The door to a protocol: a built-in's name or a path goes in, a checked protocol comes out, or one clear message."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Final, final

from pydantic import ValidationError

from sevenfold.errors import InvalidInput
from sevenfold.protocol.faults import faults_in, found, shortened
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.reading import Citation, Document, read_document
from sevenfold.protocol.reading import Path as Place
from sevenfold.sealing import canonical_json

__all__ = ["FORMAT", "ProtocolFile", "built_in", "load", "parse"]

FORMAT: Final = 1
_LARGEST: Final = 4_000_000  # bytes


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

    @property
    def plan_sha256(self) -> str:
        """Of what was said of the plan, vials apart: how a product is packed changes no result of a trial."""
        said = self.protocol.model_dump(mode="json", exclude_unset=True)
        for product in said["products"].values():
            product.pop("vial", None)
        return hashlib.sha256(canonical_json(said)).hexdigest()


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
        raise InvalidInput(f"{shortened(name)} cannot be read: {error.strerror}.") from None
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
            f"{name}, line 1: a protocol is a mapping of keys to values, found {found(document.values)}."
        )
    _check_format(document)
    try:
        protocol = Protocol.model_validate(document.values)
    except ValidationError as error:
        raise InvalidInput("\n".join(faults_in(error, document))) from None
    return ProtocolFile(protocol=protocol, name=name, text=text, citations=document.citations, lines=document.lines)


def _check_format(document: Document) -> None:
    found = document.values.get("format")
    if isinstance(found, int) and not isinstance(found, bool) and found > FORMAT:
        raise InvalidInput(
            f"{document.name}, line {document.line(('format',))}: format {found} is newer than this version of "
            "Sevenfold reads "
            f"(format {FORMAT}); install a newer version."
        )
