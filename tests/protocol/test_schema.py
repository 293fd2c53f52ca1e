"""The published JSON Schema accepts what we accept, and is the one in the repository."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from sevenfold.protocol.load import built_in, load
from sevenfold.protocol.schema import protocol_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "_static" / "protocol.schema.json"


def plain(value: Any) -> Any:
    """YAML as an editor's schema checker sees it: dates are text."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value


@pytest.mark.parametrize("name", built_in())
def test_the_schema_accepts_the_built_in_protocols_as_written(name: str) -> None:
    schema = protocol_schema()
    Draft202012Validator.check_schema(schema)
    faults = list(Draft202012Validator(schema).iter_errors(plain(yaml.safe_load(load(name).text))))
    assert not faults, faults[0].message


def test_the_schema_refuses_an_unknown_key_and_a_number_without_unit() -> None:
    values = plain(yaml.safe_load(load("iris-7").text))
    values["arms"][0]["injections"][0]["dose"] = 10
    values["aims"] = "x"
    assert len(list(Draft202012Validator(protocol_schema()).iter_errors(values))) >= 2


def test_the_published_schema_is_this_one() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == json.loads(json.dumps(protocol_schema())), (
        "run: python -c 'import json; from sevenfold.protocol.schema import protocol_schema as s; "
        "print(json.dumps(s(), indent=1, ensure_ascii=False))' > docs/_static/protocol.schema.json"
    )
