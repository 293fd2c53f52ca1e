"""What was refused, in the reader's language.

Refusals are made deep in the core, which knows no languages, as English sentences with names and numbers in them. Here
a sentence is held against patterns with gaps; what stood in the gaps is put into the sentence of the other language.
What no pattern fits is shown in English and says so, so that it is read out as English.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from sevenfold.service.language import table

__all__ = ["refusal", "translated"]

_LONGEST: Final = 800
"""Letters of a refusal that is held against patterns; whoever types on and on is answered in English."""
_GAP: Final = re.compile(r"\{(\w+)\}")


@pass_context
def refusal(context: Context, told: str) -> str:
    """A refusal as a page shows it: in its language, or marked as English."""
    language = context["language"]
    if language == "en":
        return told
    said = translated(told, language)
    return Markup('<span lang="en">{}</span>').format(told) if said is None else said


def translated(told: str, language: str) -> str | None:
    """A refusal in another language; None where no pattern fits."""
    if told in table(language):
        return table(language)[told]
    return _fitted(told, "sentences", language)


def _fitted(text: str, kind: str, language: str) -> str | None:
    if len(text) > _LONGEST:
        return None
    for pattern, other in _patterns(language)[kind]:
        found = pattern.fullmatch(text)
        if found is not None:
            return other.format(**{name: _part(gap, language) for name, gap in found.groupdict().items()})
    return None


def _part(gap: str, language: str) -> str:
    """What stands in a gap: a sentence's part or a word of ours is translated, anything else stays."""
    return _fitted(gap, "parts", language) or table(language).get(gap, gap)


@cache
def _patterns(language: str) -> dict[str, list[tuple[re.Pattern[str], str]]]:
    """Patterns and what they become, those with more words of their own first."""
    path = files("sevenfold.service").joinpath(f"words/{language}-refusals.toml")
    kinds = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        kind: [
            (_pattern(english), other)
            for english, other in sorted(pairs.items(), key=lambda pair: -len(_GAP.sub("", pair[0])))
        ]
        for kind, pairs in kinds.items()
    }


def _pattern(english: str) -> re.Pattern[str]:
    pieces = _GAP.split(english)  # words, a gap's name, words, …
    return re.compile(
        "".join(f"(?P<{one}>.+?)" if at % 2 else re.escape(one) for at, one in enumerate(pieces)), re.DOTALL
    )
