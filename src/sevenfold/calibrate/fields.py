"""A mapping of a file, taken field by field: each is what it must be, or an error says where it is not."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import inf, isfinite
from typing import Any, NoReturn, final

from sevenfold.errors import InvalidInput

__all__ = ["Fields", "is_number", "refuse_unknown"]


@final
class Fields:
    """The fields of one entry.

    Args:
        where: file and entry, with which every message begins.
        given: what stands there.
        known: names that it may have.

    Raises:
        InvalidInput: no mapping, or a field that is not known; as every method does for a field that is wrong.
    """

    def __init__(self, where: str, given: object, known: Sequence[str]) -> None:
        self.where = where
        if not isinstance(given, Mapping):
            raise InvalidInput(f"{where}: found {given!r}; it must be a mapping with the fields {', '.join(known)}.")
        self.given: Mapping[Any, Any] = given
        for name in given:
            if name not in known:
                near = get_close_matches(str(name), known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}."
                raise InvalidInput(f"{where}: unknown field {name!r}; {hint}")

    def __contains__(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.given.get(name) is not None

    def refuse(self, name: str, wants: str) -> NoReturn:
        """Say what was found, and what would be right."""
        raise InvalidInput(f"{self.where}: {name} is {self.given.get(name)!r}; {wants}.")

    def need(self, name: str, what: str) -> Any:
        """The field, whatever it is."""
        if name not in self:
            raise InvalidInput(f"{self.where}: it names no {what}.")
        return self.given[name]

    def choice(self, name: str, names: Sequence[str], what: str = "") -> str:
        """One of these names."""
        value = self.need(name, what or name)
        refuse_unknown(self.where, what or name, value, names)
        return str(value)

    def text(self, name: str, wants: str) -> str:
        """Words."""
        value = self.need(name, name)
        if not isinstance(value, str) or not value.strip():
            self.refuse(name, wants)
        return value

    def number(self, name: str, wants: str, *, least: float = -inf, above: float = -inf, most: float = inf) -> Any:
        """A finite number within these bounds, as it was written (a whole number stays one)."""
        value = self.need(name, name)
        if not is_number(value) or not (least <= value <= most and value > above):
            self.refuse(name, wants)
        return value

    def count(self, name: str, wants: str, *, least: int = 1) -> int:
        """A whole number."""
        value = self.need(name, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.refuse(name, wants)
        return value

    def ascending(self, name: str, wants: str) -> tuple[float, ...]:
        """Finite numbers, each larger than the one before; at least one."""
        values = self.need(name, name)
        if not isinstance(values, list) or not values or not all(is_number(value) for value in values):
            self.refuse(name, wants)
        if values != sorted(set(values)):
            self.refuse(name, wants)
        return tuple(float(value) for value in values)


def is_number(value: object) -> bool:
    """Whether it is a finite number; ``true`` is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def refuse_unknown(where: str, kind: str, value: object, names: Sequence[str]) -> None:
    """Refuse what is not one of the names, and say which it may be.

    Raises:
        InvalidInput: names the nearest.
    """
    if value not in names:
        near = get_close_matches(str(value), names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InvalidInput(f"{where}: {kind} {value!r} is not known.{hint} Known: {', '.join(names)}.")
