"""The pages' language: English as it is written in the code, and others by a table from it.

What a table lacks is shown in English; the words of the protocol and of the record are shown as they were written.
"""

import tomllib
from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import Request

from sevenfold.service.cookies import Cookie, cookie_of

__all__ = ["LANGUAGES", "language_of", "moment", "table", "translator"]

LANGUAGES: Final = {"en": "English", "fr": "Français"}
_MONTHS: Final = (
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juill.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip


def language_of(request: Request) -> str:
    """The language that was chosen, or else the first that the browser asks for and we have."""
    chosen = cookie_of(request, Cookie.LANGUAGE)
    if chosen in LANGUAGES:
        return str(chosen)
    for asked in request.headers.get("accept-language", "").split(","):
        name = asked.partition(";")[0].strip()[:2].lower()
        if name in LANGUAGES:
            return name
    return "en"


def moment(at: datetime, language: str) -> str:
    """A moment to the minute, which no reader can take for another: months by name, or year, month, day."""
    if language == "fr":
        day = "1er" if at.day == 1 else str(at.day)
        return f"{day}\u00a0{_MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"
    return at.strftime("%Y-%m-%d %H:%M")


@cache
def table(language: str) -> dict[str, str]:
    """English -> this language."""
    if language == "en":
        return {}
    text = files("sevenfold.service").joinpath(f"words/{language}.toml").read_text(encoding="utf-8")
    return {english: str(other) for english, other in tomllib.loads(text).items()}


def translator(language: str) -> Callable[..., str]:
    """A function that says an English sentence in the language; ``{name}`` is filled in after."""
    words = table(language)

    def say(sentence: str, **filled: object) -> str:
        said = words.get(sentence, sentence)
        return said.format(**filled) if filled else said

    return say
