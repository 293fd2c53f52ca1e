"""Sealed envelopes: the code of a place opens its own envelope and no other, and nothing tells the arm without it."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.errors import InvalidInput
from sevenfold.vault.envelopes import ALPHABET, open_envelope, sealed_envelopes

ARMS = st.dictionaries(
    st.from_regex(r"[A-Z]-[0-9]{3}", fullmatch=True), st.sampled_from(["il7", "placebo"]), min_size=2, max_size=8
)
TOLD = {"il7": "CYT107, high frequency: 10 µg/kg", "placebo": "placebo"}


@settings(max_examples=40, deadline=None)
@given(arms=ARMS, secret=st.binary(min_size=32, max_size=32))
def test_each_code_opens_its_own_envelope_and_no_other(arms: dict[str, str], secret: bytes) -> None:
    """Also written small, without its hyphens, with spaces."""
    made = sealed_envelopes(arms, TOLD, secret)
    assert [one.number for one in made] == list(arms)
    for one in made:
        for typed in (one.code, one.code.lower(), one.code.replace("-", ""), f" {one.code.replace('-', ' ')} "):
            assert open_envelope(one.number, typed, one.sealed) == TOLD[arms[one.number]]
        for other in made:
            if other is not one:
                with pytest.raises(InvalidInput, match="not that of"):
                    open_envelope(one.number, other.code, one.sealed)
                with pytest.raises(InvalidInput, match="not that of"):
                    open_envelope(other.number, one.code, one.sealed)


@settings(max_examples=25, deadline=None)
@given(arms=ARMS, secret=st.binary(min_size=32, max_size=32))
def test_codes_follow_from_the_secret_alone_and_texts_are_of_one_length(arms: dict[str, str], secret: bytes) -> None:
    """In a world with the arms exchanged every card is the same: a card tells nothing of an arm."""
    exchanged = {number: "placebo" if arm == "il7" else "il7" for number, arm in arms.items()}
    one, other = sealed_envelopes(arms, TOLD, secret), sealed_envelopes(exchanged, TOLD, secret)
    assert [envelope.code for envelope in one] == [envelope.code for envelope in other]
    assert len({len(base64.b64decode(envelope.sealed)) for envelope in (*one, *other)}) == 1
    assert all(set(envelope.code) <= {*ALPHABET, "-"} and len(envelope.code) == 19 for envelope in one)
    assert len({envelope.code for envelope in one}) == len(one)


def test_a_text_that_would_not_fit_is_refused() -> None:
    """Its length would tell."""
    with pytest.raises(InvalidInput, match="256 bytes"):
        sealed_envelopes({"A-001": "il7"}, {"il7": "x" * 257}, bytes(32))
