"""From YAML text to plain values, with the line on which each one stands and what it cites.

Only what YAML 1.2 calls its core schema is read, plus dates, so that ``no`` is a word and ``1:30`` is text. A key that
stands twice is an error. Anything of a protocol may be written as ``{value: …, source: …, verified: …, note: …}``: the
value takes its place, and where it comes from is kept beside.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, Final, final

import yaml

from sevenfold.errors import InvalidInput

__all__ = ["Citation", "Document", "Path", "read_document"]

Path = tuple[str | int, ...]
_CITED: Final = frozenset({"value", "source", "verified", "note"})
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_DEEPEST: Final = 50  # levels of lists and mappings within each other, written out or through anchors
_MOST: Final = 50_000  # values, anchors written out; the built-in protocols have some 2000
_IN_WORDS: Final = {"int": "a whole number", "float": "a number", "timestamp": "a date, such as 2027-01-31"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a value comes from.

    Args:
        source: a text that was read, or None.
        verified: whether the value was read there; False for what was recalled or assumed.
        note: what a reader ought to know.
    """

    source: str | None
    verified: bool
    note: str | None

    @property
    def status(self) -> str:
        """``verified``, ``cited, not verified`` or ``assumption``."""
        if self.verified:
            return "verified"
        return "cited, not verified" if self.source else "assumption"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file as read.

    Args:
        name: of the file, for messages.
        values: mappings, tuples, texts, numbers, dates.
        lines: the line (from 1) of every value and, under the same path, of its key.
        citations: of every value that names one.
    """

    name: str
    values: Any
    lines: Mapping[Path, int]
    citations: Mapping[Path, Citation]

    def line(self, path: Path) -> int:
        """The line of a value; of the nearest thing around it where the value itself is missing."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """Resolves scalars as YAML 1.2's core schema does, and dates."""

    yaml_implicit_resolvers: Final = {}  # type: ignore[misc]


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"true|false", "tf"),
    ("tag:yaml.org,2002:null", r"~|null|", ["~", "n", ""]),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+0123456789."),
    ("tag:yaml.org,2002:timestamp", _DATE.pattern.removesuffix(r"\Z"), "0123456789"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), list(_first))


_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:bool": lambda text: text == "true",
    "tag:yaml.org,2002:null": lambda _text: None,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:timestamp": date.fromisoformat,
}


@final
@dataclass(slots=True)
class _Reader:
    """Walks the nodes of a document once."""

    name: str
    lines: dict[Path, int] = field(default_factory=dict)
    citations: dict[Path, Citation] = field(default_factory=dict)
    _above: list[yaml.Node] = field(default_factory=list)
    _count: int = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self._count += 1
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if any(node is one for one in self._above):
            raise self._refused(node, "an anchor refers to itself")
        if len(self._above) >= _DEEPEST:
            raise self._refused(node, f"lists and mappings stand more than {_DEEPEST} deep within each other")
        if self._count > _MOST:
            raise self._refused(node, f"with its anchors written out the file holds more than {_MOST} values")
        self._above.append(node)
        if isinstance(node, yaml.MappingNode):
            found = self._mapping(node, path)
        else:
            found = tuple(self.value(item, (*path, index)) for index, item in enumerate(node.value))
        self._above.pop()
        return found

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        shown = repr(node.value if len(node.value) <= 40 else f"{node.value[:37]}...")
        if any((ord(letter) < 32 and letter not in "\n\t") or 127 <= ord(letter) < 160 for letter in node.value):
            raise self._refused(node, f"{shown} holds a control character")
        try:
            return _SCALARS[node.tag](node.value)
        except (KeyError, ValueError):
            kind = node.tag.rsplit(":", 1)[-1]
            raise self._refused(node, f"{shown} is not readable as {_IN_WORDS.get(kind, kind)}") from None

    def _refused(self, node: yaml.Node, why: str) -> InvalidInput:
        return InvalidInput(f"{self.name}, line {node.start_mark.line + 1}: {why}.")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> Any:
        keys: dict[str, yaml.Node] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                raise InvalidInput(f"{self.name}, line {line}: a key must be a word, not a list or a mapping.")
            if key in keys:
                first = keys[key].start_mark.line + 1
                raise InvalidInput(
                    f"{self.name}, line {line}: key {key!r} stands here and on line {first}; keep one of them."
                )
            keys[key] = value_node
        if "value" in keys and set(keys) <= _CITED:
            return self._cited(keys, path)
        for key_node, _ in node.value:
            self.lines[(*path, key_node.value)] = key_node.start_mark.line + 1
        return {key: self.value(value_node, (*path, key)) for key, value_node in keys.items()}

    def _cited(self, keys: dict[str, yaml.Node], path: Path) -> Any:
        about = {key: self.value(node, (*path, "…", key)) for key, node in keys.items() if key != "value"}
        for key, kind in (("source", str), ("verified", bool), ("note", str)):
            if key in about and not isinstance(about[key], kind):
                line = keys[key].start_mark.line + 1
                wanted = "true or false" if kind is bool else "text"
                raise InvalidInput(f"{self.name}, line {line}: {key!r} must be {wanted}, got {about[key]!r}.")
        if about.get("verified") and not about.get("source"):
            line = keys["verified"].start_mark.line + 1
            raise InvalidInput(f"{self.name}, line {line}: a value that was verified must name its source.")
        self.citations[path] = Citation(
            source=about.get("source"), verified=about.get("verified", False), note=about.get("note")
        )
        return self.value(keys["value"], path)


def read_document(text: str, name: str) -> Document:
    """Read YAML.

    Raises:
        InvalidInput: the text is not YAML, is empty, or repeats a key; with the file's name and the line.
    """
    try:
        node = _composed(_events(text, name))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InvalidInput(f"{name}, line {line}: this is not YAML: {error.problem or error.context}.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = ord(error.character) if isinstance(error.character, str) else error.character
        raise InvalidInput(f"{name}, line {line}: character U+{code:04X} may not stand in YAML.") from None
    if node is None:
        raise InvalidInput(
            f"{name}, line 1: the file is empty; `sevenfold new my-trial.yaml` writes a protocol to start from."
        )
    reader = _Reader(name)
    values = reader.value(node, ())
    return Document(name=name, values=values, lines=reader.lines, citations=reader.citations)


def _events(text: str, name: str) -> list[yaml.Event]:
    """What the text is made of; how deep it goes is looked at before nodes are made, which recurses."""
    depth, found = 0, []
    for event in yaml.parse(text, Loader=_Loader):
        found.append(event)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise InvalidInput(
                f"{name}, line {line}: lists and mappings stand more than {_DEEPEST} deep within each other."
            )
    return found


def _composed(events: list[yaml.Event]) -> yaml.Node | None:
    """The tree that they make; reading the text takes most of the time and is not done twice."""
    loader = _Loader("")
    loader.state = partial(next, iter(events))
    return loader.get_single_node()
