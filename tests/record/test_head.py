"""The head's signature: one text holds, and no other that stands for the same bytes."""

import dataclasses
from typing import Any

import pytest

from sevenfold.record.head import LedgerState, SigningKey, signature_holds, signed

HEAD = signed(SigningKey(bytes(range(32))), 7, "ab" * 32, LedgerState.RUNNING)


@pytest.mark.parametrize("name", ["public_key", "signature"])
def test_key_and_signature_hold_as_they_were_written_alone(name: str) -> None:
    """In capitals, with a space, or cut short they do not: a flipped bit of the file is told."""
    assert signature_holds(HEAD)
    text = getattr(HEAD, name)
    for other in (text.upper(), f"{text[:2]} {text[2:]}", f" {text}", text[:-2], f"{text}00", ""):
        assert other != text
        changed: dict[str, Any] = {name: other}
        assert not signature_holds(dataclasses.replace(HEAD, **changed))


def test_a_signature_is_of_what_the_head_says() -> None:
    """Number, hash and state each."""
    others: tuple[dict[str, Any], ...] = ({"count": 8}, {"hash": "ac" * 32}, {"state": LedgerState.COMPLETE})
    for other in others:
        assert not signature_holds(dataclasses.replace(HEAD, **other))
