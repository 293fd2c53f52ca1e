"""What every part of a protocol has in common: frozen, strict, and helpful about keys and units it doesn't know."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, final

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from sevenfold import unit
from sevenfold.errors import InvalidInput

__all__ = ["Id", "In", "Part", "Text", "contradiction", "must_exist"]

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$", max_length=60)]


class Part(BaseModel):
    """A frozen part of a protocol. Keys are checked before values, so that a misspelt one is named with its
    neighbour.
    """

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", validate_by_name=False, validate_by_alias=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        keys = [field.alias or name for name, field in cls.model_fields.items()]
        for key in data:
            if key not in keys:
                near = get_close_matches(str(key), keys, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(keys)}"
                raise PydanticCustomError(
                    "unknown_key", "{text}", {"text": f"key {key!r} is not known; {hint}", "at": (key,)}
                )
        return data


def contradiction(message: str, *at: str | int) -> PydanticCustomError:
    """The error for values that are each fine and cannot stand together.

    Args:
        message: what was found and what would be right.
        at: the path, within the part, of the value to point at.
    """
    return PydanticCustomError("contradiction", "{text}", {"text": message, "at": at})


def must_exist(name: str, names: Iterable[str], what: str, *at: str | int) -> None:
    """Refuse a name that is not among those known, with its neighbour.

    Args:
        what: the name is of, in words.
        at: where it stands.
    """
    known = list(names)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(known)}"
        raise contradiction(f"{what} {name!r} is not known{hint}", *at)


@final
@dataclass(frozen=True, slots=True)
class In:
    """Annotates a number that a protocol writes with its unit: ``Annotated[float, In("h")]`` is held in hours.

    Args:
        unit: in which the number is held; any unit of the same dimension may be written.
        above: the value must exceed this.
        at_least: the value must reach this; 0 unless said otherwise.
        at_most: the value must not exceed this, where more makes no sense or would overflow.
    """

    unit: str
    above: float | None = None
    at_least: float | None = 0.0
    at_most: float | None = None

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        limits = {"gt": self.above} if self.above is not None else {"ge": self.at_least}
        number = core_schema.float_schema(allow_inf_nan=False, **limits)
        return core_schema.no_info_before_validator_function(self._read, number)

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "type": "string",
            "description": f"A number with its unit, held in {self.unit}.",
            "examples": [f"10 {self.unit}"],
            "pattern": r"^\s*[-+]?[0-9.][0-9_ .eE+-]*\s*[^0-9\s].*$",
        }

    def _read(self, value: object) -> float:
        example = f"10 {self.unit}"
        if not isinstance(value, str):
            found = (
                f"{value!r} has no unit; write" if isinstance(value, (int, float)) else "this is not a quantity; write"
            )
            raise PydanticCustomError("quantity", "{text}", {"text": f"{found} it like {example!r}"})
        try:
            held = unit.parse(value).to(self.unit)
        except InvalidInput as error:
            raise PydanticCustomError("quantity", "{text}", {"text": str(error).rstrip(".")}) from None
        if self.at_most is not None and held > self.at_most:
            most = f"{value!r} is more than can be meant; at most {self.at_most:g} {self.unit}"
            raise PydanticCustomError("quantity", "{text}", {"text": most})
        return held
