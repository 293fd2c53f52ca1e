"""Sealed texts."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.sealing import canonical_json, derived_key, open_sealed, seal

KEY = derived_key(b"a secret of this test, and long", "test")
VALUES = st.dictionaries(st.text(max_size=8), st.floats(-1e9, 1e9) | st.text(max_size=20) | st.booleans(), max_size=12)


@given(value=VALUES, place=st.text(max_size=30))
def test_what_was_sealed_opens_again_and_its_length_says_nothing(value: dict[str, object], place: str) -> None:
    sealed = seal(KEY, place, value)
    assert open_sealed(KEY, place, sealed) == value
    assert len(sealed) == len(seal(KEY, place, {}))


def test_it_opens_nowhere_else_under_no_other_key_and_not_altered() -> None:
    sealed = seal(KEY, "results S-1 day 4", {"alc": 1800})
    altered = bytearray(base64.b64decode(sealed))
    altered[100] ^= 1
    for key, place, text in (
        (KEY, "results S-2 day 4", sealed),
        (derived_key(b"a secret of this test, and long", "other"), "results S-1 day 4", sealed),
        (KEY, "results S-1 day 4", base64.b64encode(bytes(altered)).decode()),
        (KEY, "results S-1 day 4", "not base64!"),
    ):
        with pytest.raises(AuditBroken, match="altered, moved, or sealed under another key"):
            open_sealed(key, place, text)


def test_what_is_too_long_is_refused_and_not_cut() -> None:
    with pytest.raises(InvalidInput, match="the most"):
        seal(KEY, "x", "a" * 5000)


def test_canonical_json_has_one_form_and_no_nan() -> None:
    assert canonical_json({"b": 1, "a": "µ"}) == canonical_json({"a": "µ", "b": 1}) == '{"a":"µ","b":1}'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))
