"""Who a subject is, and whether a text tells it."""

import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final, Self, final

from sevenfold.errors import InvalidInput

__all__ = ["Identity"]

_LONGEST: Final = 200  # letters of a field; what is sealed has one length
_SHORTEST_NAME: Final = 3  # letters of a name that is looked for: shorter ones are in too many words
_WORD: Final = re.compile(r"\w+")
_GROUP: Final = re.compile(r"[0-9]+|[a-z]+")  # of a hospital number; between them anything may be written


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What tells who a subject is.

    Args:
        born: ISO 8601, or empty.
        hospital_number: as the hospital writes it, or empty.
    """

    family_name: str
    given_name: str
    born: str
    hospital_number: str

    @classmethod
    def typed(cls, *, family_name: str, given_name: str, born: str, hospital_number: str) -> Self:
        """As a form says it.

        Raises:
            InvalidInput: nothing tells who it is, something is too long, or the date is none.
        """
        if not family_name and not hospital_number:
            raise InvalidInput("Give the name or the hospital number; without either nobody is told.")
        if max(map(len, (family_name, given_name, born, hospital_number))) > _LONGEST:
            raise InvalidInput(f"At most {_LONGEST} letters a field.")
        if born:
            try:
                date.fromisoformat(born)
            except ValueError:
                raise InvalidInput("Date of birth: not a date; write it like 1961-03-31.") from None
        return cls(family_name=family_name, given_name=given_name, born=born, hospital_number=hospital_number)

    def as_plain(self) -> dict[str, str]:
        """As it is sealed."""
        return asdict(self)

    def is_told_by(self, text: str) -> bool:
        """Whether a text holds a name, the hospital number or the date of birth, however it is spelt: with accents or
        capitals, with or without separators.
        """
        plain = _plain(text)
        words = set(_WORD.findall(plain))
        names = {part for name in (self.family_name, self.given_name) for part in _WORD.findall(_plain(name))}
        if any(len(name) >= _SHORTEST_NAME and name in words for name in names):
            return True
        return self._tells_number(plain) or self._tells_birth(plain)

    def _tells_number(self, plain: str) -> bool:
        groups = _GROUP.findall(_plain(self.hospital_number))
        if len("".join(groups)) < _SHORTEST_NAME:
            return False
        written = r"[^0-9a-z]*".join(map(re.escape, groups))
        return re.search(rf"(?<![0-9a-z]){written}(?![0-9a-z])", plain) is not None

    def _tells_birth(self, plain: str) -> bool:
        if not self.born:
            return False
        day = date.fromisoformat(self.born)
        written = {
            f"{day:%Y-%m-%d}", f"{day:%d/%m/%Y}", f"{day:%d.%m.%Y}", f"{day:%d-%m-%Y}", f"{day:%m/%d/%Y}",
            f"{day.day}/{day.month}/{day.year}", f"{day.day}.{day.month}.{day.year}",
            f"{day.month}/{day.day}/{day.year}",
        }  # fmt: skip
        return any(re.search(rf"(?<!\d){re.escape(one)}(?!\d)", plain) for one in written)


def _plain(text: str) -> str:
    """Without accents and capitals; accents that come with the small letters are taken off as well."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
