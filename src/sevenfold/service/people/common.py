"""Passwords that are guessed first: a common one, or two pieces of the kind that people put together.

A piece is one of the 10 000 most common passwords, a person's own name or login, digits (a year, a date, a number), up
to three letters over and over, or letters as they lie beside each other on a keyboard or in the alphabet. Upper and
lower case, a sign in a letter's place, signs around and between, and saying the same several times make it no better.

The list ranks passwords of any length. Those of twelve letters and more in it are a few hundred; the pairs are what
covers the rest, which no list that may be shipped ranks. Sources: words/common-passwords.LICENSE.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

__all__ = ["is_common", "listed"]

_SHORTEST: Final = 4  # letters of a piece; shorter ones stand by chance in any sentence
_MOST_DIGITS: Final = 8  # as many as a date has
_ROWS: Final = (
    "1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn", "qwertzuiop", "yxcvbnm",
    "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik", "qazwsxedcrfvtgbyhnujmik", "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0", "a1b2c3d4e5f6g7h8i9j0", "1a2b3c4d5e6f7g8h9i0j",
)  # fmt: skip
_WALKS: Final = (*_ROWS, *(row[::-1] for row in _ROWS))
_DIGITS: Final = (str.maketrans("430157", "aeoist"), str.maketrans("430157", "aeolst"))  # in a letter's place
_SIGNS: Final = (str.maketrans("", ""), str.maketrans("@$", "as"), str.maketrans("@$!", "asi"))
_AROUND: Final = re.compile(r"[\W_]+")


@cache
def listed() -> frozenset[str]:
    """The common passwords, in lower case."""
    path = files("sevenfold.service").joinpath("words/common-passwords.txt")
    return frozenset(path.read_text(encoding="ascii").split())


@cache
def _bare() -> frozenset[str]:
    """With and without the signs in them."""
    return listed() | {bare for one in listed() if len(bare := _AROUND.sub("", one)) >= _SHORTEST}


def is_common(password: str, own: Iterable[str] = ()) -> bool:
    """Whether a password is a common piece or two.

    Args:
        own: words of the person and the place: login, name.
    """
    told = frozenset(part for word in own for part in (word.lower(), _AROUND.sub("", word.lower())))
    said = password.lower().strip()
    if said in listed() or said in told:
        return True
    words = said.split()
    if len(set(words)) != 1:
        return False  # several words: a sentence
    bare = {_AROUND.sub("", words[0].translate(signs)) for signs in _SIGNS}
    return any(_is_two(part, told) for one in bare for part in _said_again(one))


def _is_two(text: str, told: frozenset[str]) -> bool:
    return any(_is_piece(text[:at], told) and _is_piece(text[at:], told) for at in range(len(text) + 1))


def _is_piece(text: str, told: frozenset[str]) -> bool:
    if text.isdecimal() and len(text) <= _MOST_DIGITS:
        return True
    if len(text) < _SHORTEST:
        return text == ""
    return (
        text in told
        or text in _bare()
        or any(len(part) < _SHORTEST for part in _said_again(text))
        or any(text in row for row in _WALKS)
        or any(text.translate(digits) in _bare() for digits in _DIGITS)
        or any(_is_piece(part, told) for part in _said_again(text) if part != text)
    )


def _said_again(text: str) -> list[str]:
    """Everything that is said once or several times in it, the whole included."""
    parts = (text[:n] for n in range(1, len(text) + 1) if len(text) % n == 0)
    return [part for part in parts if part * (len(text) // len(part)) == text] or [text]
