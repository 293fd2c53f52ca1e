"""The JSON Schema of a protocol file, by which an editor completes and checks it while it is written."""

from typing import Any, Final

from sevenfold.protocol.protocol import Protocol

__all__ = ["protocol_schema"]

_CITED: Final = {
    "type": "object",
    "description": "A value with where it comes from.",
    "properties": {
        "value": {},
        "source": {"type": "string", "description": "The text in which the value was read."},
        "verified": {
            "type": "boolean",
            "description": "Whether it was read there; false for what is recalled or assumed.",
        },
        "note": {"type": "string"},
    },
    "required": ["value"],
    "additionalProperties": False,
}
_KEPT: Final[tuple[str, ...]] = ("title", "description", "default")


def protocol_schema() -> dict[str, Any]:
    """JSON Schema (2020-12). Every value may be replaced by a mapping of value, source, verified and note."""
    schema = Protocol.model_json_schema(by_alias=True)
    definitions = {name: _with_citations(part) for name, part in schema.pop("$defs", {}).items()}
    top = _with_citations(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sevenfold protocol, format 1",
        **{key: value for key, value in top.items() if key != "title"},
        "$defs": {**definitions, "Cited": _CITED},
    }


def _with_citations(part: Any) -> Any:
    """The same schema, with every property's value allowed to stand in a citation."""
    if not isinstance(part, dict):
        return part
    changed = dict(part)
    for key in ("properties",):
        if key in changed:
            changed[key] = {name: _citable(value) for name, value in changed[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(changed.get(key), dict):
            changed[key] = _with_citations(changed[key])
    if "prefixItems" in changed:
        changed["prefixItems"] = [_citable(item) for item in changed["prefixItems"]]
    return changed


def _citable(value: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: value[key] for key in _KEPT if key in value}
    inner = {key: item for key, item in _with_citations(value).items() if key not in kept}
    cited = {"$ref": "#/$defs/Cited", "properties": {"value": inner}}
    return {**kept, "anyOf": [inner, cited]}
