"""One cell as what it should be: a number with its qualifier, a day, a yes or no, a word of ours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite
from typing import Final, final

from sevenfold.cohort.imported.mapping import Column
from sevenfold.protocol.visit import study_day_on

__all__ = [
    "Number",
    "Unreadable",
    "as_date",
    "as_number",
    "as_study_day",
    "as_word",
    "as_yes",
    "day_between",
    "latest_date",
]

_NUMBER: Final = re.compile(r"([<>]=?|≤|≥)?\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\Z")
_YES: Final = {"y": True, "yes": True, "true": True, "1": True, "n": False, "no": False, "false": False, "0": False}


@final
class Unreadable(Exception):  # caught where the row is known, where it becomes a Trouble
    """A cell that is not what it should be: what was found, what is wanted, and the reason in short."""

    def __init__(self, found: str, wanted: str, reason: str) -> None:
        super().__init__(found)
        self.found, self.wanted, self.reason = found, wanted, reason
        self.column: str | None = None  # where the reader knows it better than its caller


@final
@dataclass(frozen=True, slots=True)
class Number:
    """A number, with ``<`` or ``>`` where only a limit is known."""

    value: float
    qualifier: str | None


def as_number(text: str) -> Number:
    """``5``, ``<5`` or ``>=5``; a decimal comma is not guessed at."""
    match = _NUMBER.match(text)
    if match is None:
        comma = " (a decimal comma? write a point)" if re.fullmatch(r"[-+]?\d+,\d+", text) else ""
        raise Unreadable(f"{text!r} is not a number{comma}", "a number, or one with < or >, is wanted", "not a number")
    if not isfinite(float(match.group(2))):
        raise Unreadable(f"{text!r} is too large a number", "a number below 1e308 is wanted", "not a number")
    sign = {"≤": "<", "≥": ">", "<=": "<", ">=": ">"}.get(match.group(1) or "", match.group(1))
    return Number(float(match.group(2)), sign or None)


def as_date(text: str) -> date:
    """An ISO 8601 date, a time of day after it set aside; a partial one is refused, not completed."""
    day = text.partition("T")[0].partition(" ")[0]
    if re.fullmatch(r"\d{4}(-\d{2})?", day) or "--" in day or day.endswith("-"):
        raise Unreadable(f"{text!r} is a partial date", "year, month and day are wanted", "partial date")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) is None:
        raise Unreadable(f"{text!r} is not a date", "a date such as 2027-01-31 is wanted", "not a date")
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise Unreadable(f"{text!r} is a day that does not exist", "look it up", "impossible date") from None


def latest_date(text: str) -> date | None:
    """The latest day that a partial date (a year, or a year and month) may be; None where it is no such thing."""
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?", text.partition("T")[0].rstrip("-"))
    if match is None:
        return None
    year, month = int(match.group(1)), int(match.group(2) or 12)
    if not (1 <= month <= 12 and 1 <= year < 9999):
        return None
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def as_study_day(text: str) -> int:
    """A whole study day; there is no day 0."""
    number = as_number(text)
    if number.qualifier or number.value != int(number.value):
        raise Unreadable(f"{text!r} is not a whole study day", "a whole number is wanted", "not a study day")
    if number.value == 0:
        raise Unreadable(
            "study day 0", "day 1 is the day of the first dose and the day before it is day -1", "study day 0"
        )
    return int(number.value)


def day_between(text: str, first_dose: date | None) -> int:
    """The study day of a date.

    Args:
        first_dose: day 1.
    """
    day = as_date(text)
    if first_dose is None:
        raise Unreadable(
            f"the date {text!r} of a subject without a date of first dose",
            "map 'first_dose' of the subjects",
            "no day 1",
        )
    return study_day_on(day, first_dose)


def as_word(text: str, column: Column, known: Sequence[str] | None = None) -> str:
    """The word that a column's own stands for.

    Args:
        known: the words that may come out; any where None.
    """
    if column.values is None:
        word = text
    elif text in column.values:
        meant = column.values[text]
        word = str(meant).lower() if isinstance(meant, bool) else str(meant)
    else:
        raise Unreadable(
            f"{text!r} is not among the words that the mapping knows ({', '.join(column.values)})",
            "add it under 'values'",
            "word not mapped",
        )
    if known is not None and word not in known:
        raise Unreadable(f"{word!r} is not known", f"one of {', '.join(known)} is wanted", "word not known")
    return word


def as_yes(text: str, column: Column) -> bool:
    """Yes or no."""
    word = as_word(text, column).casefold()
    if word not in _YES:
        raise Unreadable(f"{text!r} is neither yes nor no", "say which it is under 'values'", "neither yes nor no")
    return _YES[word]
