"""``sevenfold new``: a commented protocol to start from."""

import argparse
import json
from importlib.resources import files
from pathlib import Path

from sevenfold.errors import InvalidInput
from sevenfold.protocol.schema import protocol_schema

__all__ = ["write_new"]


def write_new(chosen: argparse.Namespace) -> int:
    """Write the protocol and its schema."""
    path = Path(chosen.path)
    schema = path.parent / "sevenfold-protocol.schema.json"
    text = files("sevenfold.protocol").joinpath("library", "template.yaml.txt").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        schema.write_text(json.dumps(protocol_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except FileExistsError:
        raise InvalidInput(f"{path} exists already and is not overwritten; choose another name.") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from None
    print(f"Wrote {path}, and {schema.name} for your editor. Next: sevenfold check {path}")
    return 0
