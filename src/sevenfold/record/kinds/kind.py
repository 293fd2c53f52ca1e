"""The content of an event: a kind of event is a class of its own, and its name in the record is the class's name."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from sevenfold.sealing import canonical_json

__all__ = ["Payload", "Result"]


class Payload(BaseModel):
    """The content of an event."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    schema_version: ClassVar[int] = 1

    def canonical(self) -> bytes:
        """The bytes that are stored and hashed."""
        return canonical_json(self.model_dump(mode="json"))


class Result(BaseModel):
    """A measured value, with its unit and, beyond a limit of quantification, ``<`` or ``>``.

    Args:
        entered: as it was typed, where a person did, such as ``0.45 10^9/L``.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    value: float
    unit: str
    qualifier: Literal["", "<", ">"] = ""
    entered: str | None = Field(default=None, exclude_if=lambda entered: entered is None)
