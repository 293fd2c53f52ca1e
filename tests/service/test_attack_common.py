"""Attacks with the passwords that are tried first."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sevenfold.errors import InvalidInput
from sevenfold.service.people.common import is_common, listed
from sevenfold.service.people.passwords import SHORTEST, check_password
from sevenfold.service.people.person import Person
from sevenfold.service.role import Role

NINA = Person(id="p1", login="nweber@site.example", name="Nina Weber", role=Role.NURSE, site="FR-1")
LIST = sorted(listed())
WORDS = st.sampled_from([one for one in LIST if one.isalpha()])


def is_taken(password: str) -> bool:
    """Whether somebody may have a password."""
    try:
        check_password(password, NINA)
    except InvalidInput:
        return False
    return True


def test_no_common_password_of_the_list_is_taken() -> None:
    """Those that are long enough, each; the list has ten thousand of any length and a few hundred such."""
    long_enough = [one for one in LIST if len(one) >= SHORTEST]
    assert len(LIST) > 9_900
    assert len(long_enough) > 300
    assert [one for one in long_enough if is_taken(one)] == []
    assert [one for one in long_enough if is_taken(f"{one.capitalize()}!")] == []


@settings(deadline=None)
@example(first="blahblah", second="blahblah", n=0, sign="")
@given(first=WORDS, second=WORDS, n=st.integers(0, 99_999_999), sign=st.sampled_from(["", "!", "-", "_", "#!"]))
def test_two_pieces_make_no_password(first: str, second: str, n: int, sign: str) -> None:
    """Two words, a word and a number before or after, the same twice or three times; however it is dressed."""
    for made in (first + second, f"{first}{n}", f"{n}{first}", first * 2, first * 3, f"{first}{n}" * 2):
        for one in (made, made.upper(), made.title(), f"{made}!", f"!{made}!", f"{first}{sign}{first}"):
            assert is_common(one), one
    assert is_common(f"{first} {first}")


@given(word=WORDS, year=st.integers(1900, 2099))
def test_a_sign_in_a_letters_place_makes_it_no_better(word: str, year: int) -> None:
    """As everybody writes them."""
    for signs in (str.maketrans("aeo", "@30"), str.maketrans("tsi", "751"), str.maketrans("als", "41$")):
        assert is_common(f"{word.translate(signs)}{year}")


@pytest.mark.parametrize(
    "password",
    [
        "qwertyuiop12", "1qaz2wsx3edc4r", "azertyuiop2024", "123456789012", "098765432109", "abcdefghijkl",
        "passwordpassword", "Password1234!", "P@ssw0rd2026", "iloveyou-2024", "ninaweber1970", "Nina.Weber.1970",
        "sevenfold2026", "Sevenfold-1234", "nweber123456", "qqqqqwwwww11", "zaq12wsxzaq12wsx", "password password",
    ],
)  # fmt: skip
def test_what_is_tried_first_is_refused(password: str) -> None:
    """Rows of a keyboard, years, one's own name, the product's."""
    assert len(password) >= SHORTEST
    assert not is_taken(password)


@pytest.mark.parametrize(
    "password",
    [
        "a sentence of my own", "horse battery staple", "kT9#mQ2vLx!7pZ", "lilac umbrella on Tuesday",
        "Zwölf Boxkämpfer jagen", "gdwpxqnvfkzb", "correct-horse-battery-staple", "漢字仮名交じり文の十二文字",
    ],
)  # fmt: skip
def test_a_sentence_or_what_a_manager_draws_is_taken(password: str) -> None:
    """The rule asks for no kind of letters."""
    assert is_taken(password)


@given(st.text(alphabet="bcdfghjkmnpqrstvwxyz23456789", min_size=16, max_size=40), st.randoms(use_true_random=False))
def test_long_passwords_are_looked_at_in_no_time_and_never_break_it(text: str, random: object) -> None:
    """Whatever is typed, there is an answer."""
    assert is_common(text) in (True, False)
    assert is_common("a1" * 128) in (True, False)
